"""Audit entries of signing in and out. An entry comes first: without it, nothing is done."""

from flask import abort

from callytics.audit.access_log import log_access
from callytics.audit.authors import Author
from callytics.people.names import NAME_MAX, account_name
from callytics.web.http.offload import run_with_deadline
from callytics.web.http.security_headers import client_address

LOG_SECONDS = 10.0


def log_sign_in(author: Author, action: str) -> None:
    """Add an entry with the address of the client, or answer 503 if it cannot be written."""
    detail = f"from {client_address()}"
    try:
        run_with_deadline(log_access, author, action, "", detail, seconds=LOG_SECONDS)
    except TimeoutError:
        abort(503)


def log_failure(typed: str, action: str) -> None:
    """Add an entry of an attempt with a typed name, which may be that of nobody."""
    log_sign_in(account_name(typed)[:NAME_MAX], action)
