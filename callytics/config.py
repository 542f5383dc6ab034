"""Typed configuration from the environment, checked before anything starts."""

import contextlib
import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from urllib.parse import urlsplit

from dotenv import dotenv_values

Network = IPv4Network | IPv6Network

PROJECT_DIR = Path(__file__).resolve().parent.parent
DATABASE_URL_FORM = (
    "DATABASE_URL: must be postgresql://USER:PASSWORD@HOST/NAME or sqlite:////FOLDER/FILE.db"
)

# A name becomes part of paths and of ids in Asterisk.
LONGEST_PBX_NAME = 40
PBX_NAME_PATTERN = rf"[A-Za-z0-9][A-Za-z0-9._-]{{0,{LONGEST_PBX_NAME - 1}}}"


class ConfigError(Exception):
    """A variable that cannot be used. The message names it and says what it should be."""


@dataclass(frozen=True)
class Config:
    """Every value that Callytics takes from its environment. Secrets stay out of its repr."""

    database_url: str = field(repr=False)
    ari_url: str
    ari_username: str
    ari_password: str | None = field(repr=False)
    ari_app: str
    recordings_dir: Path
    secret_key: str = field(repr=False)
    bind: str
    port: int
    web_concurrency: int
    instance_dir: Path
    # None: the name that is kept in the recordings folder.
    pbx_name: str | None = None
    accel_redirect: str | None = None
    # Proxies whose X-Forwarded-For and X-Forwarded-Proto are believed, here and by gunicorn.
    trusted_proxies: tuple[Network, ...] = ()

    def trusts(self, address: str) -> bool:
        """Return True if `address` is that of a trusted proxy."""
        try:
            peer = ip_address(address)
        except ValueError:
            return False
        return any(peer in network for network in self.trusted_proxies)


def host_in_url(address: str) -> str:
    """Return an IP address as it stands before a port: IPv6 in brackets."""
    return f"[{address}]" if ":" in address else address


def read_environment() -> dict[str, str]:
    """The process environment, and below it what `.env` in the project says.

    `make run` keeps the password that it made for Asterisk in `.env`, so a `flask` command in
    another terminal needs nothing exported.
    """
    kept = {k: v for k, v in dotenv_values(PROJECT_DIR / ".env").items() if v is not None}
    return {**kept, **os.environ}


def load_config(environ: Mapping[str, str]) -> Config:
    """Check `environ` and return it typed.

    Raises ConfigError with one line, `VARIABLE: what it should be`, at the first value that
    cannot be used.
    """
    instance_dir = Path(environ.get("CALLYTICS_INSTANCE") or PROJECT_DIR / "instance").absolute()
    return Config(
        database_url=_database_url(environ, instance_dir),
        ari_url=_ari_url(environ),
        ari_username=environ.get("ARI_USERNAME") or "callytics",
        ari_password=environ.get("ARI_PASSWORD") or None,
        ari_app=_ari_app(environ),
        recordings_dir=_recordings_dir(environ),
        secret_key=environ.get("SECRET_KEY") or _kept_secret(instance_dir),
        bind=_bind(environ),
        port=_number(environ, "PORT", 8000, 1, 65535),
        web_concurrency=_number(environ, "WEB_CONCURRENCY", os.cpu_count() or 1, 1, 64),
        instance_dir=instance_dir,
        pbx_name=_pbx_name(environ),
        accel_redirect=_accel_redirect(environ),
        trusted_proxies=_trusted_proxies(environ),
    )


def _bind(environ: Mapping[str, str]) -> str:
    text = environ.get("BIND") or "0.0.0.0"
    try:
        return str(ip_address(text))
    except ValueError as error:
        raise ConfigError(
            "BIND: must be the address that the pages are served at, such as 127.0.0.1 for this "
            f"machine alone or 0.0.0.0 for all of its addresses, is {text!r}"
        ) from error


def _number(environ: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    text = environ.get(name) or str(default)
    usable = text.isascii() and text.isdigit() and len(text) < 10
    if not usable or not low <= int(text) <= high:
        raise ConfigError(f"{name}: must be a whole number from {low} to {high}, is {text!r}")
    return int(text)


def _database_url(environ: Mapping[str, str], instance_dir: Path) -> str:
    url = environ.get("DATABASE_URL") or f"sqlite:///{instance_dir / 'callytics.db'}"
    scheme, _, rest = url.partition("://")
    if scheme in ("postgres", "postgresql", "postgresql+psycopg") and rest:
        return f"postgresql+psycopg://{rest}"
    # Four slashes: three would be a file in whatever folder each process happens to be in.
    if scheme == "sqlite" and rest.startswith("//"):
        return url
    raise ConfigError(DATABASE_URL_FORM)


def _ari_url(environ: Mapping[str, str]) -> str:
    url = (environ.get("ARI_URL") or "http://127.0.0.1:8088/ari").rstrip("/")
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.hostname and (parts.port or 1) > 0
    except ValueError:
        usable = False
    if "@" in url:
        # The address is logged and shown; a password in it would be as well.
        raise ConfigError("ARI_URL: must not hold a password: set ARI_USERNAME and ARI_PASSWORD")
    if not usable or not url.endswith("/ari"):
        raise ConfigError(f"ARI_URL: must look like http://127.0.0.1:8088/ari, is {url!r}")
    return url


def _ari_app(environ: Mapping[str, str]) -> str:
    app = environ.get("ARI_APP") or "callytics"
    if not all(c.isalnum() or c in "-_" for c in app):
        raise ConfigError(f"ARI_APP: must be letters, digits, - and _, is {app!r}")
    return app


def _pbx_name(environ: Mapping[str, str]) -> str | None:
    name = environ.get("PBX_NAME") or None
    if name and not re.fullmatch(PBX_NAME_PATTERN, name, re.ASCII):
        raise ConfigError(
            f"PBX_NAME: must be up to {LONGEST_PBX_NAME} letters, digits, ., - and _, beginning "
            f"with a letter or a digit, is {name!r}"
        )
    return name


def _recordings_dir(environ: Mapping[str, str]) -> Path:
    folder = environ.get("RECORDINGS_DIR") or "/var/lib/asterisk/recording"
    if "\0" in folder or not folder.startswith("/"):
        raise ConfigError(
            f"RECORDINGS_DIR: must be the full path of the folder that Asterisk records to, "
            f"such as /var/lib/asterisk/recording, is {folder!r}"
        )
    return Path(folder)


def _trusted_proxies(environ: Mapping[str, str]) -> tuple[Network, ...]:
    text = environ.get("FORWARDED_ALLOW_IPS", "127.0.0.1,::1")
    parts = text.replace("*", "0.0.0.0/0,::/0").split(",")
    try:
        return tuple(ip_network(part.strip()) for part in parts if part.strip())
    except ValueError as error:
        raise ConfigError(
            "FORWARDED_ALLOW_IPS: must be addresses or networks of proxies, such as "
            f"10.0.0.2,172.16.0.0/12, or * for all, is {text!r}"
        ) from error


def _accel_redirect(environ: Mapping[str, str]) -> str | None:
    prefix = environ.get("ACCEL_REDIRECT") or None
    if prefix and not re.fullmatch(r"/[A-Za-z0-9_./-]*/", prefix):
        raise ConfigError(
            "ACCEL_REDIRECT: must be the internal location of nginx for the recordings, "
            f"such as /stored-recordings/, is {prefix!r}"
        )
    return prefix


def _kept_secret(instance_dir: Path) -> str:
    """The key that signs sessions, made at the first start. Two processes may start at once."""
    path = instance_dir / "secret_key"
    try:
        instance_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            draft = path.with_name(f"secret_key.{secrets.token_hex(4)}")
            draft.touch(mode=0o600)
            draft.write_text(secrets.token_urlsafe(48))
            with contextlib.suppress(FileExistsError):
                os.link(draft, path)
            draft.unlink()
        return path.read_text().strip()
    except OSError as error:
        raise ConfigError(
            f"SECRET_KEY: must be set, since {path} cannot be kept ({error.strerror})"
        ) from error
