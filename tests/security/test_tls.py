"""TLS: behind it every cookie is Secure and every answer says HSTS; the samples have it."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.security.walk import addresses
from tests.support.nginx import Nginx
from tests.support.process import PROJECT
from tests.support.processes import Web
from tests.support.shelf import PASSWORD, TOKEN, Shelf, wav_bytes

WAV = wav_bytes(bytes(4000))
HSTS = "Strict-Transport-Security"


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate for 127.0.0.1, with its key in the same file."""
    path = tmp_path / "certificate.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    names = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    files = ["-keyout", str(tmp_path / "key.pem"), "-out", str(path)]
    subprocess.run([*command, *names, *files], check=True, capture_output=True)
    path.write_text(path.read_text() + (tmp_path / "key.pem").read_text())
    return path


@pytest.fixture
def nginx(web_env: dict[str, str], tmp_path: Path, certificate: Path) -> Iterator[Nginx]:
    """The sample configuration as it is, with its TLS."""
    environment = {**web_env, "ACCEL_REDIRECT": "/stored-recordings/"}
    folder = Path(environment["RECORDINGS_DIR"])
    with Web(environment, tmp_path) as web, Nginx(web.url, folder, certificate) as nginx:
        yield nginx


def test_behind_nginx_every_route_is_by_https_alone(
    shelf: Shelf, nginx: Nginx, certificate: Path
) -> None:
    facts = shelf.add(WAV)
    with requests.Session() as rita:
        # Certificates that a machine trusts in its environment would come first.
        rita.trust_env, rita.verify = False, str(certificate)
        token = TOKEN.search(rita.get(f"{nginx.url}/login", timeout=60).text)[1]
        form = {"username": "rita", "password": PASSWORD, "csrf_token": token}
        done = rita.post(f"{nginx.url}/login", form, timeout=60, allow_redirects=False)
        assert done.status_code == 303
        cookies = done.headers["Set-Cookie"]
        assert (
            cookies.count("HttpOnly") == cookies.count("Secure") == cookies.count("SameSite") == 2
        )
        tried = 0
        for _endpoint, path in addresses(shelf.app, "GET", uid=facts.uid):
            answer = rita.get(f"{nginx.url}{path}", timeout=60, allow_redirects=False)
            assert answer.raw.headers.getlist(HSTS) == ["max-age=31536000"], path
            plain = f"http://127.0.0.1:{nginx.plain_port}{path}"
            answer = requests.get(plain, timeout=60, allow_redirects=False)
            assert answer.status_code == 301
            assert answer.headers["Location"] == f"https://callytics.example{path}"
            tried += 1
    assert tried > 30


def test_without_a_proxy_of_ours_every_answer_by_https_says_so(shelf: Shelf) -> None:
    facts = shelf.add(WAV)
    client = shelf.client("ada")
    for secure in (True, False):
        for _endpoint, path in addresses(shelf.app, "GET", uid=facts.uid):
            base = "https://calls.example" if secure else "http://localhost"
            answer = client.get(path, base_url=base, buffered=True)
            assert (HSTS in answer.headers) is secure, path
            for cookie in answer.headers.getlist("Set-Cookie"):
                assert ("Secure" in cookie) is secure, path
                assert "HttpOnly" in cookie, path


def test_the_samples_open_no_port_for_all_addresses() -> None:
    compose = (PROJECT / "deploy/compose.yaml").read_text()
    ports = re.findall(r'- "([^"]*:\d+:\d+|\d+:\d+)"', compose)
    assert ports == ["${CALLYTICS_ADDRESS:-127.0.0.1}:8000:8000"]
    assert 'environment.get("BIND") or "127.0.0.1"' in (PROJECT / "deploy/run.py").read_text()
