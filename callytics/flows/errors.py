"""Errors of a flow document: place and text."""

from typing import NamedTuple

from pydantic_core import ErrorDetails

from callytics.flows.node_types import NODE_TYPES
from callytics.flows.parts import Part, Queue


class Wrong(NamedTuple):
    """Error in a document: the keys that lead to its place, and the rule that is broken."""

    place: tuple[str, ...]
    text: str

    def __str__(self) -> str:
        return f"{'.'.join(self.place) or 'document'}: {self.text}"


# Errors of one document that are told; nobody reads more before mending those.
MOST_ERRORS = 200


class DocumentError(Exception):
    """Invalid document; `wrong` has the first errors, `errors` a line for each of them."""

    def __init__(self, wrong: list[Wrong]) -> None:
        more = len(wrong) - MOST_ERRORS
        self.wrong = wrong[:MOST_ERRORS]
        if more > 0:
            self.wrong.append(Wrong((), f"has {more} more errors"))
        self.errors = [str(each) for each in self.wrong]
        super().__init__("\n".join(self.errors))


def from_pydantic(error: ErrorDetails) -> Wrong:
    """Return an error of pydantic with a text for administrators."""
    steps = [str(step) for step in error["loc"]]
    # pydantic puts the node's type between the node and its field; the document has no such key.
    if len(steps) > 4 and steps[0] == "flows" and steps[4] in NODE_TYPES:
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


def _complaint(error: ErrorDetails) -> str:
    kind, context = error["type"], error.get("ctx", {})
    if kind in ("greater_than_equal", "less_than_equal"):
        return _range_of(error)
    if kind == "string_pattern_mismatch":
        start = next(p for p in _PATTERNS if context["pattern"].startswith(p))
        return _PATTERNS[start]
    if kind in ("literal_error", "union_tag_invalid"):
        expected = str(context.get("expected") or context.get("expected_tags"))
        return f"must be one of {expected.replace(' or ', ', ')}".replace("'", "")
    if kind == "string_too_long":
        return f"must be at most {context['max_length']} characters"
    if kind == "too_long":
        return f"must be at most {context['max_length']}"
    return _WORDS.get(kind, str(error["msg"]))


def _ranges(*models: type[Part]) -> dict[str, tuple[int, int]]:
    """Return the least and the greatest value of each field that has both."""
    found = {}
    for name, info in ((n, i) for model in models for n, i in model.model_fields.items()):
        low, high = (_bound(info.metadata, bound) for bound in ("ge", "le"))
        if low is not None and high is not None:
            found[name] = (low, high)
    return found


def _bound(metadata: list[object], bound: str) -> int | None:
    return next((getattr(each, bound) for each in metadata if hasattr(each, bound)), None)


_RANGES = _ranges(Queue, *(node_type.model for node_type in NODE_TYPES.values()))


def _range_of(error: ErrorDetails) -> str:
    low, high = _RANGES[str(error["loc"][-1])]
    return f"must be {low} to {high}"
