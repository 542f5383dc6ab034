"""A library with as many recordings as are asked for, filled fast and kept for the next run."""

import os
import random
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg

from callytics.facts import KINDS
from callytics.places import PER_SECOND
from callytics.searching import searchable
from tests.postgres import Postgres
from tests.processes import fresh_environment, run_flask
from tests.shelf import Shelf

COLUMNS = (
    *("id", "uid", "call_uid", "kind", "direction", "state", "state_reason", "caller_number"),
    *("caller_name", "dialed_number", "callee", "flow", "node", "started_at", "ended_at"),
    *("duration_ms", "format", "size_bytes", "path", "search_text"),
)
NEWEST = datetime(2026, 11, 22, 12, tzinfo=UTC)
# Three in a minute by day and night: ten million are six years.
SECONDS_APART = 20
FIRST = (
    *("Anna", "Bernd", "Christa", "David", "Ellen", "Frank", "Georg"),
    *("Heidi", "Ingrid", "John", "Karl", "Lukas", "Maria", "Nils"),
)
LAST = (
    *("Miller", "Schmidt", "Johnson", "Weiss", "Rossi", "Garcia"),
    *("Lindgren", "Hoffmann", "Berger", "Kramov", "Petersen"),
)
ADMIN = "ada"


def rows(count: int) -> Iterator[tuple]:
    """Recordings from the oldest to the newest, skewed as calls are: few callers call often."""
    chance = random.Random(count)
    at = NEWEST - timedelta(seconds=SECONDS_APART * count)
    first_places: dict[int, int] = {}
    for number in range(count):
        at += timedelta(seconds=chance.expovariate(1 / SECONDS_APART))
        second = int(at.timestamp())
        place = second * PER_SECOND + first_places.setdefault(second, 0)
        first_places[second] += 1
        if len(first_places) > 2:
            del first_places[next(iter(first_places))]
        yield _row(chance, number, place, at)


def _row(chance: random.Random, number: int, place: int, at: datetime) -> tuple:
    kind = chance.choices(KINDS, (35, 30, 15, 15, 5))[0]
    state = "available" if chance.random() < 0.99 else "failed"
    # Half of the calls are from a few hundred who call all the time.
    caller = min(int(chance.paretovariate(0.3)), 10**8)
    known = random.Random(caller)
    name = f"{known.choice(FIRST)} {known.choice(LAST)}" if known.random() < 0.6 else ""
    names = {
        "caller_number": f"+49{known.randrange(10**9, 10**10)}",
        "caller_name": name,
        "dialed_number": str(1000 + min(int(chance.paretovariate(1)), 60)),
        "callee": f"PJSIP/{FIRST[caller % 14].lower()}{min(int(chance.paretovariate(0.6)), 900)}",
    }
    ms = int(chance.lognormvariate(11.5, 1)) if state == "available" else None
    uid = f"{number:020x}"
    said = "outbound" if kind == "outbound" else "inbound"
    flow = f"flow{min(int(chance.paretovariate(1)), 40)}"
    ended = at + timedelta(milliseconds=ms or 0)
    path = f"{at:%Y/%m/%d}/{uid}.wav"
    return (
        *(place, uid, uid, kind, said, state, "", *names.values(), flow, "desk", at, ended),
        *(ms, "wav", 44 + 16 * (ms or 0), path, searchable(names)),
    )


def cache() -> Path:
    """Where filled databases are kept."""
    for folder in (Path("/var/cache/callytics/bench"), Path(tempfile.gettempdir()) / "callytics"):
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(folder, os.W_OK):
            return folder
    raise SystemExit("there is no folder to keep the filled databases in")


def sqlite_library(count: int, folder: Path) -> dict[str, str]:
    """The environment of an installation in `folder` on a copy of the filled database."""
    environment = fresh_environment(folder)
    kept = cache() / f"library-{_schema_name()}-{count}.db"
    if not kept.exists():
        _fill_sqlite(count, kept)
    path = Path(environment["DATABASE_URL"].removeprefix("sqlite:///"))
    # Only read but for the rows that are added and removed again: no need for a second copy.
    path.symlink_to(kept)
    return environment


def _fill_sqlite(count: int, kept: Path) -> None:
    with tempfile.TemporaryDirectory(dir=kept.parent) as folder:
        environment = fresh_environment(Path(folder))
        run_flask(environment, "db", "upgrade")
        Shelf.of(environment).add_person(ADMIN, "admin")
        path = Path(environment["DATABASE_URL"].removeprefix("sqlite:///"))
        connection = sqlite3.connect(path, isolation_level=None)
        connection.executescript("PRAGMA synchronous = OFF; PRAGMA cache_size = -400000")
        made = connection.execute(
            "SELECT type, name, sql FROM sqlite_master WHERE tbl_name = 'recordings'"
            " AND type IN ('index', 'trigger') AND sql IS NOT NULL"
        ).fetchall()
        for kind, name, _ in made:
            connection.execute(f"DROP {kind} {name}")
        marks = ", ".join("?" * len(COLUMNS))
        connection.execute("BEGIN")
        connection.executemany(
            f"INSERT INTO recordings ({', '.join(COLUMNS)}) VALUES ({marks})",
            (tuple(map(_sqlite_value, row)) for row in rows(count)),
        )
        connection.execute("COMMIT")
        for _, _, sql in made:
            connection.execute(sql)
        connection.execute("INSERT INTO recordings_search(recordings_search) VALUES ('rebuild')")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()
        shutil.move(path, kept)


def _sqlite_value(value: object) -> object:
    # As SQLAlchemy writes them.
    return f"{value:%Y-%m-%d %H:%M:%S.%f}" if isinstance(value, datetime) else value


def _schema_name() -> str:
    versions = Path(__file__).parents[2] / "callytics/migrations/versions"
    return sorted(path.name for path in versions.glob("0*.py"))[-1][:4]


def postgresql_library(count: int, folder: Path, postgres: Postgres) -> dict[str, str]:
    """The environment of an installation in `folder` on a database that is filled now."""
    environment = fresh_environment(folder) | {"DATABASE_URL": postgres.new_database()}
    run_flask(environment, "db", "upgrade")
    Shelf.of(environment).add_person(ADMIN, "admin")
    with psycopg.connect(environment["DATABASE_URL"], autocommit=True) as connection:
        made = connection.execute(
            "SELECT indexname, indexdef FROM pg_indexes WHERE indexname LIKE 'recordings_by_%'"
        ).fetchall()
        for name, _ in made:
            connection.execute(f"DROP INDEX {name}")
        with connection.cursor() as cursor:
            into = f"COPY recordings ({', '.join(COLUMNS)}) FROM STDIN"
            with cursor.copy(into) as copy:
                for row in rows(count):
                    copy.write_row(row)
        connection.execute("SET maintenance_work_mem = '1GB'")
        for _, definition in made:
            connection.execute(definition)
        connection.execute("VACUUM ANALYZE recordings")
    return environment
