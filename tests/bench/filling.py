"""Libraries with as many recordings as are asked for, filled fast and kept for the next run."""

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import psycopg
from sqlalchemy import delete

from callytics import close_app
from callytics.audit import access_log
from callytics.audit.models import AuditEntry
from callytics.database.transactions import writing
from callytics.recordings.models import Recording
from callytics.recordings.sort_key import first_id_of_second
from tests.bench import rows as made
from tests.bench.rows import COLUMNS, NEWEST, rows
from tests.support.postgres import Postgres
from tests.support.processes import fresh_environment, run_flask
from tests.support.shelf import PASSWORD, Shelf

ADMIN = "ada"
# What a measurement adds begins here, after all that is filled in, and is removed after it.
ADDED_FROM = NEWEST + timedelta(days=30)
FILLED = ("recordings", "recordings_search", "calls")
# A call for each recording; one in a hundred was to be recorded, and was not.
CALLS = """
    INSERT INTO calls (uid, direction, caller_number, caller_name, dialed_number, callee, flow,
        path, disposition, started_at, answered_at, ended_at, asterisk, problem)
    SELECT call_uid, direction, caller_number, caller_name, dialed_number, callee, flow, '[]',
        CASE WHEN kind = 'voicemail' THEN 'no_answer' ELSE 'answered' END, started_at, started_at,
        ended_at, '', CASE WHEN state = 'failed' THEN 'nothing was recorded' ELSE '' END
    FROM recordings ORDER BY id
"""


def cache() -> Path:
    """Return the folder of the filled databases."""
    for folder in (Path("/var/cache/callytics/bench"), Path(tempfile.gettempdir()) / "callytics"):
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(folder, os.W_OK):
            return folder
    raise SystemExit("there is no folder to keep the filled databases in")


def sqlite_library(count: int, folder: Path) -> dict[str, str]:
    """The environment of an installation in `folder` on the filled database."""
    environment = fresh_environment(folder)
    path = _sqlite_path(environment)
    run_flask(environment, "db", "upgrade")
    kept = cache() / f"library-{_name(_sqlite_schema(path))}-{count}.db"
    if not kept.exists():
        for other in kept.parent.glob(f"library-*-{count}.db*"):
            other.unlink()
        _fill_sqlite(count, kept)
    for empty in folder.glob(f"{path.name}*"):
        empty.unlink()
    # What is added by a run is removed again, so there is no need for a second copy.
    path.symlink_to(kept)
    run_flask(environment, "db", "upgrade")
    return environment


def _add_admin(environment: dict[str, str]) -> None:
    # By a process of its own: one that stays connected would keep PostgreSQL from renaming.
    command = ("users", "add", ADMIN, "--role", "admin", "--password-stdin")
    run_flask(environment, *command, text=PASSWORD)


def _sqlite_path(environment: dict[str, str]) -> Path:
    return Path(environment["DATABASE_URL"].removeprefix("sqlite:///"))


def _name(schema: list[str]) -> str:
    """Another one whenever the tables that are filled or what they are filled with change."""
    said = "\n".join((*sorted(schema), Path(made.__file__).read_text(), CALLS))
    return sha256(said.encode()).hexdigest()[:12]


def _sqlite_schema(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        marks = ", ".join("?" * len(FILLED))
        query = f"SELECT sql FROM sqlite_master WHERE sql <> '' AND tbl_name IN ({marks})"
        return [sql for (sql,) in connection.execute(query, FILLED)]


def _fill_sqlite(count: int, kept: Path) -> None:
    with tempfile.TemporaryDirectory(dir=kept.parent) as folder:
        environment = fresh_environment(Path(folder))
        run_flask(environment, "db", "upgrade")
        _add_admin(environment)
        path = _sqlite_path(environment)
        connection = sqlite3.connect(path, isolation_level=None)
        connection.executescript(
            "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -400000"
        )
        indexes = connection.execute(
            "SELECT type, name, sql FROM sqlite_master WHERE tbl_name IN ('recordings', 'calls')"
            " AND type IN ('index', 'trigger') AND sql <> ''"
        ).fetchall()
        for kind, name, _ in indexes:
            connection.execute(f"DROP {kind} {name}")
        marks = ", ".join("?" * len(COLUMNS))
        connection.execute("BEGIN")
        connection.executemany(
            f"INSERT INTO recordings ({', '.join(COLUMNS)}) VALUES ({marks})", _for_sqlite(count)
        )
        connection.execute(CALLS)
        connection.execute("COMMIT")
        for _, _, sql in indexes:
            connection.execute(sql)
        connection.execute("INSERT INTO recordings_search(recordings_search) VALUES ('rebuild')")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.close()
        shutil.move(path, kept)


def _for_sqlite(count: int) -> Iterator[tuple]:
    began = COLUMNS.index("started_at")
    for row in rows(count):
        # As SQLAlchemy writes them.
        times = (at.isoformat(" ", "microseconds")[:26] for at in row[began : began + 2])
        yield (*row[:began], *times, *row[began + 2 :])


@contextmanager
def tidied(shelf: Shelf) -> Iterator[None]:
    """A library that is afterwards as it was filled, and before, where a run was broken off."""
    _tidy(shelf)
    try:
        yield
    finally:
        _tidy(shelf)
        close_app(shelf.app)


def _tidy(shelf: Shelf) -> None:
    with shelf.app.app_context(), writing() as connection:
        connection.execute(delete(Recording).where(Recording.id >= first_id_of_second(ADDED_FROM)))
        connection.execute(delete(AuditEntry))


def somebody_writes(shelf: Shelf) -> None:
    """So that no answer and nothing that was found before is given again."""
    with shelf.app.app_context():
        access_log.log_access(ADMIN, "measure", "")


@contextmanager
def kept_postgres() -> Iterator[Postgres]:
    """The cluster whose databases are kept. As safe as Debian's own, so as slow to write."""
    with Postgres(cache() / "postgresql", "") as postgres:
        yield postgres


def postgresql_library(count: int, folder: Path, postgres: Postgres) -> dict[str, str]:
    """The environment of an installation in `folder` on a filled database of `postgres`."""
    environment = fresh_environment(folder) | {"DATABASE_URL": postgres.fresh_database("empty")}
    run_flask(environment, "db", "upgrade")
    name = f"library_{_name(_postgresql_schema(environment['DATABASE_URL']))}_{count}"
    with psycopg.connect(postgres.url(), autocommit=True) as connection:
        query = "SELECT datname FROM pg_database WHERE datname LIKE %s"
        there = [n for (n,) in connection.execute(query, (f"library\\_%\\_{count}",))]
        if name not in there:
            for other in there:
                connection.execute(f"DROP DATABASE {other}")
            _fill_postgresql(count, environment)
            connection.execute(f"ALTER DATABASE empty RENAME TO {name}")
    environment["DATABASE_URL"] = postgres.url(name)
    run_flask(environment, "db", "upgrade")
    return environment


def _postgresql_schema(url: str) -> list[str]:
    with psycopg.connect(url) as connection:
        columns = connection.execute(
            "SELECT concat_ws(' ', table_name, column_name, data_type, collation_name)"
            " FROM information_schema.columns WHERE table_name = ANY(%s)",
            (list(FILLED),),
        ).fetchall()
        indexes = connection.execute(
            "SELECT indexdef FROM pg_indexes WHERE tablename = ANY(%s)", (list(FILLED),)
        ).fetchall()
    return [said for (said,) in columns + indexes]


def _fill_postgresql(count: int, environment: dict[str, str]) -> None:
    _add_admin(environment)
    with psycopg.connect(environment["DATABASE_URL"], autocommit=True) as connection:
        connection.execute("SET maintenance_work_mem = '1GB'")
        connection.execute("SET synchronous_commit = off")
        indexes = connection.execute(
            "SELECT indexname, indexdef FROM pg_indexes"
            " WHERE tablename IN ('recordings', 'calls') AND indexname NOT LIKE '%key'"
        ).fetchall()
        for name, _ in indexes:
            connection.execute(f"DROP INDEX {name}")
        into = f"COPY recordings ({', '.join(COLUMNS)}) FROM STDIN"
        with connection.cursor() as cursor, cursor.copy(into) as copy:
            for row in rows(count):
                copy.write_row(row)
        connection.execute(CALLS)
        for _, definition in indexes:
            connection.execute(definition)
        connection.execute("VACUUM ANALYZE")
