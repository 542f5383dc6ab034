"""Events of a recording that come late, twice or never; files that never come."""
