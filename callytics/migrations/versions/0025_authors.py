"""ids of authors beside their names, and ids of users that are never given twice

Entries of users who exist get their id, unless they are older than the account: these, and those
of users who were removed, are nobody's.
"""

import sqlalchemy as sa
from alembic import op

from callytics.migrations.columns import UtcDateTime

revision = "0025"
down_revision = "0024"

# Table, name and time of its author.
AUTHORED = (
    ("audit_entries", "username", "at"),
    ("changes", "username", "at"),
    ("notes", "username", "created_at"),
    ("tags", "username", "created_at"),
    ("flow_documents", "saved_by", "saved_at"),
)
# Tables whose rows go with their user: what replaces the table `users` must not delete them.
DEPENDENT = ("flow_drafts", "saved_searches")


def upgrade() -> None:
    """Go to this schema."""
    for table, name, at in AUTHORED:
        op.add_column(table, sa.Column("user_id", sa.Integer(), nullable=True))
        op.execute(
            f"UPDATE {table} SET user_id = (SELECT users.id FROM users"
            f" WHERE users.username = {table}.{name} AND users.created_at <= {table}.{at})"
            f" WHERE {name} IN (SELECT username FROM users)"
        )
    if op.get_bind().dialect.name == "sqlite":
        _replace_users(sqlite_autoincrement=True)


def downgrade() -> None:
    """Go back to the schema before."""
    if op.get_bind().dialect.name == "sqlite":
        _replace_users(sqlite_autoincrement=False)
    for table, _name, _at in reversed(AUTHORED):
        op.drop_column(table, "user_id")


def _replace_users(sqlite_autoincrement: bool) -> None:
    """Make the table anew, since SQLite cannot change how it gives ids."""
    for table in DEPENDENT:
        op.execute(f"CREATE TEMPORARY TABLE kept_{table} AS SELECT * FROM {table}")
    text = {"server_default": "", "nullable": False}
    op.create_table(
        "new_users",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("endpoint", sa.Text(), **text),
        sa.Column("session_key", sa.Text(), **text),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("username"),
        sqlite_autoincrement=sqlite_autoincrement,
    )
    columns = "id, username, password_hash, role, created_at, endpoint, session_key"
    op.execute(f"INSERT INTO new_users ({columns}) SELECT {columns} FROM users")
    op.drop_table("users")
    op.rename_table("new_users", "users")
    for table in DEPENDENT:
        op.execute(f"DELETE FROM {table}")
        op.execute(f"INSERT INTO {table} SELECT * FROM kept_{table}")
        op.execute(f"DROP TABLE kept_{table}")
