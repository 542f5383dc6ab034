"""log of retention runs

A new table; existing installations begin with none, and the next run is compared with the newest
recording instead.
"""

import sqlalchemy as sa
from alembic import op

from callytics.migrations.columns import UtcDateTime

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    """Go to this schema."""
    row_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "retention_runs",
        sa.Column("id", row_id, nullable=False),
        sa.Column("at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("cutoff", UtcDateTime(timezone=True), nullable=True),
        sa.Column("expired", sa.Integer(), nullable=False),
        sa.Column("deleted", sa.Integer(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("confirmed_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )


def downgrade() -> None:
    """Go back to the schema before."""
    op.drop_table("retention_runs")
