"""drafts and history of flows and settings, endpoints of people, pauses of recordings

New tables, and columns whose default is no value: it takes no time, whatever there is already.
"""

import sqlalchemy as sa
from alembic import op

from callytics.migrations.columns import UtcDateTime

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    """Go to this schema."""
    row_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "changes",
        sa.Column("id", row_id, nullable=False),
        sa.Column("at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("thing", sa.Text(), nullable=False),
        sa.Column("before", sa.Text(), nullable=False),
        sa.Column("after", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "flow_drafts",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("base_id", sa.Integer(), nullable=False),
        sa.Column("changed_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id"),
    )
    text = {"server_default": "", "nullable": False}
    op.add_column("flow_documents", sa.Column("said", sa.Text(), **text))
    op.add_column("users", sa.Column("endpoint", sa.Text(), **text))
    op.add_column("users", sa.Column("session_key", sa.Text(), **text))
    op.add_column("recordings", sa.Column("pauses", sa.JSON(), nullable=True))


def downgrade() -> None:
    """Go back to the schema before."""
    op.drop_column("recordings", "pauses")
    op.drop_column("users", "session_key")
    op.drop_column("users", "endpoint")
    op.drop_column("flow_documents", "said")
    op.drop_table("flow_drafts")
    op.drop_table("changes")
