"""Saved searches: queries of the library under a name, each person's own. Needs an app context."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import delete, func, select

from callytics.database.reading import reading
from callytics.database.transactions import insert_missing, writing
from callytics.search.models import SavedSearch

LONGEST_NAME = 60
# A longer list would itself have to be searched.
MOST = 50


class SavedSearchError(Exception):
    """A search that cannot be saved; the message says why."""


class SavedSearchRow(NamedTuple):
    """A saved search; `query` is the query string of its address."""

    id: int
    name: str
    query: str


def saved_searches(user_id: int) -> Sequence[SavedSearchRow]:
    """Return the searches of a person, sorted by name."""
    columns = (SavedSearch.id, SavedSearch.name, SavedSearch.query)
    own = select(*columns).where(SavedSearch.user_id == user_id).order_by(SavedSearch.name)
    with reading() as connection:
        return [SavedSearchRow(*row) for row in connection.execute(own)]


def save_search(user_id: int, name: str, query: str) -> None:
    """Save a search, in place of one of the same name. Raises SavedSearchError."""
    if not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
        raise SavedSearchError(f"The name must have 1 to {LONGEST_NAME} characters.")
    own = SavedSearch.user_id == user_id
    with writing() as connection:
        connection.execute(delete(SavedSearch).where(own, SavedSearch.name == name))
        if (connection.scalar(select(func.count()).where(own)) or 0) >= MOST:
            raise SavedSearchError(f"{MOST} searches are saved already. Forget one first.")
        insert_missing(connection, SavedSearch, {"user_id": user_id, "name": name, "query": query})


def forget_search(user_id: int, search_id: int) -> None:
    """Delete a search of this person; without one of this id, do nothing."""
    own = (SavedSearch.user_id == user_id, SavedSearch.id == search_id)
    with writing() as connection:
        connection.execute(delete(SavedSearch).where(*own))
