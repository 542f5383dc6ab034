"""queues"""

import sqlalchemy as sa
from alembic import op

from callytics.migrations.columns import UtcDateTime

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Go to this schema."""
    op.add_column("calls", sa.Column("worker", sa.Text(), server_default="", nullable=False))
    op.create_table(
        "members",
        sa.Column("member", sa.Text(), nullable=False),
        sa.Column("call_uid", sa.Text(), nullable=True),
        sa.Column("worker", sa.Text(), nullable=False),
        sa.Column("last_ended_at", UtcDateTime(timezone=True), nullable=True),
        sa.Column("free_at", UtcDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("member"),
    )
    op.create_table(
        "pauses",
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("member", sa.Text(), nullable=False),
        sa.Column("since", UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("queue", "member"),
    )
    op.create_table(
        "waiting",
        sa.Column("call_uid", sa.Text(), nullable=False),
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("worker", sa.Text(), nullable=False),
        sa.Column("caller_number", sa.Text(), nullable=False),
        sa.Column("since", UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("call_uid"),
    )
    with op.batch_alter_table("waiting", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_waiting_queue"), ["queue"], unique=False)


def downgrade() -> None:
    """Go back to the schema before."""
    op.drop_column("calls", "worker")
    with op.batch_alter_table("waiting", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_waiting_queue"))

    op.drop_table("waiting")
    op.drop_table("pauses")
    op.drop_table("members")
