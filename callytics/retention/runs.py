"""Retention runs: the log of runs and refusals, and confirmation. Needs an app context."""

from datetime import datetime
from typing import Protocol, cast

from sqlalchemy import delete, insert, select, update

from callytics.audit.admin_changes import log_change
from callytics.audit.authors import Author, author_name
from callytics.clock import utc_now
from callytics.database.reading import read_first
from callytics.database.transactions import writing
from callytics.retention.models import RetentionRun

# Rows that are kept of the log; there is one a day.
_MOST = 1000


class RunRow(Protocol):
    """Row of a retention run."""

    id: int
    at: datetime
    cutoff: datetime | None
    expired: int
    deleted: int
    problem: str
    confirmed_by: str


def newest_run() -> RunRow | None:
    """Return the last run or refusal, or None."""
    query = select(RetentionRun.__table__).order_by(RetentionRun.id.desc())
    return cast(RunRow | None, read_first(query.limit(1)))


def newest_refusal() -> RunRow | None:
    """Return the last run if it was refused and nobody has confirmed it, or None."""
    run = newest_run()
    return run if run is not None and run.problem and not run.confirmed_by else None


def newest_confirmation() -> RunRow | None:
    """Return the last run if it was refused and somebody has confirmed it since, or None."""
    run = newest_run()
    return run if run is not None and run.problem and run.confirmed_by else None


def last_completed() -> datetime | None:
    """Return the time of the last run that was not refused, or None."""
    query = select(RetentionRun.at).where(RetentionRun.problem == "")
    row = read_first(query.order_by(RetentionRun.id.desc()).limit(1))
    return None if row is None else cast(datetime, row.at)


def add_run(cutoff: datetime | None, expired: int, deleted: int, problem: str = "") -> None:
    """Log a run, or with `problem` its refusal."""
    values = {"cutoff": cutoff, "expired": expired, "deleted": deleted, "problem": problem}
    with writing() as connection:
        run = insert(RetentionRun).values(at=utc_now(), confirmed_by="", **values)
        new_id = connection.execute(run.returning(RetentionRun.id)).scalar_one()
        connection.execute(delete(RetentionRun).where(RetentionRun.id <= new_id - _MOST))


def confirm(run_id: int, author: Author) -> bool:
    """Allow the refused run `run_id`, up to its cutoff; return False if it is not the newest."""
    refused = newest_refusal()
    if refused is None or refused.id != run_id:
        return False
    with writing() as connection:
        unconfirmed = (RetentionRun.id == run_id, RetentionRun.confirmed_by == "")
        allowed = update(RetentionRun).where(*unconfirmed).values(confirmed_by=author_name(author))
        if connection.execute(allowed).rowcount == 0:
            return False
        what = f"{refused.expired} recordings from before {refused.cutoff:%Y-%m-%d %H:%M} UTC"
        log_change(connection, author, "setting retention run", refused.problem, what)
    return True
