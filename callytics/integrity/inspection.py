"""Consistency check of a recording: its context and its finding."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from callytics.audio import wav
from callytics.clock import utc_now
from callytics.integrity.inventory import RecordingFiles
from callytics.recordings.facts import Facts
from callytics.storage.folder import Storage
from callytics.storage.folder_walk import FileEntry

# Asterisk adds to a file every two seconds, to a `.ulaw` every four. One that was not touched for
# so long is not being recorded, whether Asterisk can be asked or not.
STILL = timedelta(minutes=2)
# Unless somebody paused it, and Asterisk cannot be asked whether it still is.
PAUSED_STILL = timedelta(hours=12)
NOT_OURS = "not a recording of Callytics"
# A WAV's header alone.
_HEADER_BYTES = 44


@dataclass(frozen=True)
class CheckContext:
    """Input of a check beside the recording itself."""

    storage: Storage
    # Whether Asterisk is recording this right now; None when it cannot be asked. Called in the
    # thread that judges.
    is_live: Callable[[Facts], bool | None]
    # How long after its last sign of life an open recording is left to a worker that runs.
    grace: timedelta = timedelta(0)
    # When this Asterisk was started: an older one took its recordings with it.
    asterisk_since: datetime | None = None
    # Whether a checksum that was never taken is missed, and whether those there are compared.
    fill_checksums: bool = False
    compare_checksums: bool = False
    # Somebody says that the folder is the right one, however little is in it.
    folder_is_right: bool = False
    now: Callable[[], datetime] = utc_now


@dataclass
class Finding:
    """Result of a check: a recording's problems, in sentences, and the state it should have."""

    recording: RecordingFiles
    problems: list[str] = field(default_factory=list)
    # What is left alone although it may be wrong, in sentences.
    skipped: list[str] = field(default_factory=list)
    # Files that are none of ours, in sentences.
    foreign_files: list[str] = field(default_factory=list)
    # What row and facts are to say; None: nothing is done, unless it is to be forgotten.
    desired: Facts | None = None
    writes_row: bool = False
    writes_facts: bool = False
    # To be completed by what its file says.
    over: bool = False
    finish_header: bool = False
    take_checksum: bool = False
    # Files without sound, to be removed when all else is written.
    remove: list[str] = field(default_factory=list)
    # Facts that cannot be used are kept aside; somebody may still make sense of them.
    keep_facts: bool = False
    # Somebody deleted it; what is left of it goes.
    forget: bool = False

    def wrong(self, what: str, remedy: str) -> None:
        """Take note of a disagreement and of what reconcile does about it."""
        self.problems.append(f"{self.path}: {what} → {remedy}")

    def leave(self, why: str) -> None:
        """Take note of something that is not touched."""
        self.skipped.append(f"{self.path}: {why}")

    def not_ours(self, path: str, why: str = NOT_OURS) -> None:
        """Take note of a file that is not touched, ever."""
        self.foreign_files.append(f"{path}: {why}, left alone")

    @property
    def new_uid(self) -> str:
        """The uid of the row that this makes; empty where it makes none."""
        return self.desired.uid if self.desired is not None and self.recording.row is None else ""

    @property
    def path(self) -> str:
        """The file that a sentence is about."""
        if self.recording.row is not None:
            return self.recording.row.path
        audio_files = [f.path for e, f in self.recording.files.items() if e != "json"]
        return next(iter(audio_files), f"{self.recording.name}.json")


@dataclass(frozen=True)
class Sound:
    """Audio of a file; `problem` says why it cannot be played."""

    duration_ms: int = 0
    finished: bool = True
    problem: str = ""
    # The file holds nothing at all, and may go.
    is_empty: bool = False

    @property
    def is_heard(self) -> bool:
        """True if the file has audio that can be played."""
        return not self.is_empty and not self.problem


def listen(storage: Storage, found: FileEntry) -> Sound:
    """Read length and completeness of an audio file from its bytes. Raises OSError."""
    with storage.open(found.path) as file:
        try:
            sound = wav.inspect_file(file, found.path.rpartition(".")[2])
        except ValueError as error:
            small = (found.size_bytes or 0) <= _HEADER_BYTES
            return Sound(is_empty=True) if small else Sound(problem=str(error))
    return Sound(sound.duration_ms, sound.finished, is_empty=sound.data_bytes == 0)
