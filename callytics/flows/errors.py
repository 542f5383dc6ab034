"""What is wrong with a flow document, in words, each with its place."""

import re
from typing import Any, NamedTuple


class Wrong(NamedTuple):
    """One thing that is wrong: the steps to its place, and what would be right."""

    place: tuple[str, ...]
    text: str

    def __str__(self) -> str:
        return f"{'.'.join(self.place) or 'document'}: {self.text}"


class DocumentError(Exception):
    """A document that cannot be used; `wrong` is each place that is, `errors` a line for each."""

    def __init__(self, wrong: list[Wrong]) -> None:
        self.wrong = wrong
        self.errors = [str(each) for each in wrong]
        super().__init__("\n".join(self.errors))


def from_pydantic(error: Any) -> Wrong:
    """One of pydantic's errors in our words."""
    steps = [str(step) for step in error["loc"]]
    # pydantic puts the node's type between the node and its field; a person's path has none.
    if len(steps) > 4 and steps[0] == "flows" and steps[4] in _NODE_TYPES:
        del steps[4]
    if error["type"].startswith("union_tag"):
        steps.append("type")
    return Wrong(tuple(step for step in steps if step != "[key]"), _complaint(error))


_WORDS = {
    "missing": "is missing",
    "extra_forbidden": "is not known here",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "dict_type": "must be an object",
    "list_type": "must be a list",
    "string_type": "must be text",
    "int_type": "must be a whole number",
    "bool_type": "must be true or false",
    "union_tag_not_found": "is missing",
    "too_short": "must not be empty",
}
_PATTERNS = {
    "^[A-Za-z][A-Za-z0-9]*/": "must be a dial string such as PJSIP/alice",
    "^(sound": "must be media such as sound:welcome",
    "^[A-Za-z0-9_-]": "must be a name of letters, digits, - and _",
    "^[0-9+*#]": "must be a number of digits, +, * and #",
}
_NODE_TYPES = ("play_audio", "transfer", "hunt_group", "queue", "voicemail")


def _complaint(error: Any) -> str:
    kind, context = error["type"], error.get("ctx", {})
    if kind in ("greater_than_equal", "less_than_equal"):
        return _range_of(error)
    if kind == "string_pattern_mismatch":
        start = next(p for p in _PATTERNS if context["pattern"].startswith(p))
        return _PATTERNS[start]
    if kind in ("literal_error", "union_tag_invalid"):
        expected = context.get("expected") or context.get("expected_tags")
        return f"must be one of {re.sub(' or ', ', ', expected)}".replace("'", "")
    if kind == "string_too_long":
        return f"must be at most {context['max_length']} characters"
    if kind == "too_long":
        return f"must be at most {context['max_length']}"
    return _WORDS.get(kind, error["msg"])


_RANGES = {
    "ring_seconds": (1, 300),
    "max_wait_seconds": (1, 86400),
    "max_seconds": (1, 3600),
    "max_silence_seconds": (1, 60),
    "wrap_up_seconds": (0, 3600),
}


def _range_of(error: Any) -> str:
    low, high = _RANGES[str(error["loc"][-1])]
    return f"must be {low} to {high}"
