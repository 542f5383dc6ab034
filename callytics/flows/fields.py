"""Form fields of nodes and queues: labels, hints, defaults, and the reading of typed text."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

# An int of more digits than any limit is compared as one; Python refuses to read very many.
WHOLE = re.compile(r"-?[0-9]{1,18}")
PHONE_HINT = "as Asterisk dials it, such as PJSIP/alice or PJSIP/15551234@trunk."


@dataclass(frozen=True)
class Field:
    """One field; its name is that of the document, `kind` the way in which it is typed."""

    name: str
    label: str
    kind: Literal["text", "sound", "number", "lines", "choice", "tick"] = "text"
    hint: str = ""
    default: Any = ""
    unit: str = ""
    choices: Mapping[str, str] = field(default_factory=dict)
    # The field within a sentence, such as "the prompt".
    phrase: str = ""

    def read(self, form: Mapping[str, str]) -> Any:
        """Return the typed value as the document has it; text that is no number stays text."""
        text = clean(form.get(self.name, "")).strip()
        if self.kind == "tick":
            return self.name in form
        if self.kind == "lines":
            # The separators here can stand in none of the items.
            return [item for item in re.split(r"[\s,;]+", text) if item]
        if self.kind == "number" and WHOLE.fullmatch(text):
            return int(text)
        return text

    def written(self, value: Any) -> Any:
        """Return a value of the document as it is typed."""
        if self.kind == "lines":
            return "\n".join(value)
        return value if self.kind == "tick" else str("" if value is None else value)


def clean(text: str) -> str:
    """Replace control characters, which no page may hold, nor PostgreSQL if it is a NUL."""
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
