"""Three-way merge of two administrators' changes, by flow and queue."""

from collections.abc import Collection

from callytics.flows.diff import KINDS
from callytics.json_values import Json, JsonMapping, JsonObject


def both_changed(
    base: JsonMapping, mine: JsonMapping, theirs: JsonMapping
) -> list[tuple[str, str]]:
    """Return kind and name of each flow and queue that both sides changed differently."""
    found = []
    for kind, name in _names(base, mine, theirs):
        was, my, their = (_part(document, kind, name) for document in (base, mine, theirs))
        if was not in (my, their) and my != their:
            found.append((kind, name))
    return found


def merged(
    base: JsonMapping,
    mine: JsonMapping,
    theirs: JsonMapping,
    wanted: Collection[tuple[str, str]] = (),
) -> JsonObject:
    """Return `base` with the changes of both; in a conflict theirs, or mine if `wanted`."""
    both = both_changed(base, mine, theirs)
    result: JsonObject = {kind: {} for kind in KINDS}
    for kind, name in _names(theirs, mine, base):
        was, my, their = (_part(document, kind, name) for document in (base, mine, theirs))
        if (kind, name) in both:
            chosen = my if (kind, name) in wanted else their
        else:
            chosen = their if my == was else my
        if chosen is not None:
            result[kind][name] = chosen
    return result


def _names(*documents: JsonMapping) -> list[tuple[str, str]]:
    """Return kind and name of each flow and queue of these documents, once, in order."""
    found = [(kind, name) for kind in KINDS for each in documents for name in each.get(kind, {})]
    return list(dict.fromkeys(found))


def _part(document: JsonMapping, kind: str, name: str) -> Json:
    return document.get(kind, {}).get(name)
