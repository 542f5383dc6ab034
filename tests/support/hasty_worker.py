"""gunicorn's worker of the product with less patience, so that tests of its end need not wait."""

import deploy.gunicorn_worker
from deploy.gunicorn_worker import SendingWorker

REQUEST_SECONDS = STALLED_SECONDS = 3.0

deploy.gunicorn_worker.REQUEST_SECONDS = REQUEST_SECONDS
deploy.gunicorn_worker.STALLED_SECONDS = STALLED_SECONDS


class HastyWorker(SendingWorker):
    """The worker; `GUNICORN_CMD_ARGS="--worker-class …"` puts it in the place of the usual one."""
