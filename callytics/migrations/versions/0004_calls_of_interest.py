"""calls in progress, and those with a problem, are found at once"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Go to this schema."""
    newest_first = [sa.literal_column("started_at DESC"), sa.literal_column("id DESC")]
    _index_some("calls_in_progress", "ended_at IS NULL", newest_first)
    _index_some("calls_with_problem", "problem <> ''", ["id"])


def downgrade() -> None:
    """Go back to the schema before."""
    op.drop_index("calls_with_problem", table_name="calls")
    op.drop_index("calls_in_progress", table_name="calls")


def _index_some(name: str, condition: str, columns: list[str | sa.ColumnElement]) -> None:
    where = sa.text(condition)
    op.create_index(name, "calls", columns, sqlite_where=where, postgresql_where=where)
