"""Forms of flows: fields, typed values and their errors.

Typed values are checked by the same models as an import, with the same messages.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from werkzeug.datastructures import MultiDict

from callytics.flows.errors import Wrong
from callytics.flows.fields import Field, clean
from callytics.json_values import JsonMapping, JsonObject

# Prompts of Asterisk's core sounds, which every installation has.
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
# Fields of dial strings, for which the pages offer the endpoints that Asterisk knows.
PHONE_FIELDS = ("destination", "destinations", "members")


@dataclass
class Form:
    """Form: fields, typed values, and errors by field."""

    fields: tuple[Field, ...]
    typed: JsonMapping
    problems: dict[str, str] = field(default_factory=dict)

    @classmethod
    def showing(cls, fields: tuple[Field, ...], values: JsonMapping) -> "Form":
        """Return a form filled with values of a document, or with defaults."""
        return cls(fields, {f.name: f.written(values.get(f.name, f.default)) for f in fields})

    @classmethod
    def sent(cls, fields: tuple[Field, ...], form: MultiDict[str, str]) -> "Form":
        """Return a form as it was sent."""
        typed = {f.name: clean(form.get(f.name, "")) for f in fields if f.kind != "tick"}
        ticked = {f.name: f.name in form for f in fields if f.kind == "tick"}
        return cls(fields, {**typed, **ticked})

    def read(self) -> JsonObject:
        """Return all typed values as the document has them."""
        return {f.name: f.read(self._given()) for f in self.fields}

    def _given(self) -> dict[str, str]:
        return {name: str(text) for name, text in self.typed.items() if text is not False}

    def first_wrong(self) -> str | None:
        """Return the name of the first field that is wrong, or None."""
        return next((f.name for f in self.fields if f.name in self.problems), None)


NUMBERS = Field(
    "numbers",
    "Numbers",
    hint="Which dialed numbers come here, with spaces between them, such as 1000 +4930123456.",
    kind="lines",
)


def choice(fields: tuple[Field, ...], name: str, choices: Mapping[str, str]) -> tuple[Field, ...]:
    """Return `fields` with `choices` for the field `name`."""
    return tuple(replace(f, choices=choices) if f.name == name else f for f in fields)


def problems_at(
    wrong: list[Wrong], place: tuple[str, ...], values: JsonMapping, whole: str = "name"
) -> dict[str, str]:
    """Return errors at and below a place, by field; those of the place itself at the field `whole`.

    The error of one line of a field quotes that line.
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
