"""Library pages: the list of recordings, one recording, and deleting one."""

from urllib.parse import parse_qsl, urlsplit

from flask import (
    Blueprint,
    abort,
    flash,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask_login import current_user
from werkzeug.wrappers import Response

from callytics.calls import library as call_library
from callytics.clock import utc_now
from callytics.recordings import library, notes
from callytics.recordings.deletion import DeletionError, delete_recording
from callytics.recordings.library import RecordingRow
from callytics.search.counting import known_count
from callytics.web.auth.access import POLL_HEADER, admin_required
from callytics.web.http import disk, formatting
from callytics.web.http.list_pages import is_htmx, list_response, varied
from callytics.web.recordings.library_list import around_table, form_parts, library_table
from callytics.web.recordings.lookup import recording_or_404
from callytics.web.recordings.search_form import (
    NAMES,
    SearchForm,
    library_url,
    parse_search,
)
from callytics.web.recordings.search_labels import LABELS
from callytics.web.recordings.waveforms import gaps, spans, svg_path, waveform_of

blueprint = Blueprint("recordings", __name__)
for template_filter in (svg_path, spans, gaps):
    blueprint.add_app_template_filter(template_filter)


@blueprint.get("/")
def home() -> Response:
    """Redirect to the library."""
    return redirect(url_for("recordings.index"))


@blueprint.get("/recordings")
def index() -> Response:
    """Show a page of recordings that match the filters; 400 with the form for a wrong one."""
    form = parse_search(request.args, utc_now())
    if form.problems:
        return _unusable(form)
    # Without JavaScript the form sends its empty fields too; the URL keeps those that are set.
    if not is_htmx() and any(name in NAMES and not text for name, text in request.args.items()):
        return redirect(library_url(form.query))
    counted = known_count(form.filters)
    response = list_response(
        "recordings",
        lambda: library_table(form, counted),
        form.query,
        depends_on=(form.filters, counted),
        around=lambda: around_table(form),
    )
    return _with_url(response, form) if is_htmx() else response


def _unusable(form: SearchForm) -> Response:
    """Return 400 with the form as typed, and the problem of each field beside it."""
    if is_htmx():
        abort(400, " ".join(f"{LABELS[k]}: {text}." for k, text in form.problems.items()))
    html = render_template("recordings/unusable.html", **form_parts(form))
    return make_response(html, 400)


def _with_url(response: Response, form: SearchForm) -> Response:
    """Set the URL in the browser: a new history entry, or for typed letters a replaced one."""
    if POLL_HEADER in request.headers or response.status_code != 200:
        return response
    was = parse_search(_current_query(), utc_now()).query
    typing = (
        was.get("q")
        and form.query.get("q")
        and form.without("q") == {k: v for k, v in was.items() if k != "q"}
    )
    name = "HX-Replace-Url" if typing or was == form.query else "HX-Push-Url"
    response.headers[name] = library_url(form.query)
    return response


def _current_query() -> dict[str, str]:
    """Return the query of the URL that htmx says the browser shows, empty for no URL."""
    try:
        return dict(parse_qsl(urlsplit(request.headers.get("HX-Current-URL", "")).query))
    except ValueError:
        return {}


@blueprint.get("/recordings/<uid>")
def show(uid: str) -> str:
    """Show one recording: its facts, its player, its call."""
    row = recording_or_404(uid)
    call = call_library.call(row.call_uid) if row.call_uid else None
    others = library.recordings_of_calls([row.call_uid]) if call else ()
    parts = {"waveform": waveform_of(row), "added": notes.annotations_of(uid)}
    return render_template("recordings/show.html", row=row, call=call, others=others, **parts)


@blueprint.get("/recordings/<uid>/player")
def player(uid: str) -> str | Response:
    """Return the player, which htmx puts below a row."""
    row = recording_or_404(uid)
    if not is_htmx():
        return redirect(url_for("recordings.show", uid=uid))
    parts = {"waveform": waveform_of(row), "added": notes.annotations_of(uid)}
    return render_template("recordings/_player.html", row=row, **parts)


@blueprint.get("/recordings/<uid>/delete")
@admin_required
def ask(uid: str) -> Response:
    """Ask before deleting: below the row for htmx, else on a page."""
    return _question(recording_or_404(uid))


@blueprint.post("/recordings/<uid>/delete")
@admin_required
def delete(uid: str) -> Response:
    """Delete a recording, or ask again with the reason why it cannot be deleted."""
    row = recording_or_404(uid)
    try:
        delete_recording(disk.storage(), row, current_user.actor)
    except DeletionError as error:
        return _question(row, str(error))
    said = f"The recording of {formatting.caller(row)} to {formatting.callee(row)} is deleted."
    if is_htmx():
        return make_response(render_template("recordings/_deleted.html", said=said))
    flash(said)
    return redirect(url_for("recordings.index"), 303)


def _question(row: RecordingRow, problem: str | None = None) -> Response:
    template = "recordings/_confirm_delete.html" if is_htmx() else "recordings/delete.html"
    response = make_response(render_template(template, row=row, problem=problem))
    if problem:
        response.status_code = 409
        # htmx puts it in place of the question, not in the place of other errors.
        response.headers.update({"HX-Retarget": f"#ask-{row.uid}", "HX-Reswap": "outerHTML"})
    return varied(response)
