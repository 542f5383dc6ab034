"""Asterisk installation of this machine: found, or installed first."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent


class LaunchError(Exception):
    """Asterisk cannot be started; the message is one sentence for the user."""


@dataclass(frozen=True)
class Installation:
    """An installed Asterisk: the command that starts it, its modules and its data."""

    command: list[str]
    modules: Path
    data: Path


def find_installation() -> Installation:
    """Install Asterisk if need be and return where it is; LaunchError says why it cannot be had."""
    installer = subprocess.run([HERE / "install"], stdout=subprocess.PIPE, text=True, check=False)
    if installer.returncode:
        raise LaunchError("Asterisk is not available.")
    root = Path(installer.stdout.strip())
    return Installation(_command(root), _modules(root), root / "usr/share/asterisk")


def _command(root: Path) -> list[str]:
    if root == Path("/"):
        path = os.environ.get("PATH", "") + ":/usr/sbin"
        return [shutil.which("asterisk", path=path) or "/usr/sbin/asterisk"]
    # A program of a newer Debian needs that Debian's C library, and only the loader that belongs
    # to it can load it. This way it takes neither root nor a chroot to run.
    loader = next(root.glob("usr/lib*/ld-linux*.so.*"))
    libraries = ":".join(str(folder) for folder in root.glob("usr/lib/*-linux-gnu"))
    return [str(loader), "--library-path", libraries, str(root / "usr/sbin/asterisk")]


def _modules(root: Path) -> Path:
    for pattern in ("usr/lib/*/asterisk/modules", "usr/lib/asterisk/modules"):
        for folder in root.glob(pattern):
            return folder
    raise LaunchError(f"No modules of Asterisk were found under {root}.")
