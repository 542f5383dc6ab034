"""Form fields of nodes and queues: labels, hints, defaults, and parsing of typed text."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from callytics.json_values import Json

# More digits than any limit has. Python's int() refuses texts of thousands of digits.
WHOLE = re.compile(r"-?[0-9]{1,18}")
PHONE_HINT = "as Asterisk dials it, such as PJSIP/alice or PJSIP/15551234@trunk."


@dataclass(frozen=True)
class Field:
    """Form field; `name` is the key in the document, `kind` the kind of input."""

    name: str
    label: str
    kind: Literal["text", "sound", "number", "lines", "choice", "tick"] = "text"
    hint: str = ""
    default: Json = ""
    unit: str = ""
    choices: Mapping[str, str] = field(default_factory=dict)
    # The field within a sentence, such as "the prompt".
    phrase: str = ""

    def read(self, form: Mapping[str, str]) -> Json:
        """Return the typed value as the document has it; text that is no number stays text."""
        text = clean(form.get(self.name, "")).strip()
        if self.kind == "tick":
            return self.name in form
        if self.kind == "lines":
            # No item can contain these separators.
            return [item for item in re.split(r"[\s,;]+", text) if item]
        if self.kind == "number" and WHOLE.fullmatch(text):
            return int(text)
        return text

    def written(self, value: Json) -> str | bool:
        """Return a value of the document as the form shows it."""
        if self.kind == "lines":
            return "\n".join(value)
        return bool(value) if self.kind == "tick" else str("" if value is None else value)


def clean(text: str) -> str:
    """Replace control characters by spaces: HTML does not allow them, and PostgreSQL no NUL."""
    return "".join(c if c.isprintable() or c in "\r\n\t" else " " for c in text)


NAME = Field("name", "Name", hint="Letters, digits, - and _.")
RING = Field(
    "ring_seconds", "Ring for", "number", default=20, unit="seconds", phrase="how long it rings"
)
RECORD = Field(
    "record_call",
    "Record the conversation",
    "tick",
    hint="Prompts are never recorded, whatever is ticked. Messages on voicemail always are.",
)
