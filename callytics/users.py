"""People who may sign in, and how their passwords are kept."""

import re
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError
from werkzeug.security import check_password_hash, generate_password_hash

from callytics.db import db, writing
from callytics.facts import utc_now
from callytics.models import User

ROLES = ("admin", "reviewer")
PASSWORD_MIN = 8


class UserError(Exception):
    """A person who cannot be added; the message says what to do."""


def add_user(username: str, role: str, password: str) -> None:
    """Keep a person with a hashed password. Raises UserError and changes nothing."""
    if not re.fullmatch(r"[A-Za-z0-9._@-]{1,64}", username):
        raise UserError("name: must be 1 to 64 letters, digits, '.', '_', '@' and '-'")
    if role not in ROLES:
        raise UserError(f"role: must be one of {', '.join(ROLES)}")
    if len(password) < PASSWORD_MIN:
        raise UserError(f"password: must have at least {PASSWORD_MIN} characters")
    values = {"username": username, "role": role, "created_at": utc_now()}
    try:
        with writing() as connection:
            kept = generate_password_hash(password)
            connection.execute(insert(User).values(**values, password_hash=kept))
    except IntegrityError as error:
        raise UserError(f"name: {username} exists already; choose another") from error


def all_users() -> list[Any]:
    """Rows of id, username, role and created_at, by name."""
    columns = (User.id, User.username, User.role, User.created_at)
    with db.engine.connect() as connection:
        return list(connection.execute(select(*columns).order_by(User.username)))


def user_by_id(user_id: int) -> Any | None:
    """The row of id, username, role, or None."""
    wanted = select(User.id, User.username, User.role).where(User.id == user_id)
    with db.engine.connect() as connection:
        return connection.execute(wanted).first()


# Checked when a name is unknown, so that its answer takes as long as a wrong password's.
_NOBODY = generate_password_hash("nobody has this password")


def sign_in(username: str, password: str) -> Any | None:
    """The row of the person whose name and password these are, or None."""
    wanted = select(User).where(User.username == username)
    with db.engine.connect() as connection:
        row = connection.execute(wanted).first()
    right = check_password_hash(row.password_hash if row else _NOBODY, password)
    return row if row and right else None
