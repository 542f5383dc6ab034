"""Inventory: merge join of the rows and the files of all recordings.

The folder and the table are each read once, in the order of paths, so memory stays constant for
any number of recordings.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields

from sqlalchemy import ColumnElement, exists, func, select, tuple_

from callytics.audit.access_log import FAILED
from callytics.audit.models import AuditEntry
from callytics.database.reading import AnyRow, AnySelect, read
from callytics.identifiers import UID_PATTERN
from callytics.recordings.facts import KEEP_TAG, OPEN_STATES, Facts
from callytics.recordings.facts_files import read_facts
from callytics.recordings.models import Recording, Tag
from callytics.storage.folder import Storage
from callytics.storage.folder_walk import FileEntry

ROWS_AT_ONCE = 1000
EXTENSIONS = ("json", "ulaw", "wav")

_RECORDING_PATH = re.compile(
    rf"(?P<key>\d{{1,4}}/\d\d/\d\d/{UID_PATTERN}\.)(?P<extension>json|ulaw|wav)", re.ASCII
)
_KEPT = exists().where(Tag.recording_uid == Recording.uid, Tag.tag == KEEP_TAG).label("keep")
_FACTS = [_KEPT if f.name == "keep" else getattr(Recording, f.name) for f in fields(Facts)]


@dataclass(frozen=True)
class RecordingFiles:
    """Row and files of one recording; files by their extension."""

    # Path without the extension, which is the name of the recording in ARI.
    name: str
    row: Facts | None = None
    files: Mapping[str, FileEntry] = field(default_factory=dict)
    # Path of the audio by the row's column `path`.
    row_path: str | None = None
    # The uid belongs to the row of a recording at another path.
    uid_taken: bool = False

    @property
    def has_audio(self) -> bool:
        """True if there is audio in any format."""
        return bool(self.files.keys() - {"json"})


def take_inventory(
    storage: Storage, on_foreign: Callable[[FileEntry], None]
) -> Iterator[RecordingFiles]:
    """Yield every recording in the order of names; call `on_foreign` for all other files.

    Rows and files are read at different moments, so `reread` a recording before it is changed.
    Raises OSError.
    """
    groups, rows = _files(storage, on_foreign), _rows()
    group, row = next(groups, None), next(rows, None)
    while group is not None or row is not None:
        key = group[0] if group is not None else ""
        if row is not None and (group is None or row[0] < key):
            key = row[0]
        files: dict[str, FileEntry] = {}
        found: list[AnyRow] = []
        if group is not None and group[0] == key:
            files, group = group[1], next(groups, None)
        while row is not None and row[0] == key:
            found.append(row[1])
            row = next(rows, None)
        yield from _recordings(key.removesuffix("."), found, files)


def _recordings(
    name: str, rows: list[AnyRow], files: dict[str, FileEntry]
) -> Iterator[RecordingFiles]:
    own = None
    for row in rows:
        facts = _facts_of(row)
        if facts.name == name:
            own = RecordingFiles(name, facts, files, row.path)
        else:
            # The column `path` is wrong; reread() finds the files at the right path.
            yield RecordingFiles(facts.name, facts, {}, row.path)
    if own is not None or files:
        yield own or RecordingFiles(name, None, files)


def rows_named(names: Collection[str]) -> Mapping[str, AnyRow]:
    """Return the current rows of these recordings, by uid."""
    return {row.uid: row for row in read(_select().where(Recording.uid.in_(_uids(names))))}


def reread(storage: Storage, name: str, rows: Mapping[str, AnyRow]) -> RecordingFiles:
    """Read the files of one recording again; its row comes from `rows`. Raises OSError."""
    entries = {extension: storage.stat(f"{name}.{extension}") for extension in EXTENSIONS}
    files = {e: f for e, f in entries.items() if f is not None and f.size_bytes is not None}
    row = rows.get(_uid(name))
    facts = None if row is None else _facts_of(row)
    if row is None or facts is None or facts.name != name:
        return RecordingFiles(name, None, files, uid_taken=row is not None)
    return RecordingFiles(name, facts, files, row.path)


def open_recording_names() -> list[str]:
    """Return the names of recordings in an open state."""
    return [_facts_of(row).name for row in read(_select().where(Recording.state.in_(OPEN_STATES)))]


def deletions_in_progress(names: Collection[str]) -> set[str]:
    """Return those of `names` whose newest deletion in the audit did not fail."""
    query = select(AuditEntry.recording_uid, AuditEntry.detail).order_by(AuditEntry.id)
    deletions = (AuditEntry.action == "delete", AuditEntry.recording_uid.in_(_uids(names)))
    newest = {row.recording_uid: row.detail for row in read(query.where(*deletions))}
    begun = {uid for uid, detail in newest.items() if not detail.startswith(FAILED)}
    return {name for name in names if _uid(name) in begun}


def count_rows() -> int:
    """Return the number of rows of recordings."""
    return int(read(select(func.count()).select_from(Recording))[0][0])


def samples(count: int) -> tuple[list[Facts], list[Facts]]:
    """Return up to `count` recordings that should have files, from each end of the folder."""
    return _sample(Recording.path.asc(), count), _sample(Recording.path.desc(), count)


def _sample(order: ColumnElement[str], count: int) -> list[Facts]:
    # The limit bounds the rows read, not the rows found: a table may have ten million.
    rows = read(_select().order_by(order).limit(max(10 * count, 1000)))
    with_files = [row for row in rows if row.state in ("available", *OPEN_STATES)]
    return [_facts_of(row) for row in with_files[:count]]


def any_available() -> bool:
    """Return True if there is a recording that has ended and has a file."""
    return bool(read(select(Recording.id).where(Recording.state == "available").limit(1)))


def facts_of_recording(storage: Storage, recording: RecordingFiles) -> Facts | None:
    """Read the facts beside the audio, or None. Raises ValueError if unusable, and OSError."""
    if "json" not in recording.files:
        return None
    facts = read_facts(storage, recording.files["json"].path)
    if facts.name != recording.name:
        raise ValueError("they are those of another recording")
    return facts


def _files(
    storage: Storage, on_foreign: Callable[[FileEntry], None]
) -> Iterator[tuple[str, dict[str, FileEntry]]]:
    """Yield the files of each recording by their extension, with its key as of `_key`."""
    key = ""
    files: dict[str, FileEntry] = {}
    for found in storage.walk():
        match = _RECORDING_PATH.fullmatch(found.path)
        if match is None or found.size_bytes is None:
            on_foreign(found)
            continue
        if match["key"] != key:
            if files:
                yield key, files
            key, files = match["key"], {}
        files[match["extension"]] = found
    if files:
        yield key, files


def _rows() -> Iterator[tuple[str, AnyRow]]:
    position = (Recording.path, Recording.id)
    query = _select().order_by(*position).limit(ROWS_AT_ONCE)
    rows = read(query)
    while rows:
        yield from ((_key(row.path), row) for row in rows)
        rows = read(query.where(tuple_(*position) > (rows[-1].path, rows[-1].id)))


def _key(path: str) -> str:
    """Return the part of a path up to the first dot, by which keys sort as paths do."""
    before, dot, _ = path.partition(".")
    return before + dot


def _select() -> AnySelect:
    return select(*_FACTS, Recording.path, Recording.id)


def _facts_of(row: AnyRow) -> Facts:
    return Facts(*row[: len(_FACTS)])


def _extension(path: str) -> str:
    return path.rpartition(".")[2]


def _uid(name: str) -> str:
    return name.rpartition("/")[2]


def _uids(names: Iterable[str]) -> list[str]:
    return [_uid(name) for name in names]
