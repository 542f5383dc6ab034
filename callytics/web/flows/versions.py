"""Version history: list of versions, one version, and restoring it."""

from flask import abort, flash, redirect, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from callytics.flows import versions
from callytics.flows.diff import changes
from callytics.flows.errors import DocumentError
from callytics.flows.versions import PAGE_SIZE, Overtaken, Version
from callytics.json_values import JsonObject
from callytics.web.flows.context import page, pages, state
from callytics.web.flows.diagram import picture_of
from callytics.web.flows.drafts import seen

# Diagrams on the page of a version; the other flows have links.
MOST_PICTURES = 10

blueprint = pages("flows_history")


@blueprint.get("/flows/history")
def index() -> str:
    """Show a page of versions, newest first."""
    upto = request.args.get("upto", type=int)
    rows = versions.versions(None if upto is None else _bounded(upto), limit=PAGE_SIZE + 1)
    older = rows[PAGE_SIZE].id if len(rows) > PAGE_SIZE else None
    return page("history", rows=rows[:PAGE_SIZE], older=older, upto=upto)


@blueprint.get("/flows/history/<int:number>")
def show(number: int) -> str:
    """Show one version: its changes, its difference from the published one, its diagrams."""
    version, before = _version_or_404(number), versions.before(number).document
    now = state()
    flows = version.document.get("flows", {})
    new = [name for name, flow in flows.items() if before.get("flows", {}).get(name) != flow]
    asked = request.args.get("flow")
    drawn = [asked] if asked is not None and asked in flows else new[:MOST_PICTURES]
    return page(
        "version",
        state=now,
        version=version,
        changed=changes(before, version.document),
        back=changes(now.newest.document, version.document),
        pictures={name: picture_of(name, flows[name]) for name in drawn},
        others=[name for name in flows if name not in drawn],
    )


@blueprint.route("/flows/history/<int:number>/take-back", methods=["GET", "POST"])
def take_back(number: int) -> Response | str | tuple[str, int]:
    """Ask with a list of changes, then publish an older version again."""
    version, problem = _version_or_404(number), ""
    if request.method == "POST":
        try:
            versions.take_back(version, current_user.actor, seen())
        except Overtaken:
            problem = "Somebody published other changes meanwhile. Look again at what changes."
        except DocumentError as error:
            problem = f"This version cannot be used any more: {'; '.join(error.errors)}."
        else:
            flash(f"Version {number} is published again, for the next call.")
            return redirect(url_for("flows_history.index"), 303)
    now = state()
    parts: JsonObject = {"back": changes(now.newest.document, version.document)}
    asked = page("take_back", state=now, version=version, problem=problem, **parts)
    return (asked, 409) if problem else asked


def _version_or_404(number: int) -> Version:
    version = versions.version(_bounded(number))
    if version is None or not version.id:
        abort(404, "There is no such version.")
    return version


def _bounded(number: int) -> int:
    """Return `number` within PostgreSQL's integer, where `number + 1` must fit too."""
    return max(min(number, 2**31 - 2), 0)
