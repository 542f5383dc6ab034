"""gunicorn's settings, from the same checked environment as everything else."""

import sys

from callytics.config import ConfigError, load_config, read_environment

try:
    _config = load_config(read_environment())
except ConfigError as error:
    sys.exit(str(error))

bind = f"0.0.0.0:{_config.port}"
workers = _config.web_concurrency
worker_class = "gevent"
# Whoever listens to a recording keeps a connection open; a stop waits no longer than this for them.
graceful_timeout = 5
