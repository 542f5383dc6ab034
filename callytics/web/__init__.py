"""The pages, one blueprint a file."""

from flask import Flask


def init_web(app: Flask) -> None:
    """Register every page on `app`."""
