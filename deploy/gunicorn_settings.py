"""How gunicorn serves the pages: gevent workers, one checked environment, a log without secrets."""

import os
import socket
import subprocess
import sys
from typing import Any
from urllib.parse import quote

from gunicorn.glogging import Logger

from callytics.config import PROJECT_DIR, Config, ConfigError, load_config, read_environment


class AccessLog(Logger):
    """One line a request, with its path alone.

    A query holds whom somebody looked for. A path is quoted, so that no request can write a line
    of its own into the log.
    """

    def atoms(self, resp: Any, req: Any, environ: Any, request_time: Any) -> dict[str, Any]:
        """What a line may tell of a request."""
        path = quote(environ.get("PATH_INFO", ""), safe="/:@+,;=-._~")
        return {**super().atoms(resp, req, environ, request_time), "U": path}


def _read_config() -> Config:
    """The configuration, after a look at what the web cannot do without.

    Ends with one line that names the variable where something is wrong.
    """
    try:
        config = load_config(read_environment())
    except ConfigError as error:
        sys.exit(str(error))
    # gunicorn sets this once it runs. On a reload it holds the port itself, and a database that
    # is away for a moment must not end what serves well.
    if "SERVER_SOFTWARE" not in os.environ and (problem := _problem(config)):
        sys.exit(problem)
    return config


def _problem(config: Config) -> str | None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("0.0.0.0", config.port))
            probe.listen()
        except OSError as error:
            return f"PORT: {config.port} cannot be used ({error.strerror}); set PORT to another"
    # In a process of its own: no connection, lock or module that it made is carried into the
    # workers, where gevent must be the first to lay its hands on them.
    done = subprocess.run(
        [sys.executable, "-m", "callytics.checks"],
        cwd=PROJECT_DIR,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    return done.stderr.strip() if done.returncode else None


_config = _read_config()

bind = f"0.0.0.0:{_config.port}"
workers = _config.web_concurrency
worker_class = "gevent"
chdir = str(PROJECT_DIR)
# Its socket for commands is one a user, and a second gunicorn would take it over.
control_socket_disable = True
# Whoever listens to a recording keeps a connection open; a stop waits no longer than this for them.
graceful_timeout = 5
# A socket for remote control in the home folder is one more thing to guard, and used by nobody.
control_socket_disable = True

logger_class = AccessLog
accesslog = "-"
access_log_format = '%(h)s %(t)s "%(m)s %(U)s" %(s)s %(B)s bytes %(M)s ms'
