"""Inventory: a merge of the rows and the files of all recordings, with flat memory.

The folder is walked once and the rows are read once, both in the order of their paths, so that
neither has to be kept in memory to be compared with the other.
"""

import heapq
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from itertools import groupby
from typing import Any

from sqlalchemy import Row, Select, func, select, tuple_

from callytics.audit.access_log import FAILED
from callytics.audit.models import AuditEntry
from callytics.database.reading import reading
from callytics.identifiers import UID_PATTERN
from callytics.recordings.facts import OPEN_STATES, Facts
from callytics.recordings.facts_files import read_facts
from callytics.recordings.models import Recording
from callytics.storage.folder import Storage
from callytics.storage.folder_walk import FileEntry

ROWS_AT_ONCE = 1000
ENDINGS = ("json", "ulaw", "wav")

_OURS = re.compile(rf"\d{{1,4}}/\d\d/\d\d/{UID_PATTERN}\.(json|ulaw|wav)", re.ASCII)
_FACTS = [getattr(Recording, f.name) for f in fields(Facts)]
_LONGEST_MS = (1 << 31) - 1


@dataclass(frozen=True)
class RecordingFiles:
    """Row and files of one recording; files by their extension."""

    # Its place in the folder without an ending, as Asterisk is told.
    name: str
    row: Facts | None = None
    files: Mapping[str, FileEntry] = field(default_factory=dict)
    # Where the row says that its audio is.
    row_path: str | None = None
    # Whether the row of another recording bears the same uid.
    taken: bool = False

    @property
    def has_audio(self) -> bool:
        """True if there is audio in any format."""
        return bool(self.files.keys() - {"json"})


def take_inventory(
    storage: Storage, on_foreign: Callable[[FileEntry], None]
) -> Iterator[RecordingFiles]:
    """Yield every recording in the order of names; files that cannot be one go to `on_foreign`.

    Rows and files are not of the same instant: where they disagree, look again. Raises OSError.
    """
    both = heapq.merge(_files(storage, on_foreign), _rows(), key=lambda pair: pair[0])
    for key, pairs in groupby(both, key=lambda pair: pair[0]):
        found = [thing for _, thing in pairs]
        rows = [thing for thing in found if isinstance(thing, Row)]
        files = {_ending(thing.path): thing for thing in found if isinstance(thing, FileEntry)}
        yield from _recordings(key.removesuffix("."), rows, files)


def _recordings(
    name: str, rows: list[Row[Any]], files: dict[str, FileEntry]
) -> Iterator[RecordingFiles]:
    own = None
    for row in rows:
        facts = _facts_of(row)
        if facts.name == name:
            own = RecordingFiles(name, facts, files, row.path)
        else:
            # Its path is not its own; reread() finds its files where they should be.
            yield RecordingFiles(facts.name, facts, {}, row.path)
    if own is not None or files:
        yield own or RecordingFiles(name, None, files)


def rows_named(names: Collection[str]) -> Mapping[str, Row[Any]]:
    """Return the current rows of these recordings, by uid."""
    return {row.uid: row for row in _read(_select().where(Recording.uid.in_(_uids(names))))}


def reread(storage: Storage, name: str, rows: Mapping[str, Row[Any]]) -> RecordingFiles:
    """Read the files of one recording again; its row comes from `rows`. Raises OSError."""
    looked = {ending: storage.stat(f"{name}.{ending}") for ending in ENDINGS}
    files = {e: f for e, f in looked.items() if f is not None and f.size_bytes is not None}
    row = rows.get(_uid(name))
    facts = None if row is None else _facts_of(row)
    if row is None or facts is None or facts.name != name:
        return RecordingFiles(name, None, files, taken=row is not None)
    return RecordingFiles(name, facts, files, row.path)


def open_recordings() -> list[str]:
    """Return the names of recordings that are open in the ledger."""
    return [_facts_of(row).name for row in _read(_select().where(Recording.state.in_(OPEN_STATES)))]


def deletions_begun(names: Collection[str]) -> set[str]:
    """Return those of `names` whose deletion began and did not fail, by the audit."""
    query = select(AuditEntry.recording_uid, AuditEntry.detail).order_by(AuditEntry.id)
    of_these = AuditEntry.recording_uid.in_(_uids(names))
    rows = _read(query.where(AuditEntry.action == "delete", of_these))
    newest = {row.recording_uid: row.detail for row in rows}
    begun = {uid for uid, said in newest.items() if not said.startswith(FAILED)}
    return {name for name in names if _uid(name) in begun}


def count_rows() -> int:
    """Return the number of rows."""
    return int(_read(select(func.count()).select_from(Recording))[0][0])


def sample(count: int) -> list[Facts]:
    """Return up to `count` recordings from each end of the folder that should have files."""
    found: dict[str, Facts] = {}
    for order in (Recording.path.asc(), Recording.path.desc()):
        # Bounded by what is looked at, not by what is found: there may be ten million.
        rows = _read(_select().order_by(order).limit(10 * count))
        should = [row for row in rows if row.state in ("available", *OPEN_STATES)]
        found |= {row.uid: _facts_of(row) for row in should[:count]}
    return list(found.values())


def facts_of_recording(storage: Storage, recording: RecordingFiles) -> Facts | None:
    """Read the facts beside the audio, or None. Raises ValueError if unusable, and OSError."""
    if "json" not in recording.files:
        return None
    facts = _storable(read_facts(storage, recording.files["json"].path))
    if facts.name != recording.name:
        raise ValueError("they are those of another recording")
    return facts


def _files(storage: Storage, on_foreign: Callable[[FileEntry], None]) -> Iterator[tuple[str, Any]]:
    for found in storage.walk():
        if found.size_bytes is not None and _OURS.fullmatch(found.path):
            yield _key(found.path), found
        else:
            on_foreign(found)


def _rows() -> Iterator[tuple[str, Any]]:
    place = (Recording.path, Recording.id)
    query = _select().order_by(*place).limit(ROWS_AT_ONCE)
    rows = _read(query)
    while rows:
        yield from ((_key(row.path), row) for row in rows)
        rows = _read(query.where(tuple_(*place) > (rows[-1].path, rows[-1].id)))


def _key(path: str) -> str:
    """Return the common prefix of a recording's files: cut at the first dot, keys sort as paths."""
    before, dot, _ = path.partition(".")
    return before + dot


def _select() -> Select[*tuple[Any, ...]]:
    return select(*_FACTS, Recording.path, Recording.id)


def _read(query: Select[*tuple[Any, ...]]) -> list[Row[Any]]:
    with reading() as connection:
        return list(connection.execute(query))


def _facts_of(row: Row[Any]) -> Facts:
    return Facts(*row[: len(_FACTS)])


def _storable(facts: Facts) -> Facts:
    """Return facts as a row can hold them: another program may have written the file."""
    texts = {name: value for name, value in vars(facts).items() if isinstance(value, str)}
    changes: dict[str, Any] = {}
    # Nearly always there is nothing to do, and copying facts takes as long as reading them.
    if not _is_text("".join(texts.values())):
        changes = {name: _text(value) for name, value in texts.items()}
    if (facts.duration_ms or 0) > _LONGEST_MS or (facts.size_bytes or 0) >= 1 << 63:
        changes |= {"duration_ms": None, "size_bytes": None}
    return facts.but(**changes) if changes else facts


def _is_text(value: str) -> bool:
    return (value.isascii() and "\0" not in value) or value == _text(value)


def _text(value: str) -> str:
    return value.replace("\0", "").encode(errors="replace").decode()


def _ending(path: str) -> str:
    return path.rpartition(".")[2]


def _uid(name: str) -> str:
    return name.rpartition("/")[2]


def _uids(names: Iterable[str]) -> list[str]:
    return [_uid(name) for name in names]
