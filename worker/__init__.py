"""Worker: the long-lived process that takes calls from Asterisk, leads and records them."""
