"""How the pages put facts into words."""

import re
from datetime import datetime, timedelta
from typing import Any

from flask import Flask
from markupsafe import Markup, escape

from callytics.calls.library import IN_PROGRESS, talk_ms, wait_ms
from callytics.clock import utc_now
from callytics.flows.node_types import NODE_TYPES
from callytics.recordings import notes
from callytics.recordings.facts import OPEN_STATES
from callytics.recordings.pauses import MOST_PAUSES, confirmed, is_paused
from callytics.telephony.hangup_causes import cause_text
from callytics.telephony.numbers import phone
from callytics.web.recordings.waveforms import gaps, spans, svg_path

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
# What the badge of a recording says.
BADGES = {**STATES, "paused": "Paused"}
DISPOSITIONS = {
    "answered": "Answered",
    "no_answer": "Nobody answered",
    "busy": "Busy",
    "failed": "Failed",
    "abandoned": "Given up by the caller",
}
# How a call stands: its disposition once it has ended.
ENDINGS = {**DISPOSITIONS, "in_progress": "In progress", "unknown": "Not known"}
# What the list of calls can be asked for.
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


def init_formatting(app: Flask) -> None:
    """Give the templates of `app` these words, and the macros that say them."""
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
        svg_path=svg_path,
        spans=spans,
        clock_time=clock_time,
        cause=cause_text,
        ending=ending,
        badge_state=badge_state,
        is_paused=is_paused,
        ago_ms=ago_ms,
        gaps=gaps,
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
        STATES=STATES,
        BADGES=BADGES,
        DISPOSITIONS=DISPOSITIONS,
        ENDINGS=ENDINGS,
        RESULTS_OF_CALLS=RESULTS_OF_CALLS,
        NODE_TYPES=NODE_LABELS,
        RESULTS=RESULTS,
    )
    # As globals, since an import in the row's template would be made again for each row.
    macros = app.jinja_env.get_template("layout/_macros.html").module
    for name in ("icon", "time", "second", "clock", "person", "state", "ending", "since"):
        app.jinja_env.globals[name] = getattr(macros, name)


def minutes(duration_ms: int) -> str:
    """03:07, or 1:03:07 from an hour on."""
    seconds = round(duration_ms / 1000)
    hours, rest = divmod(seconds, 3600)
    short = f"{rest // 60:02}:{rest % 60:02}"
    return f"{hours}:{short}" if hours else short


def size(size_bytes: int) -> str:
    """A file's size, as 1.4 MB."""
    for limit, unit in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if size_bytes >= limit:
            return f"{size_bytes / limit:.1f} {unit}"
    return f"{size_bytes} bytes"


def caller(row: Any) -> str:
    """Who called, by name or number."""
    return row.caller_name or row.caller_number or "Unknown caller"


def callee(row: Any) -> str:
    """Who answered, or which number was called."""
    return phone(row.callee) or row.dialed_number or "nobody"


def ending(call: Any) -> str:
    """How a call stands, as a key of ENDINGS."""
    if call.ended_at is None:
        return IN_PROGRESS
    return call.disposition if call.disposition in DISPOSITIONS else "unknown"


def badge_state(row: Any) -> str:
    """How a recording stands: its state, or that it is paused."""
    return "paused" if row.state in OPEN_STATES and is_paused(row.pauses) else row.state


def ago_ms(at: datetime) -> int:
    """How long ago that was."""
    return max(0, (utc_now() - at) // timedelta(milliseconds=1))


def paused_in_words(row: Any) -> str:
    """How often a recording was paused and for how long: 3 times, for 01:02 in all."""
    spans = confirmed(row.pauses)
    often = "Once" if len(spans) == 1 else f"{len(spans)} times"
    whole = sum(span.duration_ms or ago_ms(span.began_at) for span in spans)
    return f"{often}, for {minutes(whole)}{' in all' * (len(spans) > 1)}" if spans else "Never"


def with_code(message: str) -> Markup:
    """A message as HTML, in which a command between backticks looks like one."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(message))))


def machine_time(at: datetime) -> str:
    """For <time datetime>, which the browser turns into its own time."""
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


def exact_time(at: datetime) -> str:
    """To the second."""
    return f"{at:%-d %B %Y, %H:%M:%S} UTC"


def plain_time(at: datetime) -> str:
    """To the minute."""
    return f"{at:%-d %b %Y, %H:%M} UTC"


def clock_time(at: datetime) -> str:
    """The time of day to the second."""
    return f"{at:%H:%M:%S} UTC"
