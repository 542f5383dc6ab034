"""Random calls while worker, Asterisk and database die; every recording is accounted for."""
