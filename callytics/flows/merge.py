"""Three-way merge of two administrators' changes, by flow and queue."""

from collections.abc import Collection, Mapping
from typing import Any

from callytics.flows.diff import KINDS

Values = Mapping[str, Any]


def both_changed(base: Values, mine: Values, theirs: Values) -> list[tuple[str, str]]:
    """Return kind and name of each flow and queue that both sides changed differently."""
    found = []
    for kind, name in _names(base, mine, theirs):
        was, my, their = (_part(document, kind, name) for document in (base, mine, theirs))
        if was not in (my, their) and my != their:
            found.append((kind, name))
    return found


def merged(
    base: Values, mine: Values, theirs: Values, wanted: Collection[tuple[str, str]] = ()
) -> dict[str, Any]:
    """Return `base` with the changes of both; in a conflict theirs, or mine if `wanted`."""
    both = both_changed(base, mine, theirs)
    result: dict[str, Any] = {kind: {} for kind in KINDS}
    for kind, name in _names(theirs, mine, base):
        was, my, their = (_part(document, kind, name) for document in (base, mine, theirs))
        if (kind, name) in both:
            chosen = my if (kind, name) in wanted else their
        else:
            chosen = their if my == was else my
        if chosen is not None:
            result[kind][name] = chosen
    return result


def _names(*documents: Values) -> list[tuple[str, str]]:
    """Return kind and name of each flow and queue of these documents, once, in order."""
    found = [(kind, name) for kind in KINDS for each in documents for name in each.get(kind, {})]
    return list(dict.fromkeys(found))


def _part(document: Values, kind: str, name: str) -> Any:
    return document.get(kind, {}).get(name)
