"""HTTP client for ARI: a command whose connection broke is sent a second time, and no more."""

import socketserver
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from callytics.ari import connections
from callytics.ari.http import AriError, AriHttp
from callytics.config import load_config


class Scripted(socketserver.ThreadingTCPServer):
    """Server that answers each request with the next status; 0 closes the connection instead."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.statuses: list[int] = []
        self.requests: list[str] = []
        self.connections = 0
        # Requests that are answered together.
        self.together = threading.Barrier(1)


class _Connection(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        self.server.connections += 1
        while line := self.rfile.readline():
            self.server.requests.append(line.decode().split(" ")[0])
            while self.rfile.readline().strip():
                pass
            self.server.together.wait(10)
            status = self.server.statuses.pop(0)
            if not status:
                return
            self.wfile.write(f"HTTP/1.1 {status} Said\r\nContent-Length: 0\r\n\r\n".encode())


@pytest.fixture
def server() -> Iterator[Scripted]:
    with Scripted() as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def ari(server: Scripted, tmp_path: Path) -> AriHttp:
    url = f"http://127.0.0.1:{server.server_address[1]}/ari"
    environ = {"CALLYTICS_INSTANCE": str(tmp_path), "ARI_URL": url, "ARI_PASSWORD": "secret"}
    return AriHttp(load_config(environ))


@pytest.mark.parametrize(("method", "status"), [("POST", 204), ("POST", 409), ("DELETE", 204)])
def test_a_command_whose_answer_was_lost_is_sent_again(server, ari, method, status):
    server.statuses = [0, status]
    assert ari.command(method, "/channels/one", seconds=5) is None
    assert server.requests == [method, method]


@pytest.mark.parametrize(("method", "status"), [("POST", 500), ("POST", 404), ("DELETE", 409)])
def test_a_command_that_is_refused_the_second_time_fails(server, ari, method, status):
    """Only 409 to a POST shows that Asterisk had carried out the first one."""
    server.statuses = [0, status]
    with pytest.raises(AriError) as error:
        ari.command(method, "/channels/one", seconds=5)
    assert error.value.status == status


def test_409_to_the_first_command_is_an_error(server, ari):
    server.statuses = [409]
    with pytest.raises(AriError) as error:
        ari.command("POST", "/channels/one", seconds=5)
    assert error.value.status == 409


def test_a_connection_that_breaks_twice_is_an_error(server, ari):
    server.statuses = [0, 0]
    with pytest.raises(AriError, match="nobody answers"):
        ari.command("POST", "/channels/one", seconds=5)
    assert len(server.requests) == 2


def both_at_once(ari: AriHttp, server: Scripted) -> None:
    """Open two connections and leave both idle."""
    server.together = threading.Barrier(2)
    threads = [threading.Thread(target=ari.command, args=("POST", "/one")) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    server.together = threading.Barrier(1)


def test_a_command_is_sent_again_over_a_new_connection(server, ari):
    """Asterisk may have closed all that were idle."""
    server.statuses = [204, 204, 0, 204]
    both_at_once(ari, server)
    assert server.connections == 2
    ari.command("POST", "/channels/one", seconds=5)
    assert server.connections == 3


def test_a_connection_is_used_again(server, ari):
    server.statuses = [204, 204]
    for _ in range(2):
        ari.command("POST", "/channels/one", seconds=5)
    assert server.connections == 1


def test_a_connection_that_was_idle_for_long_is_not_used_again(server, ari, monkeypatch):
    monkeypatch.setattr(connections, "IDLE_SECONDS", 0.0)
    server.statuses = [204, 204]
    for _ in range(2):
        ari.command("POST", "/channels/one", seconds=5)
    assert server.connections == 2


def test_an_answer_that_does_not_come_is_not_asked_for_again(server, ari):
    server.together = threading.Barrier(2)
    with pytest.raises(AriError, match="it took too long"):
        ari.command("POST", "/channels/one", seconds=0.1)
    assert server.requests == ["POST"]
    server.together.abort()
