"""Views of the library that people gave a name, each their own. Needs an app context."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, delete, func, select

from callytics.database.engine import db, insert_missing, writing
from callytics.search.models import SavedSearch

LONGEST_NAME = 60
# A list longer than this is found no better than the recordings.
MOST = 50


class SavedSearchError(Exception):
    """A view that cannot be saved; the message says why."""


def saved_searches(user_id: int) -> Sequence[Row[Any]]:
    """Rows of id, name and query, by name."""
    columns = (SavedSearch.id, SavedSearch.name, SavedSearch.query)
    own = select(*columns).where(SavedSearch.user_id == user_id).order_by(SavedSearch.name)
    with db.engine.connect() as connection:
        return connection.execute(own).all()


def save_search(user_id: int, name: str, query: str) -> None:
    """Keep a view; one of the same name is replaced. Raises SavedSearchError."""
    if not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
        raise SavedSearchError(f"The name must have 1 to {LONGEST_NAME} characters.")
    own = SavedSearch.user_id == user_id
    with writing() as connection:
        connection.execute(delete(SavedSearch).where(own, SavedSearch.name == name))
        if (connection.scalar(select(func.count()).where(own)) or 0) >= MOST:
            raise SavedSearchError(f"{MOST} searches are saved already. Forget one first.")
        insert_missing(connection, SavedSearch, {"user_id": user_id, "name": name, "query": query})


def forget_search(user_id: int, search_id: int) -> None:
    """Remove one of this person's own; nothing happens where there is none."""
    own = (SavedSearch.user_id == user_id, SavedSearch.id == search_id)
    with writing() as connection:
        connection.execute(delete(SavedSearch).where(*own))
