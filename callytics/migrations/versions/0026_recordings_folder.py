"""identity of the recordings folder

A new table without a row: the worker marks the folder of an existing installation at its next start
if recordings of both ends of the library are in it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    """Go to this schema."""
    op.create_table(
        "recordings_folder",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("folder_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )


def downgrade() -> None:
    """Go back to the schema before."""
    op.drop_table("recordings_folder")
