"""The long-lived process that takes calls from Asterisk, leads them and records them."""
