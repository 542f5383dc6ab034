"""Authors of changes and actions: a user, with the id of the account, or the program itself.

The id tells who it was, the name is shown: a later account of the same name is somebody else.
"""

from typing import NamedTuple, TypedDict


class Actor(NamedTuple):
    """A user: the name at the time, and the id of the account."""

    username: str
    user_id: int


# A plain text is the name of the program, of a part of it, or of who runs a command.
Author = Actor | str
# Names of parts of the program. No user can have one; see people/names.py.
CALLYTICS, RETENTION, RECONCILE = "callytics", "retention", "reconcile"
PROGRAM = frozenset((CALLYTICS, RETENTION, RECONCILE, "system", "worker", "scheduler"))


class AuthorColumns(TypedDict):
    """Columns of each table that says who did something."""

    username: str
    user_id: int | None


def author_columns(author: Author) -> AuthorColumns:
    """Return the name and the id of an author; the program has no id."""
    if isinstance(author, Actor):
        return {"username": author.username, "user_id": author.user_id}
    return {"username": author, "user_id": None}


def author_name(author: Author) -> str:
    """Return the name of an author."""
    return author_columns(author)["username"]
