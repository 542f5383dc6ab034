"""The folder that an Asterisk of the sample configuration lives in."""

import math
import re
import shutil
import sys
import tempfile
import wave
from array import array
from hashlib import sha256
from pathlib import Path

from deploy.asterisk.installation import HERE, Installation, LaunchError

LONGEST_SOCKET_FOLDER = 90  # Linux cuts a socket's path at 107 bytes; Asterisk adds /asterisk.ctl
# Asterisk reports each of these as an error when it is missing, and is content with nothing in it.
EMPTY_FILES = ["acl", "ccss", "cdr", "cel", "features", "pjproject", "stasis", "udptl"]
EMPTY_FILES += ["websocket_client"]  # of Asterisk 22 and later
Settings = dict[str, dict[str, dict[str, str | int | Path]]]


def render(
    installation: Installation,
    home: Path,
    recordings: Path,
    *,
    password: str,
    username: str = "callytics",
    app: str = "callytics",
    http_port: int = 8088,
    http_address: str = "127.0.0.1",
    sip_port: int = 5060,
    trunk_port: int = 5070,
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
        "ari.conf": {username: {"password": password}},
        "http.conf": {"general": {"bindport": http_port, "bindaddr": http_address}},
        "pjsip.conf": {
            "transport-udp": {"bind": f"127.0.0.1:{sip_port}"},
            "trunk-aor": {"contact": f"sip:127.0.0.1:{trunk_port}"},
        },
    }
    names = {"[callytics]": f"[{username}]", "Stasis(callytics,": f"Stasis({app},"}
    _write_configuration(home / "etc", names, settings, includes or [])
    modules = home / "etc/modules.conf"
    modules.write_text(_without_missing(modules.read_text(), installation.modules))
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
    """Return the folder of Asterisk's control socket: `home`, or /tmp if that path is too long."""
    folder = home.resolve() / "run"
    if len(str(folder)) > LONGEST_SOCKET_FOLDER:
        name = sha256(str(folder).encode()).hexdigest()[:16]
        folder = Path(tempfile.gettempdir()) / f"asterisk-{name}"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def _write_configuration(
    etc: Path, names: dict[str, str], settings: Settings, includes: list[Path]
) -> None:
    shutil.rmtree(etc, ignore_errors=True)
    etc.mkdir(mode=0o700)  # it holds the password
    for name in EMPTY_FILES:
        (etc / f"{name}.conf").touch()
    for sample in HERE.glob("*.conf"):
        text = sample.read_text()
        for sample_name, name in names.items():
            text = text.replace(sample_name, name)
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


def _without_missing(modules_conf: str, folder: Path) -> str:
    """Leave out what this release of Asterisk does not have: it would report each as an error."""

    def is_there(line: str) -> bool:
        _, found, module = line.partition("load = ")
        return not found or (folder / module).exists()

    return "\n".join(filter(is_there, modules_conf.splitlines())) + "\n"


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
