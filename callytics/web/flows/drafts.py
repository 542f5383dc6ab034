"""Draft pages: publish, discard, or merge with another administrator's version."""

from flask import flash, redirect, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from callytics.flows import drafts, versions
from callytics.flows.diff import KINDS, changes
from callytics.flows.drafts import NoDraftError
from callytics.flows.errors import DocumentError
from callytics.flows.merge import both_changed, merged
from callytics.flows.versions import Overtaken
from callytics.json_values import JsonObject
from callytics.web.flows.context import EditorState, error_sentences, page, pages, state

blueprint = pages("flows_drafts")


NO_DRAFT = "You have no draft: it was published or discarded, perhaps in another window."


@blueprint.get("/flows/draft")
def show() -> Response | str:
    """Show the changes of the draft, and those published since it was begun."""
    now = state()
    if not now.work.is_draft:
        return _gone()
    return _page(now)


@blueprint.post("/flows/draft")
def publish() -> Response | tuple[str, int]:
    """Publish the draft for the next call, unless another version was published meanwhile."""
    try:
        drafts.publish(current_user.id, current_user.actor, seen())
    except NoDraftError:
        return _gone()
    except Overtaken:
        return _page(state(), overtaken=True), 409
    except DocumentError as error:
        return _page(state(), wrong=error_sentences(error.wrong)), 422
    flash("Your changes are published, for the next call. Calls in progress keep what they had.")
    return redirect(url_for("flows.index"), 303)


def _page(now: EditorState, overtaken: bool = False, wrong: list[str] | None = None) -> str:
    parts = {"overtaken": overtaken, "wrong": wrong or []}
    if not now.newer:
        return page("draft", state=now, **parts)
    base = versions.version(now.work.base_id)
    was, mine, theirs = base.document if base else {}, now.work.values, now.newest.document
    both = both_changed(was, mine, theirs)
    return page(
        "draft",
        state=now,
        both=[(kind, name, *_sides(was, mine, theirs, kind, name)) for kind, name in both],
        theirs=changes(was, theirs),
        kept=changes(theirs, merged(was, mine, theirs)),
        replaced=changes(theirs, mine),
        **parts,
    )


def _sides(
    was: JsonObject, mine: JsonObject, theirs: JsonObject, kind: str, name: str
) -> tuple[list[str], list[str]]:
    """Return the changes of both sides in one flow or queue."""
    alone = [
        {kind: {name: each[kind][name]} if name in each.get(kind, {}) else {}}
        for each in (was, mine, theirs)
    ]
    return changes(alone[0], alone[1]), changes(alone[0], alone[2])


@blueprint.post("/flows/draft/keep-both")
def keep_both() -> Response | tuple[str, int]:
    """Merge another administrator's version into the draft."""
    wanted = [(kind, name) for kind in KINDS for name in request.form.getlist(f"mine-{kind}")]
    try:
        drafts.keep_both(current_user.id, seen(), wanted)
    except NoDraftError:
        return _gone()
    except Overtaken:
        return _page(state(), overtaken=True), 409
    if drafts.work_of(current_user.id).is_draft:
        flash("Your draft holds both now. Look at it, then publish it.")
    else:
        flash("The published version is kept. It leaves nothing of your draft to publish.")
    return redirect(url_for("flows.index"), 303)


@blueprint.route("/flows/draft/discard", methods=["GET", "POST"])
def discard() -> Response | str:
    """Ask, then discard the draft."""
    now = state()
    if request.method == "POST":
        drafts.discard(current_user.id)
        flash("Your draft is discarded. The published version was not changed.")
        return redirect(url_for("flows.index"), 303)
    return page("discard", state=now) if now.work.is_draft else _gone()


def seen() -> int:
    """Return the version that the form was made from, or -1, which is no version."""
    text = request.form.get("seen", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1


def _gone() -> Response:
    flash(NO_DRAFT)
    return redirect(url_for("flows.index"), 303)
