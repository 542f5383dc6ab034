"""Security and cache headers of every response, and the client's address behind a proxy."""

from functools import cache
from hashlib import sha256
from pathlib import Path

from flask import Flask, current_app, request
from flask.sessions import SecureCookieSessionInterface
from werkzeug.wrappers import Response

from callytics.config import Config

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
    """Session cookie that is Secure if the browser came by https.

    gunicorn takes that from X-Forwarded-Proto of the proxies in FORWARDED_ALLOW_IPS. A cookie that
    is always Secure would not work on http://HOST:8000.
    """

    def get_cookie_secure(self, app: Flask) -> bool:
        """Return True if the cookie of this response is Secure."""
        return request.is_secure


def init_headers(app: Flask) -> None:
    """Add the headers to every response of `app`."""
    app.session_interface = Sessions()
    app.jinja_env.globals["asset"] = asset
    app.after_request(_add_headers)


def client_address() -> str:
    """Return the address of the client, also behind the proxies that gunicorn trusts."""
    peer = request.remote_addr or "unknown"
    config: Config = current_app.extensions["callytics"]
    if request.access_route and config.trusts(peer):
        # The last address is the one that the nearest proxy saw; a client can make up the others.
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
    if request.is_secure:
        # From now on the browser comes by https alone. Over http it would mean nothing.
        response.headers["Strict-Transport-Security"] = f"max-age={ONE_YEAR}"
    if request.endpoint == "static" and _is_named_by_content():
        # The URL holds the digest of the content, so the response never gets old.
        response.headers["Cache-Control"] = f"public, max-age={ONE_YEAR}, immutable"
    elif request.endpoint != "static":
        # Call data stays out of the browser's cache.
        response.headers.setdefault("Cache-Control", "no-store")
    return response


def _is_named_by_content() -> bool:
    # During an upgrade the old process may be asked for a file of the new release.
    path = Path(str(current_app.static_folder)) / str((request.view_args or {}).get("filename"))
    return "v" in request.args and path.is_file() and request.args["v"] == _digest(str(path))
