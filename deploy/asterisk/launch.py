#!/usr/bin/env python3
"""Run Asterisk in the foreground with the sample configuration, all its files in one folder.

    ARI_PASSWORD=... launch.py --home DIR --recordings DIR [--http-port N] [--sip-port N] ...

The process becomes Asterisk: a signal sent to it is sent to Asterisk. Several may run at once, each
with its own home and ports. Asterisk is installed first when there is none.
"""

import argparse
import math
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import wave
from array import array
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

HERE = Path(__file__).resolve().parent
LONGEST_SOCKET_FOLDER = 90  # Linux cuts a socket's path at 107 bytes; Asterisk adds /asterisk.ctl
# Asterisk reports each of these as an error when it is missing, and is content with nothing in it.
EMPTY_FILES = ["acl", "ccss", "cdr", "cel", "features", "pjproject", "stasis", "udptl"]
EMPTY_FILES += ["websocket_client"]  # of Asterisk 22 and later
Settings = dict[str, dict[str, dict[str, str | int | Path]]]


class LaunchError(Exception):
    """Asterisk cannot be started; the message is one sentence for the user."""


@dataclass(frozen=True)
class Installation:
    """What there is of Asterisk: how to start the program, its modules and its data."""

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


def render(
    installation: Installation,
    home: Path,
    recordings: Path,
    *,
    password: str,
    http_port: int = 8088,
    sip_port: int = 5060,
    sounds: Path | None = None,
    includes: list[Path] | None = None,
) -> Path:
    """Write configuration, data and spool folders under `home`; return the path of asterisk.conf.

    `sounds` is a folder whose entries become sounds of their own ("sound:NAME"); a folder "moh" in
    it is the music on hold. `includes` are copied beside the samples, which read
    extensions_local.conf and pjsip_local.conf.
    """
    home = home.resolve()
    for name in ("data", "var/keys", "spool", "log"):
        (home / name).mkdir(parents=True, exist_ok=True)
    _link(home / "spool/recording", recordings.resolve())
    _fill_data(home / "data", installation.data, sounds)
    settings: Settings = {
        "asterisk.conf": {"directories": _directories(home, installation)},
        "ari.conf": {"callytics": {"password": password}},
        "http.conf": {"general": {"bindport": http_port}},
        "pjsip.conf": {"transport-udp": {"bind": f"127.0.0.1:{sip_port}"}},
    }
    _write_configuration(home / "etc", settings, includes or [])
    return home / "etc/asterisk.conf"


def _directories(home: Path, installation: Installation) -> dict[str, str | int | Path]:
    return {
        "astetcdir": home / "etc",
        "astmoddir": installation.modules,
        "astvarlibdir": home / "var",
        "astdbdir": home / "var",
        "astkeydir": home / "var",
        "astdatadir": home / "data",
        "astagidir": home / "data/agi-bin",
        "astspooldir": home / "spool",
        "astrundir": socket_folder(home),
        "astlogdir": home / "log",
    }


def socket_folder(home: Path) -> Path:
    """Where Asterisk's control socket is: in `home`, or in /tmp where that path is too long."""
    folder = home.resolve() / "run"
    if len(str(folder)) > LONGEST_SOCKET_FOLDER:
        name = sha256(str(folder).encode()).hexdigest()[:16]
        folder = Path(tempfile.gettempdir()) / f"asterisk-{name}"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def _write_configuration(etc: Path, settings: Settings, includes: list[Path]) -> None:
    shutil.rmtree(etc, ignore_errors=True)
    etc.mkdir(mode=0o700)  # it holds the password
    for name in EMPTY_FILES:
        (etc / f"{name}.conf").touch()
    for sample in HERE.glob("*.conf"):
        text = sample.read_text()
        for section, values in settings.get(sample.name, {}).items():
            for key, value in values.items():
                text = replace_value(text, section, key, str(value))
        (etc / sample.name).write_text(text)
    for include in includes:
        shutil.copy(include, etc / include.name)


def replace_value(text: str, section: str, key: str, value: str) -> str:
    """Return the configuration `text` with another value for one key of one section."""
    heading = rf"^\[{re.escape(section)}\][^\n]*\n"
    pattern = rf"(?ms)({heading}(?:(?!^\[).)*?^{re.escape(key)}\s*=>?\s*)\S+"
    text, found = re.subn(pattern, lambda match: match[1] + value, text, count=1)
    if not found:
        raise LaunchError(f"The sample configuration has no {key} in [{section}].")
    return text


def _link(link: Path, target: Path) -> None:
    link.unlink(missing_ok=True)
    link.symlink_to(target)


def _fill_data(data: Path, installed: Path, sounds: Path | None) -> None:
    """Asterisk's own data by links, and beside its sounds those of the caller's."""
    for entry in installed.iterdir():
        if entry.name not in ("sounds", "moh"):
            _link(data / entry.name, entry)
    (data / "sounds").mkdir(exist_ok=True)
    # Packages that are only unpacked lack the link "en", which is made as they are installed.
    voices = sorted(folder.parent for folder in (installed / "sounds").glob("en*/digits"))
    if voices:
        _link(data / "sounds/en", voices[0].resolve())
    for entry in sounds.resolve().iterdir() if sounds else ():
        _link(data / "sounds" / entry.name, entry)
    if sounds and (sounds / "moh").is_dir():
        _link(data / "moh", sounds.resolve() / "moh")
    elif not (data / "moh").exists():
        (data / "moh").mkdir()
        write_tune(data / "moh/tune.wav")


def write_tune(path: Path) -> None:
    """Music on hold, made here because a recorded piece belongs to somebody: slow, soft chords."""
    rate, seconds_each = 8000, 2
    chords = [(262, 330, 392), (220, 262, 330), (175, 220, 262), (196, 247, 294)]
    samples = array("h")
    for chord in chords:
        for index in range(rate * seconds_each):
            swell = math.sin(math.pi * index / (rate * seconds_each))
            tones = sum(math.sin(2 * math.pi * hertz * index / rate) for hertz in chord)
            samples.append(int(1500 * swell * tones))
    if sys.byteorder == "big":
        samples.byteswap()
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", ""))
        file.writeframes(samples.tobytes())


def port_is_free(port: int, kind: socket.SocketKind = socket.SOCK_STREAM) -> bool:
    """Whether a server could listen on this port of 127.0.0.1."""
    with socket.socket(socket.AF_INET, kind) as probe:
        if kind == socket.SOCK_STREAM:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    """The command line, as a namespace; exits with a message when it is wrong."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--home", type=Path, required=True, help="folder for all of its files")
    parser.add_argument("--recordings", type=Path, required=True, help="folder that ARI records to")
    parser.add_argument("--http-port", type=int, default=8088, help="of ARI, on 127.0.0.1")
    parser.add_argument("--sip-port", type=int, default=5060, help="UDP, on 127.0.0.1")
    parser.add_argument("--sounds", type=Path, help="folder with sounds of your own")
    parser.add_argument(
        "--include",
        type=Path,
        action="append",
        help="extensions_local.conf or pjsip_local.conf of your own; may be repeated",
    )
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> None:
    """Become Asterisk; LaunchError when that cannot be."""
    options = parse_arguments(arguments)
    password = os.environ.get("ARI_PASSWORD", "")
    if not re.fullmatch(r"[^\s;]+", password):
        raise LaunchError("ARI_PASSWORD must be set, without spaces and semicolons.")
    # Asterisk itself goes on without its ports, and only its log says so.
    if not port_is_free(options.http_port):
        raise LaunchError(f"Port {options.http_port} is taken: stop what listens on it.")
    if not port_is_free(options.sip_port, socket.SOCK_DGRAM):
        raise LaunchError(f"UDP port {options.sip_port} is taken: stop what listens on it.")
    options.recordings.mkdir(parents=True, exist_ok=True)
    installation = find_installation()
    configuration = render(
        installation,
        options.home,
        options.recordings,
        password=password,
        http_port=options.http_port,
        sip_port=options.sip_port,
        sounds=options.sounds,
        includes=options.include,
    )
    os.execv(installation.command[0], [*installation.command, "-C", str(configuration), "-f", "-n"])


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except (LaunchError, OSError) as error:
        sys.exit(f"launch.py: {error}")
