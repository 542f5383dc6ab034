"""Identity of the recordings folder: the id in its marker file is stored in the database.

A disk that is not mounted leaves an empty folder at the same path, and a wrong RECORDINGS_DIR leads
to another one. In either, every recording would look lost. Needs an app context.
"""

from sqlalchemy import Text, select
from sqlalchemy.orm import Mapped, mapped_column

from callytics.database.engine import Base
from callytics.database.reading import read_first
from callytics.database.transactions import insert_missing, upsert, writing
from callytics.storage.folder import Storage

# There is one row.
_ONLY = 1


class RecordingsFolder(Base):
    """The folder of this database's recordings."""

    __tablename__ = "recordings_folder"

    number: Mapped[int] = mapped_column(primary_key=True)
    folder_id: Mapped[str] = mapped_column(Text)


def load_identity(storage: Storage) -> None:
    """Tell `storage` the id that its folder must have, so that it refuses any other."""
    storage.expected_id = stored_id()


def stored_id() -> str | None:
    """Return the id of the folder of this database's recordings, None before it is known."""
    query = select(RecordingsFolder.folder_id).where(RecordingsFolder.number == _ONLY)
    row = read_first(query)
    return None if row is None else str(row.folder_id)


def store_id(folder_id: str, replace: bool) -> None:
    """Store the id; without `replace`, only if there is none."""
    values = {"number": _ONLY, "folder_id": folder_id}
    with writing() as connection:
        if replace:
            upsert(connection, RecordingsFolder, "number", values)
        else:
            insert_missing(connection, RecordingsFolder, values, "number")
