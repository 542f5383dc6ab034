"""Tests on the real parts: Asterisk, Chromium, databases."""
