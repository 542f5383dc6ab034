"""Streamed ZIP archive of recordings, held neither in memory nor on disk.

Audio hardly compresses, so it is stored. So the length of the archive is known beforehand, and the
browser can show the progress of the download.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import PurePosixPath

from zipstream import ZipStream

from callytics.export import csv_table
from callytics.recordings import notes
from callytics.recordings.library import RecordingRow
from callytics.storage.folder import Storage, StorageError

MANIFEST = "manifest.csv"
_COLUMNS = ("file", *csv_table.COLUMNS)
_CHUNK_BYTES = 128 * 1024
_NO_DIGEST = "0" * 64


@dataclass(frozen=True)
class Entry:
    """Recording and its name in the archive; without audio the size is None, the name empty."""

    row: RecordingRow
    name: str
    size_bytes: int | None


def entries(
    storage: Storage, rows: Sequence[RecordingRow], name_of: Callable[[RecordingRow], str]
) -> list[Entry]:
    """Return the entries of the archive, each with a unique name. Raises OSError."""
    taken: set[str] = set()
    found = []
    for row in rows:
        size = _size(storage, row)
        found.append(Entry(row, _free_name(name_of(row), taken) if size else "", size))
    return found


def _size(storage: Storage, row: RecordingRow) -> int | None:
    if row.state != "available":
        return None
    try:
        return storage.size(row.path)
    except StorageError:
        return None


def _free_name(name: str, taken: set[str]) -> str:
    path, number = PurePosixPath(name), 1
    # Windows and macOS ignore the case of names.
    while name.casefold() in taken:
        number += 1
        name = f"{path.stem}_{number}{path.suffix}"
    taken.add(name.casefold())
    return name


@dataclass
class Bundle:
    """ZIP archive. Iterate it once; its `len` is the number of bytes.

    `begin` is called for each recording before its first byte is yielded. A file that is shorter
    than its entry or gone ends the iteration with an error, since the length was sent already.
    """

    storage: Storage
    entries: Sequence[Entry]
    added: Mapping[str, notes.Annotations]
    begin: Callable[[RecordingRow], None]
    _digests: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._zip = ZipStream(sized=True)
        for entry in self.entries:
            if entry.name:
                self._zip.add(self._sound(entry), entry.name, size=entry.size_bytes)
        # The manifest goes last: the checksums are known after all files were read.
        size = sum(len(part) for part in self._manifest())
        self._zip.add(self._manifest(), MANIFEST, size=size)

    def __len__(self) -> int:
        return len(self._zip)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._zip)

    def _sound(self, entry: Entry) -> Iterator[bytes]:
        self.begin(entry.row)
        digest, left = sha256(), entry.size_bytes or 0
        with self.storage.open(entry.row.path) as file:
            while left and (piece := file.read(min(_CHUNK_BYTES, left))):
                digest.update(piece)
                left -= len(piece)
                yield piece
        self._digests[entry.row.uid] = digest.hexdigest()

    def _manifest(self) -> Iterator[bytes]:
        yield csv_table.head(_COLUMNS)
        for entry in self.entries:
            uid = entry.row.uid
            digest = self._digests.get(uid, _NO_DIGEST) if entry.name else None
            facts = csv_table.facts(entry.row, {uid: digest})
            yield csv_table.line((entry.name, *facts, *csv_table.added(uid, self.added)))
