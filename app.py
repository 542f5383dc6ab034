"""WSGI entry point for gunicorn and `flask`."""

import sys

from callytics import create_app
from callytics.config import ConfigError

try:
    app = create_app()
except ConfigError as error:
    sys.exit(f"callytics: {error}")
