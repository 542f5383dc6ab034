"""Lease of a PBX: of several workers for one Asterisk, only the one that holds it leads the calls.

Needs an app context. Times are compared by the clock of the database, which all hosts share.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple, Self

from sqlalchemy import ColumnElement, Connection, delete, func, or_, select, update

from callytics.database.reading import AnyRow
from callytics.database.server_clock import database_now
from callytics.database.transactions import insert_missing, lock_tables, writing
from callytics.pbx.models import Pbx

LEASE = timedelta(seconds=30)


@dataclass(frozen=True)
class Claim:
    """A worker that wants a lease."""

    name: str
    # Random id of the process.
    holder: str
    host: str
    process: int
    application: str
    # The file lock that the process holds for this PBX, empty without one.
    lock: str = ""
    # Id and start time of its Asterisk; empty until that has answered.
    asterisk: str = ""
    # The name that this PBX had before; its rows are taken over.
    former_name: str = ""

    @property
    def asterisk_id(self) -> str:
        """Id of the Asterisk, the same after its restart."""
        return _asterisk_id(self.asterisk)


@dataclass(frozen=True)
class Rival:
    """Another worker that holds the lease."""

    name: str
    holder: str
    host: str
    process: int | None
    lock: str
    asterisk: str
    lease_until: datetime

    @classmethod
    def of(cls, row: AnyRow) -> Self:
        """Return the holder of the lease of a row."""
        place = (row.host, row.process, row.lock)
        return cls(row.name, row.holder, *place, row.asterisk, row.lease_until)

    @property
    def asterisk_id(self) -> str:
        """Id of its Asterisk, the same after its restart."""
        return _asterisk_id(self.asterisk)


@dataclass(frozen=True)
class Report:
    """Heartbeat that is written together with the lease."""

    started_at: datetime
    connected_at: datetime | None
    asterisk_version: str
    problem: str


class LostPbx(NamedTuple):
    """A PBX that never came back, and when its worker was last seen."""

    name: str
    seen_at: datetime


@dataclass(frozen=True)
class Outcome:
    """Result of a claim: the lease, unless a rival has it."""

    rival: Rival | None = None
    # Names of PBXs that were this one before: the same Asterisk and application.
    predecessors: tuple[str, ...] = ()


def renew(claim: Claim, report: Report) -> bool:
    """Renew a lease and write the heartbeat; return False if another worker has taken it."""
    with writing() as connection:
        mine = (Pbx.name == claim.name, Pbx.holder == claim.holder)
        return _write(connection, claim, report, *mine)


def take(
    claim: Claim, report: Report, dead: frozenset[str] = frozenset(), alive: str = ""
) -> Outcome:
    """Take or renew a lease, unless another worker leads this PBX or this Asterisk.

    `dead` are holders known to be gone, whose lease ends now. `alive` is a holder known to lead
    another Asterisk under the same name: its lease does not end.
    """
    with writing() as connection:
        lock_tables(connection, Pbx)
        now = database_now(connection)
        rows = connection.execute(select(Pbx.__table__).where(_concerns(claim))).all()
        others = [row for row in rows if row.holder not in ("", claim.holder, *dead)]
        living = [r for r in others if r.holder == alive or (r.lease_until or now) > now]
        if living:
            _let_go(connection, claim)
            return Outcome(Rival.of(living[0]))
        insert_missing(connection, Pbx, {"name": claim.name, **_heartbeat(report, now)}, "name")
        if not _write(connection, claim, report, Pbx.name == claim.name):
            raise RuntimeError(f"the row of PBX {claim.name} is gone")
        former = [row.name for row in rows if row.name != claim.name]
        return Outcome(predecessors=tuple(former))


def release(claim: Claim) -> None:
    """End a lease, so that another worker need not wait for its end."""
    mine = (Pbx.name == claim.name, Pbx.holder == claim.holder)
    with writing() as connection:
        now = database_now(connection)
        connection.execute(update(Pbx).where(*mine).values(lease_until=now))


def give_up(own_name: str, after: timedelta) -> list[LostPbx]:
    """Give up the other PBXs whose lease has been over for so long; return them.

    Safe to repeat: a PBX is returned once, to one of several workers.
    """
    with writing() as connection:
        now = database_now(connection)
        over = func.coalesce(Pbx.lease_until, Pbx.seen_at) < now - after
        lost = (Pbx.name != own_name, Pbx.given_up_at.is_(None), over)
        given_up = update(Pbx).where(*lost).values(given_up_at=now)
        rows = connection.execute(given_up.returning(Pbx.name, Pbx.seen_at))
        return [LostPbx(name, seen_at) for name, seen_at in rows]


def _concerns(claim: Claim) -> ColumnElement[bool]:
    """Condition of the rows of this PBX, and of others that are for the same calls."""
    same_calls = (Pbx.asterisk == claim.asterisk) & (Pbx.application == claim.application)
    conditions = [Pbx.name == claim.name]
    if claim.asterisk:
        conditions.append(same_calls)
    if claim.former_name:
        conditions.append((Pbx.name == claim.former_name) & (Pbx.holder == ""))
    return or_(*conditions)


def _write(
    connection: Connection, claim: Claim, report: Report, *where: ColumnElement[bool]
) -> bool:
    now = database_now(connection)
    values = {
        **_heartbeat(report, now),
        "holder": claim.holder,
        "host": claim.host,
        "process": claim.process,
        "lock": claim.lock,
        "lease_until": now + LEASE,
        "application": claim.application,
        "given_up_at": None,
    }
    if claim.asterisk:
        values["asterisk"] = claim.asterisk
    return connection.execute(update(Pbx).where(*where).values(**values)).rowcount == 1


def _heartbeat(report: Report, now: datetime) -> dict[str, object]:
    return {**vars(report), "seen_at": now}


def _let_go(connection: Connection, claim: Claim) -> None:
    """Let go of a lease that was taken before it was known that another worker leads here."""
    mine = (Pbx.name == claim.name, Pbx.holder == claim.holder)
    connection.execute(delete(Pbx).where(*mine, Pbx.asterisk == ""))
    connection.execute(update(Pbx).where(*mine).values(holder="", lease_until=None))


def _asterisk_id(asterisk: str) -> str:
    return asterisk.partition(" ")[0]
