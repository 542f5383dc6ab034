"""SQL dialects: the parts of a search that SQLite and PostgreSQL write differently.

In all search SQL, table `r` is recordings.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from callytics.search.statements import Value


@dataclass(frozen=True)
class Dialect:
    """Search SQL of one database."""

    # Condition: the text of a recording contains the needle.
    contains: str
    # Aggregate of the column `o.tag`.
    tag_list: str
    # Join of two tables in the order in which they are to be read.
    ordered_join: str
    # FROM clause of the ids in the parameter `ids`.
    ids_source: str
    # Index-only entries cost this many times what they cost on SQLite.
    entry_cost: int
    # True if FROM can name an index; PostgreSQL is led by subqueries that its planner leaves alone.
    names_index: bool

    def indexed(self, index: str) -> str:
        """Return the FROM clause of recordings that are read by an index.

        SQLite's own choice ignores how frequent a value is: it would sort a whole index.
        """
        return f"recordings r INDEXED BY {index}" if self.names_index else "recordings r"

    def ids_value(self, ids: Sequence[int]) -> Value:
        """Return the value of the parameter `ids`."""
        return json.dumps(ids) if self.names_index else list(ids)


SQLITE = Dialect(
    contains="instr(r.search_text, :needle) > 0",
    tag_list="group_concat(o.tag, ',')",
    ordered_join="CROSS JOIN",
    ids_source="json_each(:ids) f CROSS JOIN recordings r ON r.id = f.value",
    entry_cost=1,
    names_index=True,
)
POSTGRESQL = Dialect(
    contains="strpos(r.search_text, :needle) > 0",
    tag_list="string_agg(o.tag, ',')",
    ordered_join="JOIN",
    ids_source="unnest(CAST(:ids AS bigint[])) AS r(id)",
    # It checks of each entry that the row is still visible.
    entry_cost=2,
    names_index=False,
)


def dialect_of(connection: Connection) -> Dialect:
    """Return the dialect of a connection."""
    return SQLITE if connection.dialect.name == "sqlite" else POSTGRESQL
