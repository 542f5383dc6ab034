"""PBXs: calls, recordings, queue members and waiting callers belong to one, which is leased

New columns whose default is the same for each row: it takes no time, whatever there is already.
Only recordings in progress, which are few, get the PBX of their call.
"""

import sqlalchemy as sa
from alembic import op

from callytics.migrations.columns import UtcDateTime

revision = "0024"
down_revision = "0023"

OWNED = ("calls", "members", "waiting")
OF_OPEN_RECORDINGS = """
    UPDATE recordings
    SET pbx = coalesce((SELECT calls.pbx FROM calls WHERE calls.uid = recordings.call_uid), '')
    WHERE state IN ('requested', 'recording')
"""
TEXTS = ("holder", "host", "lock", "asterisk", "application")


def upgrade() -> None:
    """Go to this schema."""
    text = {"server_default": "", "nullable": False}
    for table in OWNED:
        op.execute(f"ALTER TABLE {table} RENAME COLUMN worker TO pbx")
    op.rename_table("workers", "pbxs")
    for name in TEXTS:
        op.add_column("pbxs", sa.Column(name, sa.Text(), **text))
    op.add_column("pbxs", sa.Column("process", sa.Integer(), nullable=True))
    for name in ("lease_until", "given_up_at"):
        op.add_column("pbxs", sa.Column(name, UtcDateTime(timezone=True), nullable=True))
    op.add_column("recordings", sa.Column("pbx", sa.Text(), **text))
    op.execute(OF_OPEN_RECORDINGS)
    ringing = sa.Column("ringing", sa.Boolean(), server_default=sa.false(), nullable=False)
    op.add_column("waiting", ringing)


def downgrade() -> None:
    """Go back to the schema before."""
    op.drop_column("waiting", "ringing")
    op.drop_column("recordings", "pbx")
    for name in ("given_up_at", "lease_until", "process", *reversed(TEXTS)):
        op.drop_column("pbxs", name)
    op.rename_table("pbxs", "workers")
    for table in OWNED:
        op.execute(f"ALTER TABLE {table} RENAME COLUMN pbx TO worker")
