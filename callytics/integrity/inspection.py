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

# Asterisk writes to a `.wav` every two seconds and to a `.ulaw` every four. A file that was not
# written for this long is not being recorded, even if Asterisk does not answer.
IDLE = timedelta(minutes=2)
# The same for a paused recording: Asterisk writes nothing to its file.
PAUSED_IDLE = timedelta(hours=12)
FOREIGN_FILE = "not a recording of Callytics"
# Size of the header of a WAV.
_HEADER_BYTES = 44


@dataclass(frozen=True)
class CheckContext:
    """Input of a check besides the recording itself."""

    storage: Storage
    # True if Asterisk is recording it now, None if Asterisk does not answer. Called in the thread
    # that runs the check.
    is_live: Callable[[Facts], bool | None]
    # An open recording that changed less than this ago is left to the running worker.
    grace: timedelta = timedelta(0)
    # Start of the running Asterisk; recordings that began before were ended with the earlier one.
    asterisk_started_at: datetime | None = None
    # Report recordings without a checksum; compare the checksums there are with the files.
    fill_checksums: bool = False
    compare_checksums: bool = False
    # The operator confirms that the folder is the right one, although most files are not there.
    skip_folder_check: bool = False
    now: Callable[[], datetime] = utc_now
    # False for a recording that the worker of another PBX looks after.
    is_ours: Callable[[Facts], bool] = lambda facts: True


@dataclass
class Finding:
    """Result of a check: problems as sentences, the facts to store, and the repairs to make."""

    recording: RecordingFiles
    problems: list[str] = field(default_factory=list)
    # Sentences about what may be wrong but is not touched for now.
    skipped: list[str] = field(default_factory=list)
    # Sentences about files that do not belong to Callytics.
    foreign_files: list[str] = field(default_factory=list)
    # Facts that row and file should have; None: change nothing, except to finish a deletion.
    desired: Facts | None = None
    write_row: bool = False
    write_facts: bool = False
    # The recording has ended: fill in its facts from the audio file.
    finalize: bool = False
    repair_header: bool = False
    add_checksum: bool = False
    # Files without audio, deleted after everything else is written.
    empty_files: list[str] = field(default_factory=list)
    # Rename the unusable facts file instead of overwriting it: a person may still read it.
    set_aside_facts: bool = False
    # A deletion was interrupted: delete the facts file and the row too.
    finish_deletion: bool = False

    def add_problem(self, problem: str, remedy: str) -> None:
        """Add a problem and what reconcile does about it."""
        self.problems.append(f"{self.path}: {problem} → {remedy}")

    def skip(self, reason: str) -> None:
        """Add a reason why nothing is changed."""
        self.skipped.append(f"{self.path}: {reason}")

    def add_foreign_file(self, path: str, reason: str = FOREIGN_FILE) -> None:
        """Add a file that does not belong to Callytics and is never touched."""
        self.foreign_files.append(f"{path}: {reason}, left alone")

    @property
    def new_uid(self) -> str:
        """Uid of the row that the repair inserts, or empty."""
        return self.desired.uid if self.desired is not None and self.recording.row is None else ""

    @property
    def path(self) -> str:
        """Path of the file that the sentences name."""
        if self.recording.row is not None:
            return self.recording.row.path
        audio_files = [f.path for e, f in self.recording.files.items() if e != "json"]
        return next(iter(audio_files), f"{self.recording.name}.json")


@dataclass(frozen=True)
class AudioCheck:
    """Length and completeness of an audio file; `problem` is the reason it cannot be played."""

    duration_ms: int = 0
    finished: bool = True
    problem: str = ""
    # The file has no audio and may be deleted.
    is_empty: bool = False

    @property
    def is_playable(self) -> bool:
        """True if the file has audio that can be played."""
        return not self.is_empty and not self.problem


def check_audio(storage: Storage, found: FileEntry) -> AudioCheck:
    """Read length and completeness of an audio file from its bytes. Raises OSError."""
    with storage.open(found.path) as file:
        try:
            sound = wav.inspect_file(file, found.path.rpartition(".")[2])
        except ValueError as error:
            small = (found.size_bytes or 0) <= _HEADER_BYTES
            return AudioCheck(is_empty=True) if small else AudioCheck(problem=str(error))
    return AudioCheck(sound.duration_ms, sound.finished, is_empty=sound.data_bytes == 0)
