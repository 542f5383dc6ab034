"""Error pages: what happened, and what to do now."""

from flask import Flask, current_app, render_template, request
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException, ServiceUnavailable, TooManyRequests
from werkzeug.wrappers import Response

# Title and advice by status; a description given to abort() replaces the advice.
PAGES = {
    400: ("That did not work", "The address or the form was not complete. Go back and try again."),
    403: ("Not allowed", "Your account may not do this. An administrator can."),
    404: ("Not found", "Nothing is at this address. It may have been deleted, or mistyped."),
    405: ("Not like this", "This address cannot be opened that way. Go back and use the button."),
    413: ("Too large", "What was sent is larger than anything Callytics takes."),
    429: ("Too many attempts", "Wait a few minutes, then try again."),
    500: (
        "Something broke",
        "Not by your fault. Try again; if it stays, tell an administrator.",
    ),
    503: ("The database does not answer", "Try again in a minute."),
}
FOR_ADMINISTRATORS = (500, 503)


class BusyError(ServiceUnavailable):
    """Too much is going on; the description says what to do."""

    title = "Too busy just now"


class TooManyAtOnceError(TooManyRequests):
    """One person does too much at once; the description says what to do."""

    title = "Too much at once"


class NoAuditError(ServiceUnavailable):
    """The audit cannot be written, so nothing is shown or sent."""

    title = "The audit cannot be written"
    description = "So nothing can be heard or saved. Try again in a minute."


def init_errors(app: Flask) -> None:
    """Answer every error of `app` with a page, or with a message for htmx."""
    # A document may be pasted into a form as well as sent as a file.
    app.config["MAX_CONTENT_LENGTH"] = app.config["MAX_FORM_MEMORY_SIZE"] = 1024 * 1024
    app.register_error_handler(HTTPException, _answer)
    app.register_error_handler(CSRFError, _form_too_old)
    app.register_error_handler(OperationalError, _database_away)


def _answer(error: HTTPException) -> Response | tuple[str, int, dict[str, str]]:
    code = error.code or 500
    if code < 400:  # a redirect that was raised
        return error.get_response()
    title, advice = PAGES.get(code, ("That did not work", "Go back and try again."))
    if isinstance(error, BusyError | TooManyAtOnceError | NoAuditError):
        title, advice = error.title, error.description or advice
    # Werkzeug's own descriptions are written for programmers.
    elif error.description not in (None, type(error).description):
        advice = error.description
    fragment = "HX-Request" in request.headers
    page = render_template(
        "errors/_message.html" if fragment else "errors/page.html",
        title=title,
        advice=advice,
        for_administrators=code in FOR_ADMINISTRATORS,
    )
    return page, code, _headers(error)


def _headers(error: HTTPException) -> dict[str, str]:
    """Return the headers of the error besides those of its page, such as Allow."""
    ours = ("content-type", "content-length")
    return {k: v for k, v in error.get_headers() if k.lower() not in ours}


def _form_too_old(error: CSRFError) -> Response | tuple[str, int, dict[str, str]]:
    error.description = (
        "This form is too old, or your browser refuses cookies. "
        "Go back, reload the page, and send it again."
    )
    return _answer(error)


def _database_away(error: OperationalError) -> Response | tuple[str, int, dict[str, str]]:
    current_app.logger.error("the database does not answer: %s", error.orig)
    return _answer(ServiceUnavailable())
