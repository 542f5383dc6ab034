"""Facts of a recording: its metadata, the same in the facts file, in the row and in `--json`."""

import json
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from types import UnionType
from typing import Literal, Self, TypedDict, Unpack, cast, get_args

from callytics.identifiers import is_uid
from callytics.json_values import JsonObject
from callytics.plain_text import one_line
from callytics.recordings import pauses
from callytics.recordings.pauses import PausedSpan, Spans

Kind = Literal["transfer", "queue", "hunt_group", "outbound", "voicemail"]
Direction = Literal["inbound", "outbound"]
State = Literal["requested", "recording", "available", "failed", "missing"]

KINDS: tuple[Kind, ...] = get_args(Kind)
DIRECTIONS: tuple[Direction, ...] = get_args(Direction)
STATES: tuple[State, ...] = get_args(State)
FORMATS = ("wav", "ulaw")
# States in which Asterisk may still be writing the file.
OPEN_STATES = ("requested", "recording")
# Recordings with this tag are never deleted by age.
KEEP_TAG = "keep"

# Columns that `flask recordings list --json` and the exported table show, in an order that scripts
# rely on.
COLUMNS = (
    *("uid", "kind", "direction", "state", "state_reason", "caller_number", "caller_name"),
    *("dialed_number", "callee", "flow", "node", "started_at", "ended_at", "duration_ms"),
    *("format", "size_bytes", "path"),
)

Permitted = type | UnionType | tuple[str, ...]
# Types, or permitted values, that `isinstance` cannot take from the annotation of a field.
_PERMITTED: dict[str, Permitted] = {"kind": KINDS, "direction": DIRECTIONS, "state": STATES}
_PERMITTED["pauses"] = tuple
# Fields whose text comes from callers, from Asterisk or from the operating system.
_LINES = (
    *("state_reason", "caller_number", "caller_name", "dialed_number", "callee", "flow", "node"),
)
# The most characters of one of them; a reason is a sentence or several.
_LONGEST, _LONGEST_REASON = 200, 1000


class FactsChanges(TypedDict, total=False):
    """Facts that change after a recording was asked for."""

    state: State
    state_reason: str
    pbx: str
    ended_at: datetime | None
    duration_ms: int | None
    size_bytes: int | None
    sha256: str | None
    pauses: Spans
    keep: bool


@dataclass(frozen=True)
class Facts:
    """Metadata of one recording. Times are aware UTC, durations in ms, sizes in bytes."""

    uid: str
    kind: Kind
    direction: Direction
    state: State
    started_at: datetime
    format: str
    call_uid: str = ""
    state_reason: str = ""
    caller_number: str = ""
    caller_name: str = ""
    dialed_number: str = ""
    callee: str = ""
    flow: str = ""
    node: str = ""
    # Name of the PBX that recorded it; empty if it is not known.
    pbx: str = ""
    ended_at: datetime | None = None
    duration_ms: int | None = None
    size_bytes: int | None = None
    sha256: str | None = None
    # Spans in which somebody paused the recording.
    pauses: Spans = ()
    # The recording has the tag `keep`. In the database, it is a row of the tags.
    keep: bool = False

    def __post_init__(self) -> None:
        """Leave out control characters and what no page has room for, in file and row alike."""
        for name in _LINES:
            value = getattr(self, name)
            if isinstance(value, str) and (len(value) > _LONGEST or not value.isprintable()):
                longest = _LONGEST_REASON if name == "state_reason" else _LONGEST
                object.__setattr__(self, name, one_line(value)[:longest])

    @property
    def name(self) -> str:
        """Name of the recording in Asterisk: its path in the folder, without extension."""
        # Not strftime, which takes ten times as long: this is asked of every recording.
        day = self.started_at
        return f"{day.year}/{day.month:02}/{day.day:02}/{self.uid}"

    @property
    def path(self) -> str:
        """Path of the audio, relative to RECORDINGS_DIR."""
        return f"{self.name}.{self.format}"

    @property
    def facts_path(self) -> str:
        """Path of the facts file, relative to RECORDINGS_DIR."""
        return f"{self.name}.json"

    def but(self, **changes: Unpack[FactsChanges]) -> Self:
        """Return a copy with some values changed."""
        return replace(self, **changes)

    def to_row(self) -> dict[str, object]:
        """Return the columns and values that the ledger writes."""
        values = {**vars(self), "path": self.path}
        del values["keep"]
        return values

    def to_json(self) -> str:
        """Return the content of the facts file."""
        values = self.to_row() | ({"keep": True} if self.keep else {})
        return json.dumps(values, default=_as_json, indent=1, ensure_ascii=False) + "\n"

    def is_said_by(self, values: JsonObject) -> bool:
        """Return True if the content of a facts file says the same as these facts.

        False may also mean that it takes a closer look; it is faster than `from_json`.
        """
        if self.pauses or values.get("pauses") or values.get("keep", False) != self.keep:
            return False
        wanted: JsonObject = dict(vars(self))
        del wanted["pauses"], wanted["keep"]
        wanted["started_at"] = self.started_at.isoformat()
        wanted["ended_at"] = self.ended_at and self.ended_at.isoformat()
        # Not in files from before there were several PBXs.
        values.setdefault("pbx", "")
        return wanted.items() <= values.items()

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Parse the content of a facts file. Raises ValueError with the reason if it is unusable.

        Unknown keys are ignored: a later version may have written them.
        """
        try:
            values = json.loads(text)
            known = {name: values[name] for name in _NAMES if name in values}
            for key in ("started_at", "ended_at"):
                if known.get(key) is not None:
                    known[key] = datetime.fromisoformat(known[key]).astimezone(UTC)
            known["pauses"] = pauses.spans_from_json(known.get("pauses"))
            return cls(**known)._validated()
        except (ArithmeticError, LookupError, TypeError, ValueError, RecursionError) as error:
            raise ValueError(f"not the facts of a recording: {error}") from error

    def _validated(self) -> Self:
        """Return these facts. Raises ValueError: other programs can write to the folder too."""
        values = vars(self)
        for name, permitted in _PERMITTED_VALUES.items():
            if not _fits(values[name], permitted):
                raise ValueError(f"{name} is not usable")
        if max(map(len, (self.call_uid, self.pbx, self.sha256 or ""))) > _LONGEST:
            raise ValueError("call_uid, pbx or sha256 is too long")
        if not is_uid(self.uid) or self.format not in FORMATS:
            raise ValueError("uid or format is not one of ours")
        return self


# Looked up for every recording that is verified.
_NAMES = tuple(field.name for field in fields(Facts))
_PERMITTED_VALUES = {
    field.name: _PERMITTED.get(field.name) or cast(type, field.type) for field in fields(Facts)
}


def _fits(value: object, permitted: Permitted) -> bool:
    if isinstance(permitted, tuple):
        return value in permitted
    if isinstance(value, bool):
        return permitted is bool
    if isinstance(value, int):
        return value >= 0 and isinstance(value, permitted)
    return isinstance(value, permitted)


def _as_json(value: datetime | PausedSpan) -> str | JsonObject:
    return value.to_values() if isinstance(value, PausedSpan) else value.isoformat()
