"""notes and tags"""

import sqlalchemy as sa
from alembic import op

from callytics.migrations.columns import UtcDateTime

revision = "0020"
down_revision = "0004"


def upgrade() -> None:
    """Go to this schema. The tables are new, so it takes no time and locks nothing."""
    row_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "notes",
        sa.Column("id", row_id, nullable=False),
        sa.Column("recording_uid", sa.Text(), nullable=False),
        sa.Column("at_ms", sa.Integer(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_notes_recording_uid", "notes", ["recording_uid"])
    op.create_table(
        "tags",
        sa.Column("id", row_id, nullable=False),
        sa.Column("recording_uid", sa.Text(), nullable=False),
        sa.Column("tag", sa.Text(), nullable=False),
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("recording_uid", "tag", name="tag_once"),
    )
    op.create_index("tags_by_tag", "tags", ["tag", "recording_uid"])


def downgrade() -> None:
    """Go back to the schema before."""
    op.drop_table("tags")
    op.drop_table("notes")
