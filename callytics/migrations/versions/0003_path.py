"""recordings by path, in the order in which the files are"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Go to this schema."""
    _collate("C")
    with op.batch_alter_table("recordings", schema=None) as batch_op:
        batch_op.create_index("recordings_by_path", ["path", "id"], unique=False)


def downgrade() -> None:
    """Go back to the schema before."""
    with op.batch_alter_table("recordings", schema=None) as batch_op:
        batch_op.drop_index("recordings_by_path")
    _collate("default")


def _collate(name: str) -> None:
    # SQLite orders by bytes unless it is told otherwise.
    if op.get_bind().dialect.name == "postgresql":
        op.alter_column("recordings", "path", type_=sa.Text(collation=name))
