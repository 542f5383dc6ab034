"""What every answer says to the browser, and what is believed of a proxy before us."""

from functools import cache
from hashlib import sha256
from pathlib import Path

from flask import Flask, current_app, request
from flask.sessions import SecureCookieSessionInterface
from werkzeug.wrappers import Response

from callytics.config import read_environment

# Nothing from elsewhere, nothing inline; audio and requests only from here.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "media-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
SECURITY_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
ONE_YEAR = 365 * 24 * 3600


class Sessions(SecureCookieSessionInterface):
    """The session's cookie is Secure whenever the browser came by https.

    gunicorn knows that from X-Forwarded-Proto, which it believes of the proxies in
    FORWARDED_ALLOW_IPS alone. Always Secure would lock out who tries it on http://HOST:8000.
    """

    def get_cookie_secure(self, app: Flask) -> bool:
        """Whether this answer's cookie is Secure."""
        return request.is_secure


def init_headers(app: Flask) -> None:
    """Put the headers on every answer of `app`."""
    trusted = read_environment().get("FORWARDED_ALLOW_IPS", "127.0.0.1,::1")
    app.config["TRUSTED_PROXIES"] = {address.strip() for address in trusted.split(",")}
    app.session_interface = Sessions()
    app.jinja_env.globals["asset"] = asset
    app.after_request(_add_headers)


def client_address() -> str:
    """The address that a request came from, past the proxies that gunicorn trusts too."""
    peer = request.remote_addr or "unknown"
    trusted = current_app.config["TRUSTED_PROXIES"]
    if request.access_route and (peer in trusted or "*" in trusted):
        # The last is what the nearest proxy saw; those before it are only what it was told.
        return request.access_route[-1]
    return peer


def asset(name: str) -> str:
    """Return the URL of a static file; another one when the file has changed.

    Without `url_for`, which would take a tenth of a page's time for the eight files of each page.
    """
    digest = _digest(f"{current_app.static_folder}/{name}")
    return f"{request.script_root}{current_app.static_url_path}/{name}?v={digest}"


@cache
def _digest(path: str) -> str:
    return sha256(Path(path).read_bytes()).hexdigest()[:12]


def _add_headers(response: Response) -> Response:
    for name, value in SECURITY_HEADERS.items():
        response.headers.setdefault(name, value)
    if request.endpoint == "static" and _is_named_by_content():
        # The address holds the content's hash, so the answer can never be out of date.
        response.headers["Cache-Control"] = f"public, max-age={ONE_YEAR}, immutable"
    elif request.endpoint != "static":
        # Who called whom stays out of the browser's files.
        response.headers.setdefault("Cache-Control", "no-store")
    return response


def _is_named_by_content() -> bool:
    # While a new version is put in place, the old process may be asked for the new one's file.
    path = Path(str(current_app.static_folder)) / str((request.view_args or {}).get("filename"))
    return "v" in request.args and path.is_file() and request.args["v"] == _digest(str(path))
