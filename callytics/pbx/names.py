"""Names of PBXs: PBX_NAME, or a name that is made once and kept in the recordings folder."""

import hashlib
import re
import secrets
import socket
from urllib.parse import urlsplit

from callytics.config import LONGEST_PBX_NAME, PBX_NAME_PATTERN, Config
from callytics.storage.folder import Storage

# Hidden, so that the walk of the recordings skips it.
FOLDER = ".pbx"
_NAME = re.compile(PBX_NAME_PATTERN, re.ASCII)


def is_pbx_name(text: str) -> bool:
    """Return True if `text` can be the name of a PBX, and so a part of a path."""
    return _NAME.fullmatch(text) is not None


def kept_name(storage: Storage, config: Config) -> str:
    """Return the name kept in the folder for this Stasis application, made if there is none.

    The folder outlives the containers of Asterisk and worker, whose host names are new each time.
    Raises OSError.
    """
    path = f"{FOLDER}/{config.ari_app}"
    try:
        return _read(storage, path)
    except FileNotFoundError:
        # Of two workers that start at once, the first makes the name for both.
        storage.write_once(path, f"pbx-{secrets.token_hex(3)}\n".encode())
        return _read(storage, path)


def known_name(storage: Storage, config: Config) -> str:
    """Return the name of the PBX of this Stasis application, empty if there is none yet."""
    try:
        return config.pbx_name or _read(storage, f"{FOLDER}/{config.ari_app}")
    except OSError:
        return ""


def name_without_folder(config: Config) -> str:
    """Return a name that is the same at each start on this host.

    It does not tell the host: `/readyz` says it to strangers.
    """
    host = f"{socket.gethostname()} {config.ari_app}"
    return f"pbx-{hashlib.sha256(host.encode()).hexdigest()[:6]}"


def legacy_name(config: Config) -> str:
    """Return the name that the worker had before PBXs had one."""
    asterisk = urlsplit(config.ari_url).netloc
    if asterisk.startswith(("127.", "localhost", "[::1]")):
        asterisk = f"{socket.gethostname()} ({asterisk})"
    return f"{config.ari_app}@{asterisk}"


def _read(storage: Storage, path: str) -> str:
    name = storage.read(path, 2 * LONGEST_PBX_NAME).decode(errors="replace").strip()
    if not is_pbx_name(name):
        raise OSError(f"{path} holds no name of a PBX: remove it, or set PBX_NAME")
    return name
