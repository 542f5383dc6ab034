"""Descriptors of a web process over some thousand requests, and of gunicorn over reloads."""

import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from callytics.recordings.facts import Facts
from tests.support.descriptors import check_that_none_is_left, children, descriptors
from tests.support.processes import Web
from tests.support.shelf import Shelf, signed_in, wav_bytes
from tests.support.waiting import wait_until

# More than the socket buffers of both sides hold, so that a client can leave in the middle.
LONG = wav_bytes(bytes(range(256)) * 80_000)
ROUNDS = 60


@pytest.fixture
def web(web_env: dict[str, str], tmp_path: Path) -> Iterator[Web]:
    with Web(web_env, tmp_path, forked=False) as server:
        yield server


def ask_for_everything(web: Web, person: requests.Session, facts: Facts) -> None:
    """Once of each kind: pages, searches, parts of the audio, errors, a wrong password."""
    recording = f"/recordings/{facts.uid}"
    pages = ("/recordings", "/recordings?q=555", "/calls", "/live", "/queues", recording)
    refused = ("/recordings/none", "/recordings/none/audio", "/nothing", "/recordings?from=never")
    for path in (*pages, *refused, f"{recording}/audio", "/healthz", "/readyz"):
        headers = {"Range": "bytes=100-60000"} if path.endswith("audio") else {}
        person.get(web.url + path, headers=headers, timeout=60)
    for part in ("bytes=0-", "bytes=-10", "bytes=999999999-"):
        person.get(f"{web.url}{recording}/audio", headers={"Range": part}, timeout=60, stream=True)
    person.get(f"{web.url}{recording}/download", timeout=60, stream=True).close()
    requests.get(f"{web.url}/recordings", timeout=60)  # sent to the sign-in
    requests.post(f"{web.url}/login", data={"username": "rita", "password": "no"}, timeout=60)


def leave_early(web: Web, person: requests.Session, facts: Facts) -> None:
    """Ask for a whole recording and go after its first bytes."""
    cookies = "; ".join(f"{c.name}={c.value}" for c in person.cookies)
    with socket.create_connection(("127.0.0.1", int(web.environment["PORT"]))) as client:
        request = f"GET /recordings/{facts.uid}/audio HTTP/1.1\r\nHost: localhost\r\n"
        client.sendall(f"{request}Cookie: {cookies}\r\n\r\n".encode())
        assert client.recv(100).startswith(b"HTTP/1.1 200")


@pytest.mark.slow
def test_a_web_process_has_no_more_open_after_a_thousand_requests(web: Web, shelf: Shelf) -> None:
    facts = shelf.add(LONG)
    (process,) = children(web.process.pid)

    def rounds(count: int) -> None:
        for _ in range(count):
            ask_for_everything(web, person, facts)
            leave_early(web, person, facts)

    with signed_in(web.url, "rita") as person:
        rounds(5)
        warm = descriptors(process)
        rounds(ROUNDS)
        check_that_none_is_left(process, warm, f"{ROUNDS} rounds of requests")


@pytest.mark.slow
def test_gunicorn_has_no_more_open_after_reloads(web: Web) -> None:
    def reload() -> None:
        old = children(web.process.pid)
        os.kill(web.process.pid, signal.SIGHUP)
        wait_until(lambda: not set(old) & set(children(web.process.pid)), "the old one is gone")
        wait_until(lambda: children(web.process.pid) and web.is_ready(), "the new one answers")

    reload()
    warm = descriptors(web.process.pid)
    for _ in range(3):
        reload()
        assert len(descriptors(web.process.pid)) <= len(warm)
