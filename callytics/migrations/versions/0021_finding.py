"""places in time, and indexes for filters and search

With ten million recordings this takes about ten minutes and twice their room. It goes through
them in small steps, so that calls are recorded meanwhile; run again, it goes on.
"""

import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

from callytics.migrations.columns import UtcDateTime
from callytics.migrations.search_text_0021 import searchable

revision = "0021"
down_revision = "0020"

# Ids that were counted one by one are below this: the place of the first minutes of 1970.
COUNTED_IDS = 1_000_000_000
# Ids for the recordings of one second.
PER_SECOND = 10_000
LAST_SECOND = datetime(9999, 12, 31, tzinfo=UTC).timestamp()
STEP = 5000
NAMES = ("caller_number", "caller_name", "dialed_number", "callee")
INDEXES = {
    "recordings_by_sort": "state, kind, direction, id",
    "recordings_by_flow": "flow, id",
    "recordings_by_callee": "callee, id",
    "recordings_by_duration": "duration_ms, id",
}
# An index over the text in recordings, which must be told of every change there.
SQLITE_SEARCH = (
    "CREATE VIRTUAL TABLE recordings_search USING fts5(search_text, content='recordings',\n"
    "        content_rowid='id', tokenize='trigram case_sensitive 1', detail=none,\n"
    "        columnsize=0)"
)
SQLITE_TRIGGERS = (
    """CREATE TRIGGER recordings_search_added AFTER INSERT ON recordings BEGIN
        INSERT INTO recordings_search(rowid, search_text) VALUES (new.id, new.search_text);
    END""",
    """CREATE TRIGGER recordings_search_removed AFTER DELETE ON recordings BEGIN
        INSERT INTO recordings_search(recordings_search, rowid, search_text)
            VALUES ('delete', old.id, old.search_text);
    END""",
    """CREATE TRIGGER recordings_search_changed AFTER UPDATE OF id, search_text ON recordings
    WHEN old.search_text IS NOT new.search_text OR old.id IS NOT new.id BEGIN
        INSERT INTO recordings_search(recordings_search, rowid, search_text)
            VALUES ('delete', old.id, old.search_text);
        INSERT INTO recordings_search(rowid, search_text) VALUES (new.id, new.search_text);
    END""",
)
# While it is being filled, from the oldest on: only those that are in it must be told of.
FILLED = "(SELECT upto FROM recordings_search_filled)"
SQLITE_WHILE_FILLING = (
    f"""CREATE TRIGGER recordings_search_filling_added AFTER INSERT ON recordings
    WHEN new.id <= {FILLED} BEGIN
        INSERT INTO recordings_search(rowid, search_text) VALUES (new.id, new.search_text);
    END""",
    f"""CREATE TRIGGER recordings_search_filling_removed AFTER DELETE ON recordings
    WHEN old.id <= {FILLED} BEGIN
        INSERT INTO recordings_search(recordings_search, rowid, search_text)
            VALUES ('delete', old.id, old.search_text);
    END""",
    f"""CREATE TRIGGER recordings_search_filling_changed AFTER UPDATE OF search_text ON recordings
    WHEN old.id <= {FILLED} AND old.search_text IS NOT new.search_text BEGIN
        INSERT INTO recordings_search(recordings_search, rowid, search_text)
            VALUES ('delete', old.id, old.search_text);
        INSERT INTO recordings_search(rowid, search_text) VALUES (new.id, new.search_text);
    END""",
)
# Below so many it is over before anybody has read what is said. How many a second, at a guess.
MANY, A_SECOND = 20_000, 15_000
SAY_SECONDS = 5
NO_TRIGRAMS = (
    "PostgreSQL's extension pg_trgm cannot be made by this user, so a search for a rare name "
    "looks through the newest recordings only. Let a superuser run, in this database: "
    "CREATE EXTENSION pg_trgm; CREATE INDEX CONCURRENTLY recordings_by_search ON recordings "
    "USING gin (search_text gin_trgm_ops);"
)


def upgrade() -> None:
    """Go to this schema."""
    columns = {c["name"] for c in sa.inspect(op.get_bind()).get_columns("recordings")}
    if "search_text" not in columns:
        text = sa.Column("search_text", sa.Text(), server_default="", nullable=False)
        op.add_column("recordings", text)
    with op.get_context().autocommit_block():
        _announce()
        _give_places()
        _drop("recordings_by_time", "recordings_by_state", *INDEXES)
        for name, on in INDEXES.items():
            _say(f"making the index {name}")
            op.execute(f"CREATE INDEX {_concurrently()} {name} ON recordings ({on})")
        _postgresql_search() if _is_postgresql() else _sqlite_search()
    op.create_table(
        "saved_searches",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("user_id", "name"),
    )


def downgrade() -> None:
    """Go back to the schema before; ids stay places, which older versions read as well."""
    op.drop_table("saved_searches")
    if _is_postgresql():
        op.execute("DROP INDEX IF EXISTS recordings_by_search")
        op.execute("DROP STATISTICS IF EXISTS recordings_sorts")
    else:
        for trigger in ("added", "removed", "changed"):
            op.execute(f"DROP TRIGGER recordings_search_{trigger}")
        op.execute("DROP TABLE recordings_search")
    for name in INDEXES:
        op.execute(f"DROP INDEX {name}")
    op.drop_column("recordings", "search_text")
    op.execute("CREATE INDEX recordings_by_time ON recordings (started_at DESC, id DESC)")
    op.execute("CREATE INDEX recordings_by_state ON recordings (state, started_at DESC, id DESC)")


def _is_postgresql() -> bool:
    return op.get_bind().dialect.name == "postgresql"


def _concurrently() -> str:
    return "CONCURRENTLY" if _is_postgresql() else ""


def _drop(*indexes: str) -> None:
    # Also those of a run that was broken off, which PostgreSQL leaves behind unusable.
    for name in indexes:
        op.execute(f"DROP INDEX {_concurrently()} IF EXISTS {name}")


def _number(condition: str = "true") -> int:
    return int(op.get_bind().scalar(sa.text(f"SELECT count(*) FROM recordings WHERE {condition}")))


def _announce() -> None:
    """Say how long all steps will take, before the first."""
    number = _number()
    if number < MANY:
        return
    minutes = 1 + number // A_SECOND // 60
    locks = "" if _is_postgresql() else " While an index is made, SQLite lets others only read."
    said = f"{number:,} recordings get a place in time and are made findable: about {minutes} min."
    _say(f"{said} Calls are recorded meanwhile; broken off and run again, it goes on.{locks}")


def _say(text: str) -> None:
    if _number(f"id IN (SELECT id FROM recordings LIMIT {MANY})") >= MANY:
        print(text, file=sys.stderr, flush=True)


class _Progress:
    """Says now and then how far it is and how long it will still take."""

    def __init__(self, what: str, whole: int) -> None:
        self._what, self._whole, self._done = what, whole, 0
        self._began = self._said = time.monotonic()

    def add(self, number: int) -> None:
        """So many more are done."""
        self._done += number
        now = time.monotonic()
        if self._whole < MANY or now - self._said < SAY_SECONDS:
            return
        self._said = now
        left = (now - self._began) / self._done * max(0, self._whole - self._done)
        text = f"{self._what}: {self._done:,} of {self._whole:,}"
        print(f"{text}, {left:.0f} s to go", file=sys.stderr, flush=True)

    def end(self) -> None:
        """Say how long it took."""
        if self._whole >= MANY:
            took = time.monotonic() - self._began
            print(f"{self._what}: all in {took:.0f} s", file=sys.stderr, flush=True)


def _give_places() -> None:
    """The oldest first, a few thousand in a transaction: nobody waits for long."""
    connection, seen = op.get_bind(), [0, 0]
    progress = _Progress("places in time", _number(f"id < {COUNTED_IDS}"))
    while rows := _next_rows(connection):
        moves = [_move(row, seen) for row in rows]
        connection.exec_driver_sql("BEGIN" if _is_postgresql() else "BEGIN IMMEDIATE")
        connection.execute(
            sa.text("UPDATE recordings SET id = :place, search_text = :text WHERE id = :old"),
            moves,
        )
        connection.exec_driver_sql("COMMIT")
        progress.add(len(rows))
    progress.end()


def _next_rows(connection: sa.Connection) -> Sequence[Any]:
    columns = ", ".join(("id", "started_at", *NAMES))
    query = f"""SELECT {columns} FROM recordings WHERE id < {COUNTED_IDS}
                ORDER BY started_at, id LIMIT {STEP}"""
    return connection.execute(sa.text(query).columns(started_at=UtcDateTime)).all()


def _first_id_of_second(at: datetime) -> int:
    return int(min(max(at.timestamp(), 0), LAST_SECOND)) * PER_SECOND


def _move(row: Any, seen: list[int]) -> dict[str, Any]:
    """Return the new id and the search text of a row.

    `seen` holds the first id of the last second, and its count of rows.
    """
    first = _first_id_of_second(row.started_at)
    if first > seen[0]:
        seen[:] = first, 0
    place = seen[0] + seen[1]
    seen[1] += 1
    if seen[1] == PER_SECOND:
        seen[:] = seen[0] + PER_SECOND, 0
    text = searchable({name: getattr(row, name) for name in NAMES})
    return {"old": row.id, "place": place, "text": text}


def _sqlite_search() -> None:
    """Filled in small steps too, beside those who write; a step of all would lock them out."""
    run = op.get_bind().exec_driver_sql
    _forget_sqlite_search()
    run("BEGIN IMMEDIATE")
    run(SQLITE_SEARCH)
    run("CREATE TABLE recordings_search_filled (upto INTEGER NOT NULL)")
    run("INSERT INTO recordings_search_filled VALUES (-1)")
    for trigger in SQLITE_WHILE_FILLING:
        run(trigger)
    run("COMMIT")
    progress, upto = _Progress("search index", _number()), -1
    while upto is not None:
        run("BEGIN IMMEDIATE")
        upto = _fill_sqlite_search(upto, progress)
        run("COMMIT")
    progress.end()


def _fill_sqlite_search(upto: int, progress: _Progress) -> int | None:
    """One step; at the end of all, what is to be told of from now on is every change."""
    run = op.get_bind().exec_driver_sql
    some = f"SELECT id FROM recordings WHERE id > {upto} ORDER BY id LIMIT {STEP}"
    last = run(f"SELECT max(id) FROM ({some})").scalar()
    if last is None:
        for trigger in ("added", "removed", "changed"):
            run(f"DROP TRIGGER recordings_search_filling_{trigger}")
        run("DROP TABLE recordings_search_filled")
        for trigger in SQLITE_TRIGGERS:
            run(trigger)
        return None
    put = run(
        "INSERT INTO recordings_search(rowid, search_text) "
        f"SELECT id, search_text FROM recordings WHERE id > {upto} AND id <= {last}"
    )
    run(f"UPDATE recordings_search_filled SET upto = {last}")
    progress.add(put.rowcount)
    return int(last)


def _forget_sqlite_search() -> None:
    """Drop the tables that an interrupted run has left."""
    for trigger in ("filling_added", "filling_removed", "filling_changed"):
        op.execute(f"DROP TRIGGER IF EXISTS recordings_search_{trigger}")
    op.execute("DROP TABLE IF EXISTS recordings_search_filled")
    op.execute("DROP TABLE IF EXISTS recordings_search")


def _postgresql_search() -> None:
    """Without this extension only the newest recordings are searched; nothing else is lost."""
    # What the planner would otherwise think independent: no outbound call is from a queue.
    op.execute(
        "CREATE STATISTICS IF NOT EXISTS recordings_sorts (mcv) "
        "ON state, kind, direction FROM recordings"
    )
    try:
        op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    except sa.exc.DBAPIError:
        print(NO_TRIGRAMS, file=sys.stderr)
        return
    _drop("recordings_by_search")
    _say("making the index recordings_by_search, the longest of them")
    op.execute(
        "CREATE INDEX CONCURRENTLY recordings_by_search ON recordings "
        "USING gin (search_text gin_trgm_ops)"
    )
    op.execute("ANALYZE recordings")
