"""Next parts of a recording: each passes the sign-in check and the audit, as the first one does."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from flask import request, request_started
from flask.testing import FlaskClient

from callytics.people import users
from callytics.recordings import ledger
from tests.support.processes import Web
from tests.support.shelf import Browser, Shelf, signed_in, wav_bytes
from tests.support.waiting import wait_until

WAV = wav_bytes(bytes(range(256)) * 16)


@pytest.fixture
def rita(shelf: Shelf) -> FlaskClient:
    shelf.app.test_client_class = Browser
    return shelf.client("rita")


def hear(client: FlaskClient, address: str) -> None:
    """Listen twice: the first request writes the audit entry, the second finds it written."""
    for _ in range(2):
        assert client.get(address).status_code == 200


@contextmanager
def asked_of_flask(shelf: Shelf) -> Iterator[list[str]]:
    """Paths of the requests that reach Flask, where rights are decided."""
    paths: list[str] = []

    def note(_app: object, **_: object) -> None:
        paths.append(request.path)

    with request_started.connected_to(note, shelf.app):
        yield paths


@pytest.mark.parametrize("path", ["audio", "download"])
@pytest.mark.parametrize("form", [{}, {"format": "ulaw", "kind": "voicemail"}])
def test_the_next_part_is_the_same_whoever_answers(shelf: Shelf, rita, path: str, form) -> None:
    kept = shelf.add(WAV, **form)
    address = f"/recordings/{kept.uid}/{path}"
    asked = ({}, {"Range": "bytes=7-99"}, {"Range": "bytes=-5"}, {"Range": "bytes=999999-"})
    hear(rita, address)
    with asked_of_flask(shelf) as paths:
        given = [rita.get(address, headers=headers) for headers in asked]
        assert len(paths) == len(asked)
        made = [rita.get(f"{address}?{n}", headers=h) for n, h in enumerate(asked)]
    for one, other in zip(made, given, strict=True):
        assert (one.status, one.data) == (other.status, other.data)
        assert dict(one.headers) == dict(other.headers)


def test_a_session_that_was_ended_hears_no_more_parts(shelf: Shelf, rita: FlaskClient) -> None:
    kept = shelf.add(WAV)
    hear(rita, f"/recordings/{kept.uid}/audio")
    with shelf.app.app_context():
        users.end_sessions(users.user_named("rita").id)
    assert rita.get(f"/recordings/{kept.uid}/audio").status_code == 302


def test_another_person_is_asked_for(shelf: Shelf, rita: FlaskClient) -> None:
    kept = shelf.add(WAV)
    hear(rita, f"/recordings/{kept.uid}/audio")
    assert shelf.app.test_client().get(f"/recordings/{kept.uid}/audio").status_code == 302


def test_a_recording_that_was_deleted_is_gone_at_once(shelf: Shelf, rita: FlaskClient) -> None:
    kept = shelf.add(WAV)
    hear(rita, f"/recordings/{kept.uid}/audio")
    with shelf.app.app_context():
        ledger.forget_recording(kept.uid)
    assert rita.get(f"/recordings/{kept.uid}/audio").status_code == 404


def test_a_file_that_is_gone_is_told_as_ever(shelf: Shelf, rita: FlaskClient) -> None:
    kept = shelf.add(WAV)
    hear(rita, f"/recordings/{kept.uid}/audio")
    shelf.path(kept).unlink()
    assert rita.get(f"/recordings/{kept.uid}/audio").status_code == 404
    assert shelf.row(kept).state == "missing"


def test_the_log_says_how_much_the_kernel_sent(web_env, shelf: Shelf, tmp_path) -> None:
    kept = shelf.add(WAV)
    with Web(web_env, tmp_path) as web:
        rita = signed_in(web.url, "rita")
        for headers in ({}, {"Range": "bytes=0-99"}, {"Range": "bytes=0-9"}):
            rita.get(f"{web.url}/recordings/{kept.uid}/audio", headers=headers, timeout=60)
        sent = [f"200 {len(WAV)} bytes", "206 100 bytes", "206 10 bytes"]
        wait_until(lambda: all(text in web.log.read_text() for text in sent), "it is in the log")
