"""User accounts: passwords, roles, phones and sessions. Needs an app context."""

import secrets
from datetime import datetime
from typing import Protocol, cast

from sqlalchemy import Connection, delete, func, insert, select, update
from sqlalchemy.orm import InstrumentedAttribute

from callytics.audit.admin_changes import log_change
from callytics.audit.authors import Actor, Author
from callytics.clock import utc_now
from callytics.database.reading import AnyRow, reading
from callytics.database.transactions import lock_tables, writing
from callytics.people import passwords
from callytics.people.models import User
from callytics.people.names import UnusableNameError, account_name, check_new_name
from callytics.people.passwords import PasswordError
from callytics.telephony.dial_strings import is_destination

ROLES = ("admin", "reviewer")


class AccountRow(Protocol):
    """Row of an account, as a list shows it."""

    @property
    def id(self) -> int: ...

    @property
    def username(self) -> str: ...

    @property
    def role(self) -> str: ...

    @property
    def endpoint(self) -> str: ...

    @property
    def created_at(self) -> datetime: ...


class UserRow(AccountRow, Protocol):
    """Row of a user, without the password hash."""

    @property
    def session_key(self) -> str: ...


class UserError(Exception):
    """Invalid change of a user account; the message says what to do."""


def add_user(
    username: str, role: str, password: str, *, changed_by: Author, endpoint: str = ""
) -> None:
    """Add a user with a hashed password. Raises UserError and changes nothing."""
    values = {"username": _new_name(username), "role": _role(role)}
    values |= {"endpoint": check_endpoint(endpoint), "session_key": _new_key()}
    values |= {"password_hash": _hashed(password, username)}
    with writing() as connection:
        lock_tables(connection, User)
        if _spellings(connection, username):
            raise UserError(f"name: {username} exists already; choose another")
        connection.execute(insert(User).values(**values, created_at=utc_now()))
        log_change(connection, changed_by, f"person {username}", "", f"added as {role}")


def change_role(user_id: int, role: str, changed_by: Author) -> None:
    """Change the role of a user. Raises UserError, also for the last administrator."""
    role = _role(role)
    with writing() as connection:
        lock_tables(connection, User)
        person = _find(connection, user_id)
        if role != "admin":
            _keep_an_administrator(connection, person)
        _change(connection, person, changed_by, "role", person.role, role, role=role)


def change_endpoint(user_id: int, endpoint: str, changed_by: Author) -> None:
    """Set the dial string of a user's own phone; empty for none. Raises UserError."""
    endpoint = check_endpoint(endpoint)
    with writing() as connection:
        lock_tables(connection, User)
        person = _find(connection, user_id)
        before, after = person.endpoint or "none", endpoint or "none"
        _change(connection, person, changed_by, "phone", before, after, endpoint=endpoint)


def change_password(user_id: int, password: str, changed_by: Author) -> str:
    """Set a new password, which ends all sessions; return the session key of new sessions.

    Raises UserError.
    """
    with reading() as connection:
        username = _find(connection, user_id).username
    kept = {"password_hash": _hashed(password, username), "session_key": _new_key()}
    with writing() as connection:
        person = _find(connection, user_id)
        _change(connection, person, changed_by, "password", "", "a new one", **kept)
    return kept["session_key"]


def end_sessions(user_id: int, changed_by: Author | None = None) -> None:
    """End all sessions of a user; logged as a change if `changed_by` is given.

    Raises UserError.
    """
    with writing() as connection:
        key = {"session_key": _new_key()}
        if changed_by is None:
            connection.execute(update(User).where(User.id == user_id).values(**key))
        else:
            person = _find(connection, user_id)
            _change(connection, person, changed_by, "sessions", "", "ended", **key)


def remove_user(user_id: int, changed_by: Author) -> None:
    """Remove a user; their notes and tags stay. Raises UserError."""
    with writing() as connection:
        lock_tables(connection, User)
        person = _find(connection, user_id)
        if isinstance(changed_by, Actor) and changed_by.user_id == user_id:
            raise UserError("You cannot remove yourself; another administrator can.")
        _keep_an_administrator(connection, person)
        connection.execute(delete(User).where(User.id == user_id))
        log_change(connection, changed_by, f"person {person.username}", person.role, "removed")


def check_endpoint(endpoint: str) -> str:
    """Return a dial string without surrounding spaces; empty for no phone. Raises UserError."""
    endpoint = endpoint.strip()
    if endpoint and not is_destination(endpoint):
        raise UserError("phone: must be a dial string such as PJSIP/alice, or empty")
    return endpoint


def all_users() -> list[AccountRow]:
    """Return rows of id, username, role, endpoint and created_at, sorted by name."""
    columns = (User.id, User.username, User.role, User.endpoint, User.created_at)
    with reading() as connection:
        rows = connection.execute(select(*columns).order_by(User.username)).all()
    return cast(list[AccountRow], rows)


def user_by_id(user_id: int) -> UserRow | None:
    """Return the row of a user without the password hash, or None."""
    with reading() as connection:
        return _row(connection, user_id)


def user_named(username: str) -> UserRow:
    """Return the row of a user without the password hash. Raises UserError."""
    wanted = select(*_COLUMNS).where(User.username == username)
    with reading() as connection:
        row = connection.execute(wanted).first()
    if row is None:
        raise UserError(f"name: there is no {username}; see `flask users list`")
    return cast(UserRow, row)


def sign_in(username: str, password: str) -> UserRow | None:
    """Return the row of the user with this name, in any spelling, and password, or None."""
    with reading() as connection:
        row = _named(connection, username, User.password_hash)
    right = passwords.is_right(row.password_hash if row else None, password)
    return cast(UserRow, row) if right else None


def user_spelled(username: str) -> UserRow | None:
    """Return the row of the user that this spelling of a name signs in, or None."""
    with reading() as connection:
        return cast(UserRow | None, _named(connection, username))


_COLUMNS = (User.id, User.username, User.role, User.endpoint, User.session_key, User.created_at)


def _row(connection: Connection, user_id: int) -> UserRow | None:
    found = connection.execute(select(*_COLUMNS).where(User.id == user_id)).first()
    return cast(UserRow | None, found)


def _named(
    connection: Connection, username: str, *more: InstrumentedAttribute[str]
) -> AnyRow | None:
    """Return the row of the user that a spelling of a name means, or None."""
    ids = _spellings(connection, username)
    # Names of older versions may differ in case alone: of these, the exact spelling is meant.
    user_id = ids.get(username, next(iter(ids.values()), None) if len(ids) == 1 else None)
    return connection.execute(select(*_COLUMNS, *more).where(User.id == user_id)).first()


def _spellings(connection: Connection, username: str) -> dict[str, int]:
    """Return name and id of each user whose name differs in its spelling at most."""
    # Compared here: the lower case of a database depends on its locale.
    name, rows = account_name(username), connection.execute(select(User.username, User.id))
    return {known: user_id for known, user_id in rows if known.lower() == name}


def _find(connection: Connection, user_id: int) -> UserRow:
    person = _row(connection, user_id)
    if person is None:
        raise UserError("This person was removed meanwhile.")
    return person


def _change(
    connection: Connection,
    person: UserRow,
    changed_by: Author,
    what: str,
    before: str,
    after: str,
    **values: str,
) -> None:
    if before != after:
        connection.execute(update(User).where(User.id == person.id).values(**values))
        log_change(connection, changed_by, f"person {person.username} {what}", before, after)


def _keep_an_administrator(connection: Connection, person: UserRow) -> None:
    others = select(func.count()).where(User.role == "admin", User.id != person.id)
    if person.role == "admin" and not connection.scalar(others):
        raise UserError(
            f"{person.username} is the last administrator; make somebody else one first."
        )


def _role(role: str) -> str:
    if role not in ROLES:
        raise UserError(f"role: must be one of {', '.join(ROLES)}")
    return role


def _new_name(username: str) -> str:
    try:
        return check_new_name(username)
    except UnusableNameError as error:
        raise UserError(f"name: {error}") from error


def _hashed(password: str, username: str) -> str:
    try:
        passwords.check_new_password(password, username)
    except PasswordError as error:
        raise UserError(f"password: {error}") from error
    return passwords.hash_password(password)


def _new_key() -> str:
    return secrets.token_urlsafe(16)
