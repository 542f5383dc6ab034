"""Health endpoints for load balancers and monitors: /healthz and /readyz."""

from collections.abc import Callable
from contextlib import suppress

from flask import Blueprint, Response, current_app, jsonify
from flask_login import current_user
from sqlalchemy.exc import SQLAlchemyError

from callytics.database.health import SCHEMA_OLD, database_problem
from callytics.pbx import heartbeat
from callytics.pbx.heartbeat import worker_problem
from callytics.recordings.folder_identity import load_identity
from callytics.storage.folder import Storage
from callytics.storage.health import folder_problem
from callytics.version import __version__
from callytics.web.http.offload import run_on_disk, run_with_deadline

blueprint = Blueprint("health", __name__)

# A monitor gives up after some seconds and then knows nothing; better to say what hangs.
PATIENCE_SECONDS = 3.0
SILENT = f"no answer within {PATIENCE_SECONDS:.0f} seconds"
UNKNOWN = "cannot be asked: run flask doctor"


@blueprint.get("/healthz")
def healthz() -> Response:
    """Answer 200 with `ok` and the version, as long as the process answers at all."""
    return Response(f"ok\nCallytics {__version__}\n", mimetype="text/plain")


@blueprint.get("/readyz")
def readyz() -> tuple[Response, int]:
    """Database, folder and worker, in detail for administrators; 503 when one is not well."""
    checks = {
        "database": _in_time(database_problem),
        "folder": _folder_problem(),
        "worker": _in_time(lambda: worker_problem(heartbeat.living_pbxs())),
    }
    ready = not any(checks.values())
    # Without the database, nobody is known to be an administrator.
    in_detail = not checks["database"] and getattr(current_user, "is_admin", False)
    said = {
        name: {"ok": not words, "says": (words if in_detail else _public(name, words)) or "ok"}
        for name, words in checks.items()
    }
    return jsonify(ready=ready, checks=said), 200 if ready else 503


def _public(name: str, words: str | None) -> str | None:
    """Return what strangers are told of a problem: a text of ours, with no path, host or user."""
    if not words or name == "worker" or words in (SCHEMA_OLD, SILENT, UNKNOWN):
        return words
    if name == "database":
        return "DATABASE_URL: the database cannot be used: run flask doctor"
    what = "does not exist" if "does not exist" in words else "cannot be used as it is"
    return f"RECORDINGS_DIR: the folder {what}: run flask doctor"


def _in_time(check: Callable[[], str | None]) -> str | None:
    try:
        return run_with_deadline(check, seconds=PATIENCE_SECONDS)
    except TimeoutError:
        return SILENT
    except Exception as error:  # whatever the driver comes up with
        current_app.logger.warning("readyz: %r", error)
        return UNKNOWN


def _folder_problem() -> str | None:
    storage: Storage = current_app.extensions["storage"]
    # A database that is away must not hide what the folder is like.
    with suppress(SQLAlchemyError, TimeoutError):
        run_with_deadline(load_identity, storage, seconds=PATIENCE_SECONDS)
    try:
        return run_on_disk(folder_problem, storage, seconds=PATIENCE_SECONDS)
    except TimeoutError:
        return SILENT
