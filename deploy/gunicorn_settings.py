"""gunicorn settings: gevent workers, a checked environment, an access log without secrets."""

import logging
import sys
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from gunicorn.glogging import Logger

from callytics.config import (
    PROJECT_DIR,
    ConfigError,
    host_in_url,
    load_config,
    read_environment,
)
from callytics.plain_text import OneLineFormatter
from callytics.storage.private_files import keep_files_private


class AccessLog(Logger):
    """One line a request, with its path alone and all that was sent.

    A query holds whom somebody looked for. A path is quoted, so that no request can write a line
    of its own into the log.
    """

    def _set_handler(self, log: Any, output: Any, fmt: Any, stream: Any = None) -> None:
        super()._set_handler(log, output, OneLineFormatter(fmt._fmt, fmt.datefmt), stream)

    def atoms(self, resp: Any, req: Any, environ: Any, request_time: Any) -> dict[str, Any]:
        """Return the fields of a log line: those of the format alone, and no header."""
        return {
            "h": environ.get("REMOTE_ADDR", "-"),
            "t": self.now(),
            "m": environ.get("REQUEST_METHOD", "-"),
            "U": quote(environ.get("PATH_INFO", ""), safe="/:@+,;=-._~"),
            "s": str(resp.status).partition(" ")[0],
            "B": resp.sent + environ["gunicorn.socket"].take_sent_from_files(),
            "M": request_time // timedelta(milliseconds=1),
        }


keep_files_private()
try:
    _config = load_config(read_environment())
except ConfigError as error:
    sys.exit(str(error))

bind = f"{host_in_url(_config.bind)}:{_config.port}"
workers = _config.web_concurrency
# gunicorn itself reads the environment alone, and not the file .env.
forwarded_allow_ips = ",".join(map(str, _config.trusted_proxies))
worker_class = "deploy.gunicorn_worker.SendingWorker"
chdir = str(PROJECT_DIR)
# Its socket for commands is one a user, and a second gunicorn would take it over.
control_socket_disable = True
# Whoever listens to a recording keeps a connection open; a stop waits no longer than this for them.
graceful_timeout = 5

# Of everything that is no log of gunicorn's own, the application's among it.
_handler = logging.StreamHandler()
_handler.setFormatter(OneLineFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
logging.basicConfig(level=logging.WARNING, handlers=[_handler])

logger_class = AccessLog
accesslog = "-"
access_log_format = '%(h)s %(t)s "%(m)s %(U)s" %(s)s %(B)s bytes %(M)s ms'
