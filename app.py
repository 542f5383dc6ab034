"""WSGI entry point for gunicorn and `flask`."""

import sys

from callytics import create_app
from callytics.config import ConfigError
from callytics.storage.private_files import keep_files_private

keep_files_private()

try:
    app = create_app()
except ConfigError as error:
    sys.exit(f"callytics: {error}")
