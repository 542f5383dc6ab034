"""Library with real rows, files and users, for tests that need no call."""

import io
import re
import wave
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import requests
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update
from werkzeug.security import generate_password_hash
from werkzeug.test import TestResponse

from callytics.audit.models import AuditEntry
from callytics.calls.ledger import save_call
from callytics.database.engine import db
from callytics.database.transactions import writing
from callytics.identifiers import new_uid
from callytics.people import users
from callytics.people.models import User
from callytics.recordings import ledger, library
from callytics.recordings.facts import Facts
from callytics.recordings.facts_files import write_facts
from callytics.storage.folder import Storage
from tests.support.apps import new_app

PASSWORD = "correct horse"
# The hash names its cost: this one takes a hundredth of the usual time.
_QUICK_HASH = generate_password_hash(PASSWORD, method="scrypt:512:8:1")
STARTED_AT = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')


def wav_bytes(sound: bytes) -> bytes:
    """Return a .wav as Asterisk writes it: 44 bytes of header, 8 kHz, 16 bit, mono."""
    whole = io.BytesIO()
    with wave.open(whole, "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(sound)
    return whole.getvalue()


class Browser(FlaskClient):
    """Test client that reads a response to its end and closes it, as a server does."""

    def open(self, *args: Any, buffered: bool = True, **options: Any) -> TestResponse:
        """Make a request."""
        return super().open(*args, buffered=buffered, **options)


@dataclass
class Shelf:
    """Library of one installation."""

    environment: dict[str, str]
    app: Flask

    @classmethod
    def of(cls, environment: dict[str, str]) -> "Shelf":
        """Return the library of an installation with a schema."""
        app = new_app(environment)
        app.test_client_class = Browser
        return cls(environment, app)

    @property
    def storage(self) -> Storage:
        """Recordings folder."""
        return self.app.extensions["storage"]

    def add(self, content: bytes | None, **facts: Any) -> Facts:
        """Add a recording: its audio `content` (None for no file), facts and row."""
        given = {"uid": new_uid(), "kind": "transfer", "direction": "inbound", "format": "wav"}
        given |= {"state": "available", "started_at": STARTED_AT, **facts}
        kept = Facts(**given)
        write_facts(self.storage, kept)
        if content is not None:
            self.storage.write(kept.path, content)
        with self.app.app_context():
            ledger.save_recording(kept)
        return kept

    def add_call(self, uid: str, **values: Any) -> str:
        """Add the row of a call, by default inbound and answered; return `uid`."""
        given = {"direction": "inbound", "caller_number": "5551234", "dialed_number": "1000"}
        given |= {"uid": uid, "path": [], "disposition": "answered", "started_at": STARTED_AT}
        given |= {"ended_at": STARTED_AT + timedelta(minutes=1)}
        with self.app.app_context():
            save_call({**given, **values})
        return uid

    def path(self, facts: Facts) -> Path:
        """Return the path of the audio."""
        return self.storage.root / facts.path

    def row(self, facts: Facts) -> Any:
        """Return the current row."""
        with self.app.app_context():
            return library.recording(facts.uid)

    def accesses(self, facts: Facts) -> list[tuple[str, str]]:
        """Return user and action of each audit entry of this recording, in order."""
        columns = (AuditEntry.username, AuditEntry.action)
        query = select(*columns).where(AuditEntry.recording_uid == facts.uid)
        with self.app.app_context(), db.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(query.order_by(AuditEntry.id))]

    def add_person(self, name: str, role: str = "reviewer") -> None:
        """Add a user, with a password hash that is quick to check."""
        with self.app.app_context():
            users.add_user(name, role, PASSWORD, changed_by="tests")
            with writing() as connection:
                who = update(User).where(User.username == name)
                connection.execute(who.values(password_hash=_QUICK_HASH))

    def client(self, name: str) -> FlaskClient:
        """Return a test client in which `name` has signed in by the form."""
        client = self.app.test_client()
        token = TOKEN.search(client.get("/login").get_data(as_text=True))
        assert token, "the form has a token"
        form = {"username": name, "password": PASSWORD, "csrf_token": token[1]}
        assert client.post("/login", data=form).status_code == 303
        return client


def signed_in(url: str, name: str, password: str = PASSWORD) -> requests.Session:
    """Return an HTTP session with the server at `url` in which `name` has signed in by the form."""
    session = requests.Session()
    token = TOKEN.search(session.get(f"{url}/login", timeout=60).text)
    assert token, "the form has a token"
    form = {"username": name, "password": password, "csrf_token": token[1]}
    done = session.post(f"{url}/login", data=form, timeout=60, allow_redirects=False)
    assert done.status_code == 303
    return session


def without_keeping(person: requests.Session) -> requests.Session:
    """HTTP session without keep-alive: gunicorn may close an idle connection during its use."""
    person.headers["Connection"] = "close"
    return person
