"""Template context of the flow pages: the draft, its state and its errors; administrators only."""

from dataclasses import dataclass
from functools import cached_property

from flask import Blueprint, abort, render_template
from flask_login import current_user

from callytics.flows import drafts, versions
from callytics.flows.diff import changes
from callytics.flows.drafts import EditableDocument
from callytics.flows.edits import chain, users_of, wrong_in
from callytics.flows.errors import Wrong
from callytics.flows.node_types import NODE_TYPES
from callytics.flows.phrases import count, listed, seconds, sound
from callytics.flows.queue_fields import STRATEGIES
from callytics.flows.warnings import recording_of
from callytics.flows.wording import FIELDS, facts, is_recorded
from callytics.json_values import JsonObject
from callytics.web.auth.access import admin_required
from callytics.web.flows.forms import PHONE_FIELDS, SOUNDS

WORDS = {
    "PHONE_FIELDS": PHONE_FIELDS,
    "TYPES": NODE_TYPES,
    "QUEUE_STRATEGIES": STRATEGIES,
    "SOUNDS": SOUNDS,
    "chain": chain,
    "count": count,
    "facts": facts,
    "is_recorded": is_recorded,
    "listed": listed,
    "recording_of": recording_of,
    "seconds": seconds,
    "sound": sound,
    "users_of": users_of,
}


@dataclass(frozen=True)
class EditorState:
    """State of the editor: the published version, and this administrator's draft."""

    work: EditableDocument
    newest: versions.Version

    @property
    def document(self) -> JsonObject:
        """Document that the pages show: the draft, or the published version."""
        return self.work.values

    @cached_property
    def changes(self) -> list[str]:
        """Changes of the draft, in words."""
        base = versions.version(self.work.base_id)
        return changes(base.document if base else {}, self.work.values)

    @cached_property
    def wrong(self) -> list[str]:
        """Errors that keep the draft from being published."""
        return error_sentences(wrong_in(self.work.values)) if self.work.is_draft else []

    @cached_property
    def newer(self) -> list[versions.VersionRow]:
        """Versions published since the draft was begun, newest first."""
        if not self.work.is_draft or self.newest.id == self.work.base_id:
            return []
        return versions.versions(after=self.work.base_id)


def pages(name: str) -> Blueprint:
    """Return a blueprint that only administrators may open."""
    blueprint = Blueprint(name, __name__)
    blueprint.before_request(_only_administrators)
    return blueprint


@admin_required
def _only_administrators() -> None:
    return None


def state() -> EditorState:
    """Return the current state of the editor."""
    return EditorState(drafts.work_of(current_user.id), versions.newest())


def page(template: str, **parts: object) -> str:
    """Render a template of flows/."""
    return render_template(f"flows/{template}.html", **WORDS, **{"state": state(), **parts})


def flow_or_404(document: JsonObject, name: str) -> JsonObject:
    """Return a flow of a document; answer 404 if there is none of this name."""
    if name not in document["flows"]:
        abort(404, "There is no such flow. It may have been renamed or deleted.")
    return dict(document["flows"][name])


def error_sentences(wrong: list[Wrong]) -> list[str]:
    """Return the errors of a draft as sentences."""
    empty = {w.place[1] for w in wrong if w.place[2:] == ("nodes",) and "empty" in w.text}
    said = [f"Flow {name} has no node yet. Add one." for name in sorted(empty)]
    # A flow without nodes has no valid start either: report it once.
    rest = [w for w in wrong if w.place[:1] != ("flows",) or w.place[1] not in empty]
    return said + [_sentence(w) for w in rest]


def _sentence(wrong: Wrong) -> str:
    steps = list(wrong.place)
    if len(steps) < 2:
        return f"{wrong}."
    where = [f"{'Flow' if steps[0] == 'flows' else 'Queue'} {steps[1]}"]
    if steps[2:3] == ["nodes"] and len(steps) > 3:
        where.append(f"node {steps[3]}")
        steps = steps[2:]
    where += [FIELDS.get(step, step) for step in steps[2:3]]
    return f"{', '.join(where)}: {wrong.text}."
