"""The facts of one recording: what the file beside the audio, the row and `--json` all say."""

import json
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from typing import Any, Literal, Self, get_args

from callytics.identifiers import is_uid
from callytics.recordings import pauses
from callytics.recordings.pauses import PausedSpan, Spans

Kind = Literal["transfer", "queue", "hunt_group", "outbound", "voicemail"]
Direction = Literal["inbound", "outbound"]
State = Literal["requested", "recording", "available", "failed", "missing"]

KINDS: tuple[str, ...] = get_args(Kind)
DIRECTIONS: tuple[str, ...] = get_args(Direction)
STATES: tuple[str, ...] = get_args(State)
FORMATS = ("wav", "ulaw")
_CHOICES: dict[str, Any] = {"kind": KINDS, "direction": DIRECTIONS, "state": STATES}
_CHOICES["pauses"] = tuple
# States in which Asterisk may still be writing the file.
OPEN_STATES = ("requested", "recording")


@dataclass(frozen=True)
class Facts:
    """What is known of one recording. Times are aware UTC, durations in ms, sizes in bytes."""

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
    ended_at: datetime | None = None
    duration_ms: int | None = None
    size_bytes: int | None = None
    sha256: str | None = None
    # Where somebody stopped it for a while and let it go on.
    pauses: Spans = ()

    @property
    def name(self) -> str:
        """Asterisk's name for it, and its place in the folder without an extension."""
        # Not by strftime, which takes ten times as long, and this is asked of every recording.
        day = self.started_at
        return f"{day.year}/{day.month:02}/{day.day:02}/{self.uid}"

    @property
    def path(self) -> str:
        """The audio, relative to RECORDINGS_DIR."""
        return f"{self.name}.{self.format}"

    @property
    def facts_path(self) -> str:
        """The file with these facts, relative to RECORDINGS_DIR."""
        return f"{self.name}.json"

    def but(self, **changes: Any) -> Self:
        """The same facts with some of them changed."""
        return replace(self, **changes)

    def to_row(self) -> dict[str, Any]:
        """Column names and values for the ledger."""
        return {**vars(self), "path": self.path}

    def to_json(self) -> str:
        """The text of the file beside the audio."""
        return json.dumps(self.to_row(), default=_as_json, indent=1, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Read facts back. Raises ValueError with the reason where they are not usable."""
        try:
            values = json.loads(text)
            known = {f.name: values[f.name] for f in fields(cls) if f.name in values}
            for key in ("started_at", "ended_at"):
                if known.get(key) is not None:
                    known[key] = datetime.fromisoformat(known[key]).astimezone(UTC)
            known["pauses"] = pauses.read(known.get("pauses"))
            return cls(**known)._checked()
        except (ArithmeticError, LookupError, TypeError, ValueError, RecursionError) as error:
            raise ValueError(f"not the facts of a recording: {error}") from error

    def _checked(self) -> Self:
        """These facts, unless a file that somebody else wrote says what cannot be."""
        for field in fields(self):
            if not _fits(getattr(self, field.name), _CHOICES.get(field.name, field.type)):
                raise ValueError(f"{field.name} is not usable")
        if not is_uid(self.uid) or self.format not in FORMATS:
            raise ValueError("uid or format is not one of ours")
        return self


def _fits(value: Any, kind: Any) -> bool:
    if isinstance(kind, tuple):
        return value in kind
    if isinstance(value, int):
        return not isinstance(value, bool) and value >= 0 and isinstance(value, kind)
    return isinstance(value, kind)


def _as_json(value: datetime | PausedSpan) -> Any:
    return value.to_values() if isinstance(value, PausedSpan) else value.isoformat()
