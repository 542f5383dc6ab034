"""Bulk actions on a selection: download as zip, export as CSV, delete.

They are plain forms, so they work without a script too.
"""

import logging
import time
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import chain, islice

import gevent
from flask import (
    Blueprint,
    Response,
    abort,
    current_app,
    flash,
    redirect,
    render_template,
    request,
    stream_with_context,
    url_for,
)
from flask_login import current_user
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.wrappers import Response as BaseResponse

from callytics.audit import access_log
from callytics.clock import utc_now
from callytics.database.paging import CursorError
from callytics.export import csv_table
from callytics.export.selection import MOST, Part, Selection, SelectionError, chosen, matching
from callytics.export.zip_archive import Bundle, entries
from callytics.recordings import library, notes
from callytics.recordings.deletion import DeletionError, delete_recording
from callytics.recordings.library import RecordingRow
from callytics.search.engine import find
from callytics.web.auth.access import admin_required
from callytics.web.http import disk
from callytics.web.http.error_pages import NoAuditError
from callytics.web.http.numbers import whole_number
from callytics.web.http.offload import run_audit, run_with_deadline, searches
from callytics.web.recordings import listening_log
from callytics.web.recordings.file_names import attachment, file_name
from callytics.web.recordings.search_form import parse_search
from callytics.web.recordings.zip_limits import begin_zip

log = logging.getLogger(__name__)

blueprint = Blueprint("many", __name__)

# A deletion responds after this time with its progress, and goes on with the next request.
PART_SECONDS = 1.0
# Longest search for a whole selection, and for one page of it.
SELECTION_SECONDS, PAGE_SECONDS = 20.0, 10.0
# Longest wait for the audit entry of an export.
LOG_SECONDS = 10.0


@blueprint.post("/recordings/many/download")
def download() -> Response:
    """Send a zip of the audio with a manifest; each recording gets an audit entry."""
    end = begin_zip(current_user.id)
    try:
        response = _zip()
    except BaseException:
        end()
        raise
    response.call_on_close(end)
    return response


def _zip() -> Response:
    rows = _all_rows(_selection())
    actor = current_user.actor
    # In a thread: reading the sizes of ten thousand files takes a while.
    pool = gevent.get_hub().threadpool
    found = pool.apply(entries, (current_app.extensions["storage"], rows, file_name))
    if not any(entry.name for entry in found):
        abort(409, "None of these recordings has audio that could be downloaded.")
    # The manifest has the facts of all recordings, also of those without audio.
    _log_exported([row.uid for row in rows])
    bundle = Bundle(
        current_app.extensions["storage"],
        found,
        _added(rows),
        lambda row: listening_log.note(actor, "download", row.uid),
    )
    response = Response(stream_with_context(iter(bundle)), mimetype="application/zip")
    response.content_length = len(bundle)
    response.headers["Content-Disposition"] = attachment(_name("zip"))
    return response


@blueprint.post("/recordings/many/export")
def export() -> Response:
    """Send the facts, tags and notes as CSV."""
    selection = _selection()
    many = "all that match" if selection.filters else f"{len(selection.uids)} recordings"
    query = request.query_string.decode(errors="replace")
    access_log.log_access(current_user.actor, "export", "", f"{many} {query}".strip())
    batches = _batches(selection)
    # Before anything is sent, so that an export whose entry cannot be written is an error page.
    lines = _lines(chain(list(islice(batches, 1)), batches))
    response = Response(stream_with_context(lines), mimetype="text/csv")
    response.headers["Content-Disposition"] = attachment(_name("csv"))
    return response


@blueprint.post("/recordings/many/delete")
@admin_required
def delete() -> BaseResponse | str:
    """Ask with the number and length of the recordings; then delete them, a second at a time."""
    selection = _selection()
    if "confirmed" not in request.form:
        return _question(selection)
    done, failed = (whole_number(request.form, name) for name in ("done", "failed"))
    began, problem = time.monotonic(), request.form.get("problem", "")
    after = request.form.get("after") or None
    for part in _parts(selection, after):
        for row in part.rows:
            if why := _delete(row):
                failed, problem = failed + 1, why
            else:
                done += 1
        if part.after and time.monotonic() - began > PART_SECONDS:
            return _page(
                "deleting",
                selection,
                total=whole_number(request.form, "total"),
                upto=selection.until_id,
                done=done,
                failed=failed,
                problem=problem,
                after=part.after,
            )
    return _deleted(done, failed, problem)


def _question(selection: Selection) -> str:
    rows = _all_rows(selection)
    if not rows:
        abort(400, "None of these recordings is there any more.")
    upto = max(row.id for row in rows)
    length = sum(row.duration_ms or 0 for row in rows)
    return _page("delete_many", selection, total=len(rows), upto=upto, ms=length)


def _page(name: str, selection: Selection, **shown: object) -> str:
    query = request.query_string.decode(errors="replace")
    action = f"{url_for('many.delete')}?{query}" if query else url_for("many.delete")
    shown |= {"selection": selection, "action": action, "back": _back()}
    return render_template(f"recordings/{name}.html", **shown)


def _delete(row: RecordingRow) -> str:
    """Delete one recording; return the reason if it cannot be deleted, else ""."""
    try:
        delete_recording(disk.storage(), row, current_user.actor)
    except DeletionError as error:
        return str(error)
    return ""


def _deleted(done: int, failed: int, problem: str) -> BaseResponse:
    flash(f"{done} recordings are deleted." if done != 1 else "One recording is deleted.")
    if failed:
        flash(f"{failed} could not be deleted. The last reason: {problem}", "problem")
    return redirect(_back(), 303)


def _selection() -> Selection:
    """Return the recordings that are ticked, or all that the URL of the list matches."""
    try:
        if "all" not in request.form:
            return chosen(request.form.getlist("uid"))
        form = parse_search(request.args, utc_now())
        if form.problems:
            raise SelectionError("The list's filters are not usable. Go back and mend them first.")
        return matching(form.filters, request.form.get("upto"))
    except SelectionError as error:
        abort(400, str(error))


def _all_rows(selection: Selection) -> list[RecordingRow]:
    rows: list[RecordingRow] = []
    began = time.monotonic()
    for part in _parts(selection):
        rows += part.rows
        if len(rows) > MOST:
            abort(400, f"More than {MOST:,} recordings match. Narrow the list, then try again.")
        if time.monotonic() - began > SELECTION_SECONDS:
            abort(400, "It takes too long to find them all. Choose fewer days, then try again.")
    return rows


def _parts(selection: Selection, after: str | None = None) -> Iterator[Part]:
    """Yield the parts of a selection; other requests run between them."""
    look = partial(run_with_deadline, find, seconds=PAGE_SECONDS, limiter=searches)
    try:
        for part in selection.parts(after, look):
            yield part
            gevent.sleep(0)
    except CursorError:
        abort(400, "There is no such place in the list. Go back and begin again.")


def _batches(selection: Selection) -> Iterator[list[RecordingRow]]:
    """Yield the rows of an export, each batch after its entry in the audit."""
    rows: list[RecordingRow] = []
    for part in _parts(selection):
        rows += part.rows
        if rows and (len(rows) >= access_log.UIDS_OF_ENTRY or part.after is None):
            _log_exported([row.uid for row in rows])
            yield rows
            rows = []


def _log_exported(uids: list[str]) -> None:
    try:
        run_audit(access_log.log_uids, current_user.actor, "exported", uids, seconds=LOG_SECONDS)
    except (TimeoutError, SQLAlchemyError) as error:
        log.error("audit: an export of %d recordings cannot be kept: %r", len(uids), error)
        raise NoAuditError from error


def _lines(batches: Iterable[list[RecordingRow]]) -> Iterator[bytes]:
    yield csv_table.head(csv_table.COLUMNS)
    for rows in batches:
        uids = [row.uid for row in rows]
        added, digests = notes.annotations_by_uid(uids), library.checksums(uids)
        for row in rows:
            yield csv_table.line((*csv_table.facts(row, digests), *csv_table.added(row.uid, added)))


def _added(rows: list[RecordingRow]) -> dict[str, notes.Annotations]:
    found: dict[str, notes.Annotations] = {}
    for at in range(0, len(rows), 500):
        found |= notes.annotations_by_uid([row.uid for row in rows[at : at + 500]])
    return found


def _back() -> str:
    query = request.query_string.decode(errors="replace")
    return url_for("recordings.index") + (f"?{query}" if query else "")


def _name(extension: str) -> str:
    return f"recordings_{utc_now():%Y-%m-%d_%H%M%SZ}.{extension}"
