"""Fork server: starts Python programs whose imports are done.

Imports take most of the time in which the worker or gunicorn starts. Here a process makes them once
and forks for each start. The program has its own environment, folder, arguments and log, and is
`__main__` as with `python -m`. `ForkServer`, in the test process, runs
`python -m tests.support.fork_server KIND FD`.
"""

import gc
import json
import os
import posix
import runpy
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from tests.support.process import PROJECT, Server

# Imports before each program. The worker patches Python's blocking calls before its imports, so all
# of its modules may be imported. gunicorn patches after it has forked, so only modules may be
# imported that keep no reference to a patched call.
PROGRAMS = {
    "worker": ("gevent.monkey", "worker.__main__"),
    "gunicorn": (
        "alembic",
        "limits",
        "flask_login",
        "flask_migrate",
        "flask_sqlalchemy",
        "flask_wtf",
        "gunicorn.app.wsgiapp",
        "numpy",
        "pydantic",
        "sqlalchemy.orm",
    ),
}
_SIZE = 1 << 20


class Forked:
    """Process of a fork server, with the part of `subprocess.Popen` that tests use."""

    def __init__(self, told: socket.socket) -> None:
        self._told = told
        self.returncode: int | None = None
        self.pid = int(told.recv(32))
        told.setblocking(False)

    def poll(self) -> int | None:
        """Return the exit code, or None while it runs."""
        if self.returncode is None:
            try:
                said = self._told.recv(32)
            except BlockingIOError:
                return None
            self.returncode = os.waitstatus_to_exitcode(int(said))
            self._told.close()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end and return the exit code."""
        deadline = time.monotonic() + (timeout or 1e9)
        while (code := self.poll()) is None:
            if time.monotonic() > deadline:
                raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0.0)
            time.sleep(0.005)
        return code

    def send_signal(self, number: int) -> None:
        """Send a signal if it still runs."""
        if self.poll() is None:
            os.kill(self.pid, number)


class ForkServer(Server):
    """Starts one kind of program; `with ForkServer("worker") as server: server.spawn(...)`."""

    def __init__(self, program: str) -> None:
        self.program = program
        self._control: socket.socket | None = None

    def start(self) -> None:
        """Do nothing: it starts with the first program, since many tests need none."""

    def _listen(self) -> socket.socket:
        if self._control:
            return self._control
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            command = [sys.executable, "-m", "tests.support.fork_server", self.program]
            self._process = subprocess.Popen(
                [*command, str(theirs.fileno())],
                cwd=PROJECT,
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
            )
        return self._control

    def spawn(self, arguments: list[str], environment: dict[str, str], log: Path) -> Forked:
        """Start the program; its output is appended to `log`."""
        asked = {"arguments": arguments, "environment": environment, "log": str(log)}
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            socket.send_fds(self._listen(), [json.dumps(asked).encode()], [theirs.fileno()])
        return Forked(ours)

    def stop(self) -> None:
        """Stop it; the programs that it started go on."""
        if self._control:
            self._control.close()
            self._process.wait(timeout=60)


def _next_request(control: int) -> tuple[dict[str, Any], int]:
    """Return the next request and the pipe for its answer; exit when the client is gone."""
    # The C-level socket, which gevent does not patch.
    import _socket

    connection = _socket.socket(fileno=control)
    message, told = b"", []
    try:
        message, ancillary, _, _ = connection.recvmsg(_SIZE, _socket.CMSG_SPACE(4))
        told = [int.from_bytes(data[:4], sys.byteorder) for _, _, data in ancillary]
    finally:
        connection.detach()
    if not message:
        os._exit(0)
    return json.loads(message), told[0]


def _serve(program: str, control: int) -> None:
    """Answer requests; return only in a forked process, which becomes the program."""
    for name in PROGRAMS[program]:
        __import__(name)
    sys.modules.pop("worker.__main__", None)
    # Objects that no garbage collection touches stay shared between the processes.
    gc.freeze()
    while True:
        asked, told = _next_request(control)
        if posix.fork() == 0:
            child = posix.fork()
            if child == 0:
                posix.close(told)
                posix.close(control)
                return _become(program, asked)
            # Only its parent gets the exit code of a process.
            posix.write(told, str(child).encode())
            _, status = posix.waitpid(child, 0)
            posix.write(told, str(status).encode())
            os._exit(0)
        posix.close(told)
        _reap()


def _reap() -> None:
    try:
        while posix.waitpid(-1, posix.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def _become(program: str, asked: dict[str, Any]) -> None:
    log = posix.open(asked["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for number in (1, 2):
        os.dup2(log, number)
    posix.close(log)
    os.chdir(PROJECT)
    os.environ.clear()
    os.environ.update(asked["environment"])
    time.tzset()
    sys.argv = [program, *asked["arguments"]]


if __name__ == "__main__":
    if sys.argv[1] == "worker":
        from gevent import monkey

        monkey.patch_all()
    _name = sys.argv[1]
    _serve(_name, int(sys.argv[2]))
    runpy.run_module(_name, run_name="__main__", alter_sys=True)
