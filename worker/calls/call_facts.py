"""Call facts: the values of one call while it goes on, which become its row."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Self

from callytics.clock import utc_now
from callytics.identifiers import is_uid, new_uid
from callytics.json_values import Json, JsonObject
from callytics.plain_text import one_line
from callytics.recordings.facts import DIRECTIONS, Direction, Facts, Kind

# Q.850 causes that say why a leg was not answered; with any other it could not be reached.
BUSY, NORMAL, NO_RESPONSE, NO_ANSWER, REFUSED = 17, 16, 18, 19, 21
_RESULTS = {
    BUSY: "busy",
    NORMAL: "no_answer",
    NO_RESPONSE: "no_answer",
    NO_ANSWER: "no_answer",
    REFUSED: "refused",
}
# Asterisk sends no cause when somebody just hangs up.
_USUAL_CAUSES = {"answered": NORMAL, "abandoned": NORMAL, "busy": BUSY, "no_answer": NO_ANSWER}
# Fields that are shown on one line, and the longest that a snapshot may bring.
_TEXTS = (
    *("caller_number", "caller_name", "dialed_number", "callee", "flow", "problem"),
    *("pbx", "asterisk"),
)
LONGEST_TEXT = 1000


def result_of(cause: int) -> str:
    """Return the result of a leg that never answered, from its hang-up cause."""
    return _RESULTS.get(cause, "unreachable")


def disposition_of(result: str) -> str:
    """Return the disposition of a call whose last node ended with `result`."""
    if result in ("answered", "busy", "no_answer", "abandoned"):
        return result
    return "no_answer" if result in ("wait_over", "hung_up", "refused") else "failed"


def time_from_json(text: Json) -> datetime | None:
    """Return a time of a snapshot, aware; None for none. Raises ValueError, TypeError."""
    return None if text is None else datetime.fromisoformat(text).astimezone(UTC)


@dataclass
class CallFacts:
    """Facts of one call. Times are aware UTC."""

    direction: Direction
    caller_number: str
    caller_name: str
    dialed_number: str
    pbx: str
    asterisk: str
    uid: str = field(default_factory=new_uid)
    started_at: datetime = field(default_factory=utc_now)
    callee: str = ""
    flow: str = ""
    path: list[JsonObject] = field(default_factory=list)
    disposition: str | None = None
    hangup_cause: int | None = None
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    problem: str = ""

    @property
    def open_node(self) -> str | None:
        """Name of the node in which the call is now."""
        return self.path[-1]["node"] if self.path and self.path[-1]["ended_at"] is None else None

    def enter(self, node: str, node_type: str) -> None:
        """Add a node to the path."""
        step = {"node": node, "type": node_type, "result": None}
        self.path.append({**step, "started_at": utc_now().isoformat(), "ended_at": None})

    def leave(self, result: str) -> None:
        """Set the result of the path's last node, unless it has one."""
        if self.path and self.path[-1]["ended_at"] is None:
            self.path[-1].update(result=result, ended_at=utc_now().isoformat())

    def end(self) -> None:
        """Set the end of the call to now, and its usual cause if Asterisk sent none."""
        self.ended_at = utc_now()
        self.hangup_cause = self.hangup_cause or _USUAL_CAUSES.get(self.disposition or "")

    def row(self) -> dict[str, object]:
        """Return column names and values for the ledger, as a copy because the call goes on."""
        # Not asdict, whose deep copy takes ten times as long: every step of a call is saved.
        return {**vars(self), "path": [dict(step) for step in self.path]}

    @classmethod
    def from_snapshot(cls, values: JsonObject) -> Self:
        """Return the facts from `row()` after a round trip through JSON.

        Raises ValueError, LookupError, TypeError: other programs can write to the folder too.
        """
        times = ("started_at", "answered_at", "ended_at")
        call = cls(**{**values, **{key: time_from_json(values.get(key)) for key in times}})
        for key in _TEXTS:
            setattr(call, key, one_line(getattr(call, key))[:LONGEST_TEXT])
        if not is_uid(call.uid) or call.direction not in DIRECTIONS:
            raise ValueError("uid or direction is not one of ours")
        known = isinstance(call.path, list) and isinstance(call.disposition, str | None)
        known = known and isinstance(call.started_at, datetime)
        known = known and all(isinstance(step, dict) for step in call.path)
        if not known or not isinstance(call.hangup_cause, int | None):
            raise TypeError("start, path, disposition or cause is not one of ours")
        # Raises if the last node of the path is not one.
        _ = call.open_node
        return call

    def new_recording(self, kind: Kind, audio_format: str, callee: str) -> Facts:
        """Return the facts of a recording that begins now, in the current node."""
        return Facts(
            uid=new_uid(),
            call_uid=self.uid,
            kind=kind,
            direction=self.direction,
            state="requested",
            started_at=utc_now(),
            format=audio_format,
            caller_number=self.caller_number,
            caller_name=self.caller_name,
            dialed_number=self.dialed_number,
            callee=callee,
            flow=self.flow,
            node=self.path[-1]["node"] if self.path else "",
            pbx=self.pbx,
        )
