"""places in time, and indexes for filters and search

With ten million recordings this takes about ten minutes and twice their room. It goes through
them in small steps, so that calls are recorded meanwhile; run again, it goes on.
"""

import sys
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

from callytics.places import PER_SECOND, place_of
from callytics.searching import searchable

revision = "0021"
down_revision = "0020"

# Ids that were counted one by one are below this: the place of the first minutes of 1970.
COUNTED_IDS = 1_000_000_000
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
    """CREATE VIRTUAL TABLE recordings_search USING fts5(search_text, content='recordings',
        content_rowid='id', tokenize='trigram case_sensitive 1', detail=none,
        columnsize=0)""",
    "INSERT INTO recordings_search(recordings_search) VALUES ('rebuild')",
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
        _give_places()
        _drop("recordings_by_time", "recordings_by_state", *INDEXES)
        for name, on in INDEXES.items():
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


def _give_places() -> None:
    """The oldest first, a few thousand in a transaction: nobody waits for long."""
    connection, seen = op.get_bind(), [0, 0]
    while rows := _next_rows(connection):
        moves = [_move(row, seen) for row in rows]
        connection.exec_driver_sql("BEGIN" if _is_postgresql() else "BEGIN IMMEDIATE")
        connection.execute(
            sa.text("UPDATE recordings SET id = :place, search_text = :text WHERE id = :old"),
            moves,
        )
        connection.exec_driver_sql("COMMIT")


def _next_rows(connection: sa.Connection) -> Sequence[Any]:
    columns = ", ".join(("id", "started_at", *NAMES))
    query = f"""SELECT {columns} FROM recordings WHERE id < {COUNTED_IDS}
                ORDER BY started_at, id LIMIT {STEP}"""
    from callytics.db import UtcDateTime

    return connection.execute(sa.text(query).columns(started_at=UtcDateTime)).all()


def _move(row: Any, seen: list[int]) -> dict[str, Any]:
    """What becomes of a row; `seen` is the last second's first place, and how many it holds."""
    first = place_of(row.started_at)
    if first > seen[0]:
        seen[:] = first, 0
    place = seen[0] + seen[1]
    seen[1] += 1
    if seen[1] == PER_SECOND:
        seen[:] = seen[0] + PER_SECOND, 0
    text = searchable({name: getattr(row, name) for name in NAMES})
    return {"old": row.id, "place": place, "text": text}


def _sqlite_search() -> None:
    for statement in SQLITE_SEARCH:
        op.get_bind().exec_driver_sql(statement)


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
    op.execute(
        "CREATE INDEX CONCURRENTLY recordings_by_search ON recordings "
        "USING gin (search_text gin_trgm_ops)"
    )
    op.execute("ANALYZE recordings")
