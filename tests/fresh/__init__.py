"""Fresh machines: what the README promises, tried in a minimal root of each Debian release."""
