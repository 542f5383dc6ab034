"""Jinja filters and labels that all pages share."""

import re
from datetime import datetime, timedelta
from typing import Protocol

from flask import Flask
from markupsafe import Markup, escape

from callytics.calls.library import IN_PROGRESS, CallRow, talk_ms, wait_ms
from callytics.clock import utc_now
from callytics.flows.node_types import NODE_TYPES
from callytics.people.passwords import PASSWORD_RULE
from callytics.recordings import notes
from callytics.recordings.facts import OPEN_STATES
from callytics.recordings.library import RecordingRow
from callytics.recordings.pauses import MOST_PAUSES, confirmed, is_paused
from callytics.telephony.hangup_causes import cause_text
from callytics.telephony.numbers import phone

KINDS = {
    "transfer": "Transfer",
    "queue": "Queue",
    "hunt_group": "Hunt group",
    "outbound": "Outbound call",
    "voicemail": "Voicemail",
}
STATES = {
    "requested": "Requested",
    "recording": "Recording",
    "available": "Available",
    "failed": "Failed",
    "missing": "Missing",
}
# Texts of a recording's badge.
BADGES = {**STATES, "paused": "Paused"}
DISPOSITIONS = {
    "answered": "Answered",
    "no_answer": "Nobody answered",
    "busy": "Busy",
    "failed": "Failed",
    "abandoned": "Given up by the caller",
}
# Result of a call: its disposition once it has ended.
ENDINGS = {**DISPOSITIONS, "in_progress": "In progress", "unknown": "Not known"}
# Filters of the list of calls.
RESULTS_OF_CALLS = (*DISPOSITIONS, IN_PROGRESS)
ROLES = {"admin": "Administrator", "reviewer": "Reviewer"}
# A direct outbound call has a step of its own in its path, without a node.
NODE_LABELS = {**{name: t.label for name, t in NODE_TYPES.items()}, "outbound": KINDS["outbound"]}
# Results of the nodes, and of those that end with the call.
RESULTS = {
    **{key: text for t in NODE_TYPES.values() for key, text in t.results.items()},
    "caller_hung_up": "The caller hung up",
    "failed": "Broken off by an error",
}


class Parties(Protocol):
    """Row of a recording or of a call."""

    @property
    def caller_name(self) -> str:
        """Name that the caller sent."""

    @property
    def caller_number(self) -> str:
        """Number of the caller."""

    @property
    def callee(self) -> str:
        """Endpoint that answered."""

    @property
    def dialed_number(self) -> str:
        """Number that was called."""


def init_formatting(app: Flask) -> None:
    """Register the filters, the labels and the macros of `layout/_macros.html` for `app`."""
    app.jinja_env.filters.update(
        minutes=minutes,
        with_code=with_code,
        size=size,
        phone=phone,
        caller=caller,
        callee=callee,
        machine_time=machine_time,
        exact_time=exact_time,
        plain_time=plain_time,
        mark=notes.mark,
        clock_time=clock_time,
        cause=cause_text,
        ending=ending,
        badge_state=badge_state,
        is_paused=is_paused,
        ago_ms=ago_ms,
        paused_in_words=paused_in_words,
        wait_ms=wait_ms,
        talk_ms=talk_ms,
    )
    app.jinja_env.globals.update(
        now=utc_now,
        MOST_PAUSES=MOST_PAUSES,
        OPEN_STATES=OPEN_STATES,
        KINDS=KINDS,
        ROLES=ROLES,
        PASSWORD_RULE=PASSWORD_RULE,
        STATES=STATES,
        BADGES=BADGES,
        DISPOSITIONS=DISPOSITIONS,
        ENDINGS=ENDINGS,
        RESULTS_OF_CALLS=RESULTS_OF_CALLS,
        NODE_TYPES=NODE_LABELS,
        RESULTS=RESULTS,
    )
    # As globals: an import in the template of a row would be executed for each row.
    macros = app.jinja_env.get_template("layout/_macros.html").module
    for name in ("icon", "time", "second", "clock", "person", "state", "ending", "since"):
        app.jinja_env.globals[name] = getattr(macros, name)


def minutes(duration_ms: int) -> str:
    """Return a duration as 03:07, or 1:03:07 from an hour on."""
    seconds = round(duration_ms / 1000)
    hours, rest = divmod(seconds, 3600)
    short = f"{rest // 60:02}:{rest % 60:02}"
    return f"{hours}:{short}" if hours else short


def size(size_bytes: int) -> str:
    """Return the size of a file, such as 1.4 MB."""
    for limit, unit in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if size_bytes >= limit:
            return f"{size_bytes / limit:.1f} {unit}"
    return f"{size_bytes} bytes"


def caller(row: Parties) -> str:
    """Return the name or number of the caller."""
    return row.caller_name or row.caller_number or "Unknown caller"


def callee(row: Parties) -> str:
    """Return the party that answered, or the number that was called."""
    return phone(row.callee) or row.dialed_number or "nobody"


def ending(call: CallRow) -> str:
    """Return the result of a call, as a key of ENDINGS."""
    if call.ended_at is None:
        return IN_PROGRESS
    return call.disposition if call.disposition in DISPOSITIONS else "unknown"


def badge_state(row: RecordingRow) -> str:
    """Return the state of a recording, or `paused`, as a key of BADGES."""
    return "paused" if row.state in OPEN_STATES and is_paused(row.pauses) else row.state


def ago_ms(at: datetime) -> int:
    """Return the time since then in ms."""
    return max(0, (utc_now() - at) // timedelta(milliseconds=1))


def paused_in_words(row: RecordingRow) -> str:
    """Return the number and length of the pauses: 3 times, for 01:02 in all."""
    spans = confirmed(row.pauses)
    often = "Once" if len(spans) == 1 else f"{len(spans)} times"
    whole = sum(span.duration_ms or ago_ms(span.began_at) for span in spans)
    return f"{often}, for {minutes(whole)}{' in all' * (len(spans) > 1)}" if spans else "Never"


def with_code(message: str) -> Markup:
    """Return a message as HTML, with the text between backticks as <code>."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(message))))


def machine_time(at: datetime) -> str:
    """Return a time for <time datetime>, which the browser shows in its own zone."""
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


def exact_time(at: datetime) -> str:
    """Return date and time to the second."""
    return f"{at:%-d %B %Y, %H:%M:%S} UTC"


def plain_time(at: datetime) -> str:
    """Return date and time to the minute."""
    return f"{at:%-d %b %Y, %H:%M} UTC"


def clock_time(at: datetime) -> str:
    """Return the time of day to the second."""
    return f"{at:%H:%M:%S} UTC"
