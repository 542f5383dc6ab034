"""The forms of flows: their fields, what was typed, and what is wrong with it.

What is typed is checked by the same models as an import, with the same words.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from werkzeug.datastructures import MultiDict

from callytics.flows.errors import Wrong
from callytics.flows.wording import HUNT_STRATEGIES, QUEUE_STRATEGIES

Values = dict[str, Any]
# In Asterisk's core sounds, so that they are there.
SOUNDS = {
    "sound:hello-world": "“Hello world”",
    "sound:vm-intro": "“Please leave your message after the tone”",
    "sound:vm-nobodyavail": "“Nobody is available to take your call”",
    "sound:pls-hold-while-try": "“Please hold while I try to locate the person”",
    "sound:tt-allbusy": "“All representatives are currently assisting others”",
    "sound:queue-thankyou": "“Thank you for your patience”",
    "sound:please-try-call-later": "“Please try your call again later”",
    "sound:vm-goodbye": "“Goodbye”",
}
# Where phones are typed, and those that Asterisk knows are offered.
PHONE_FIELDS = ("destination", "destinations", "members")
# An int of more digits than any limit is compared as one; Python refuses to read very many.
WHOLE = re.compile(r"-?[0-9]{1,18}")


@dataclass(frozen=True)
class Field:
    """One field: its name is that in the document, `kind` how it is typed."""

    name: str
    label: str
    kind: str = "text"  # or sound, number, lines, choice, tick
    hint: str = ""
    default: Any = ""
    unit: str = ""
    choices: Mapping[str, str] = field(default_factory=dict)

    def read(self, form: Mapping[str, str]) -> Any:
        """What was typed, as the document has it; what is no number stays text."""
        text = clean(form.get(self.name, "")).strip()
        if self.kind == "tick":
            return self.name in form
        if self.kind == "lines":
            # What separates them here can stand in none of them.
            return [item for item in re.split(r"[\s,;]+", text) if item]
        if self.kind == "number" and WHOLE.fullmatch(text):
            return int(text)
        return text

    def written(self, value: Any) -> Any:
        """A value of the document, as it is typed."""
        if self.kind == "lines":
            return "\n".join(value)
        return value if self.kind == "tick" else str("" if value is None else value)


@dataclass
class Form:
    """Fields with what was typed, and by the name of a field what is wrong with it."""

    fields: tuple[Field, ...]
    typed: Mapping[str, Any]
    problems: dict[str, str] = field(default_factory=dict)

    @classmethod
    def showing(cls, fields: tuple[Field, ...], values: Mapping[str, Any]) -> "Form":
        """A form that is filled with values of a document, or with what is sensible."""
        return cls(fields, {f.name: f.written(values.get(f.name, f.default)) for f in fields})

    @classmethod
    def sent(cls, fields: tuple[Field, ...], form: MultiDict[str, str]) -> "Form":
        """A form as somebody sent it."""
        typed = {f.name: clean(form.get(f.name, "")) for f in fields if f.kind != "tick"}
        ticked = {f.name: f.name in form for f in fields if f.kind == "tick"}
        return cls(fields, {**typed, **ticked})

    def read(self) -> Values:
        """All that was typed, as the document has it."""
        return {f.name: f.read(self._given()) for f in self.fields}

    def _given(self) -> dict[str, str]:
        return {name: str(text) for name, text in self.typed.items() if text is not False}

    def first_wrong(self) -> str | None:
        """The name of the first field that is wrong."""
        return next((f.name for f in self.fields if f.name in self.problems), None)


def clean(text: str) -> str:
    """No page may hold a control character, nor PostgreSQL a NUL."""
    return "".join(c if c.isprintable() or c in "\r\n\t" else " " for c in text)


NAME = Field("name", "Name", hint="Letters, digits, - and _.")
RING = Field("ring_seconds", "Ring for", "number", default=20, unit="seconds")
RECORD = Field(
    "record_call",
    "Record the conversation",
    "tick",
    hint="Prompts are never recorded, whatever is ticked. Messages on voicemail always are.",
)
PHONE_HINT = "as Asterisk dials it, such as PJSIP/alice or PJSIP/15551234@trunk."
NODE_FIELDS: dict[str, tuple[Field, ...]] = {
    "play_audio": (
        Field("media", "Prompt", "sound", "A sound that Asterisk has. This is never recorded."),
    ),
    "transfer": (Field("destination", "Phone", hint=f"One phone, {PHONE_HINT}"), RING, RECORD),
    "hunt_group": (
        Field("destinations", "Phones", "lines", f"One in each line, {PHONE_HINT}"),
        Field("strategy", "Who is rung", "choice", choices=HUNT_STRATEGIES),
        replace(RING, hint="Where they ring one after the other, each of them so long."),
        RECORD,
    ),
    "queue": (
        Field("queue", "Queue", "choice"),
        Field("max_wait_seconds", "Wait at most", "number", default=300, unit="seconds"),
        RECORD,
    ),
    "voicemail": (
        Field("greeting", "Greeting", "sound", default="sound:vm-intro"),
        Field("max_seconds", "Longest message", "number", default=120, unit="seconds"),
        Field(
            "max_silence_seconds",
            "End after a silence of",
            "number",
            "The caller can also end it with # or hang up.",
            10,
            "seconds",
        ),
    ),
}
QUEUE_FIELDS = (
    NAME,
    Field("members", "Members", "lines", f"One phone in each line, {PHONE_HINT}"),
    Field("strategy", "Who is rung", "choice", default="longest_idle", choices=QUEUE_STRATEGIES),
    replace(RING, default=15, hint="Then the next who is free is rung."),
    Field(
        "wrap_up_seconds",
        "Time to write things up",
        "number",
        "How long after a call a member is left alone.",
        0,
        "seconds",
    ),
    Field("music", "Music", hint="A class of musiconhold.conf.", default="default"),
)
NUMBERS = Field(
    "numbers",
    "Numbers",
    hint="Which dialed numbers come here, with spaces between them, such as 1000 +4930123456.",
    kind="lines",
)


def choice(fields: tuple[Field, ...], name: str, choices: Mapping[str, str]) -> tuple[Field, ...]:
    """The same fields, with these choices for one of them."""
    return tuple(replace(f, choices=choices) if f.name == name else f for f in fields)


def problems_at(
    wrong: list[Wrong], place: tuple[str, ...], values: Mapping[str, Any], whole: str = "name"
) -> dict[str, str]:
    """What is wrong at and below a place, by the field; of the place itself, at the field `whole`.

    A line of several is told by what stands in it.
    """
    found: dict[str, str] = {}
    for each in wrong:
        if each.place[: len(place)] != place:
            continue
        name, *at = (*each.place[len(place) :], "")
        text = each.text
        if at[:-1] and at[0].isdigit():
            item = str(values[name][int(at[0])])
            text = text if text.startswith(f"{item} ") else f"“{item}” {text}"
        found.setdefault(name or whole, text)
    return found
