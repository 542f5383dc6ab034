"""Import and export of the whole document."""

import json
from hashlib import sha256

from flask import flash, redirect, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from callytics.clock import utc_now
from callytics.flows import drafts
from callytics.flows.diff import changes
from callytics.flows.document import Document, parse
from callytics.flows.errors import DocumentError
from callytics.flows.fields import clean
from callytics.flows.versions import Overtaken, save
from callytics.json_values import Json
from callytics.web.flows.context import page, pages, state
from callytics.web.flows.drafts import seen
from callytics.web.recordings.file_names import attachment

blueprint = pages("flows_files")


@blueprint.get("/flows/export")
def export() -> Response:
    """Send the published version, or the draft, as a download."""
    now = state()
    is_draft = "draft" in request.args
    document = now.work.values if is_draft else now.newest.document
    text = json.dumps(_without_none(document), indent=2, ensure_ascii=False)
    response = Response(f"{text}\n", mimetype="application/json")
    name = f"flows_{utc_now():%Y-%m-%d_%H%M%SZ}{'_draft' if is_draft else ''}.json"
    response.headers["Content-Disposition"] = attachment(name)
    return response


def _without_none(value: Json) -> Json:
    """Return `value` without keys that are None, as `flask flows export` prints it."""
    if isinstance(value, dict):
        return {key: _without_none(each) for key, each in value.items() if each is not None}
    return value


@blueprint.route("/flows/import", methods=["GET", "POST"])
def import_() -> Response | str | tuple[str, int]:
    """Show the changes that a document makes; then make it the draft or publish it."""
    if request.method == "GET":
        return page("import", text="")
    text = _given()
    shown = _digest(text)
    try:
        document = parse(text)
    except DocumentError as error:
        return page("import", text=text, errors=error.errors), 422
    # `shown` is the digest of the text whose changes were shown. Any other text is shown first.
    if request.form.get("shown") == shown:
        try:
            if (done := _take(document)) is not None:
                return done
        except Overtaken:
            return _shown(text, document, shown, overtaken=True), 409
    return _shown(text, document, shown)


def _take(document: Document) -> Response | None:
    if request.form.get("do") == "draft":
        drafts.replace(current_user.id, document, seen())
        flash("The document is your draft now.")
    elif request.form.get("do") == "force":
        save(document, current_user.actor, seen())
        flash("The document is published, for the next call.")
    else:
        return None
    return redirect(url_for("flows.index"), 303)


def _shown(text: str, document: Document, shown: str, overtaken: bool = False) -> str:
    now = state()
    differences = changes(now.newest.document, document.model_dump())
    parts = {"text": text, "shown": shown, "differences": differences, "overtaken": overtaken}
    return page("import", state=now, document=document, **parts)


def _given() -> str:
    """Return the uploaded file, or else the pasted text."""
    file = request.files.get("file")
    sent = file.read() if file else b""
    text = sent.decode("utf-8-sig", "replace") if sent else request.form.get("text", "")
    return clean(text).replace("\r\n", "\n")


def _digest(text: str) -> str:
    return sha256(text.strip().encode(errors="replace")).hexdigest()
