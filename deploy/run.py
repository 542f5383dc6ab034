"""`make run`: all that Callytics needs on one machine, started together and stopped together."""

import os
import secrets
import signal
import socket
import sys
import time
import urllib.error
import urllib.request
from ipaddress import ip_address
from multiprocessing import Process
from pathlib import Path
from urllib.parse import urlsplit

import flask_migrate
from dotenv import set_key
from flask import Flask
from honcho.environ import parse_procfile
from honcho.manager import Manager
from sqlalchemy.exc import OperationalError

from callytics import close_app, create_app
from callytics.audit.authors import CALLYTICS
from callytics.config import (
    PROJECT_DIR,
    Config,
    ConfigError,
    host_in_url,
    load_config,
    read_environment,
)
from callytics.flows import versions
from callytics.flows.document import parse
from callytics.people import users
from callytics.preflight import port_problem
from callytics.storage.private_files import (
    SHARED_FOLDER,
    change_mode,
    keep_files_private,
    make_private,
)
from deploy.asterisk.installation import LaunchError, find_installation
from deploy.asterisk.launch import port_is_free

LOOPBACK = ("127.0.0.1", "localhost")
# Each address that stands for all of the machine's, with the one that reaches it from here.
ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}
SIP_PORT = 5060
ADMIN = "admin"


class RunError(Exception):
    """A reason not to start; the message is for the user."""


def answers(url: str) -> bool:
    """Return True if an HTTP server answers at `url`, with any status."""
    try:
        urllib.request.urlopen(url, timeout=5).close()
    except urllib.error.HTTPError as error:
        error.close()
        return True
    except OSError:
        return False
    return True


def free_sip_port() -> int:
    """The port of SIP, or the next one that nobody uses."""
    ports = range(SIP_PORT, SIP_PORT + 100)
    return next((p for p in ports if port_is_free(p, socket.SOCK_DGRAM)), SIP_PORT)


def prepare_asterisk(config: Config, environment: dict[str, str]) -> str | None:
    """Have an Asterisk at ARI_URL: return the command that starts one, None when there is one.

    Puts a new password into `environment`, and into .env for commands in other terminals.
    """
    if answers(f"{config.ari_url}/asterisk/info"):
        if config.ari_password is None:
            raise RunError(
                "ARI_PASSWORD: must be the password from ari.conf, "
                f"since an Asterisk answers at {config.ari_url} already."
            )
        return None
    address = urlsplit(config.ari_url)
    if address.hostname not in LOOPBACK or address.scheme != "http":
        raise RunError(
            f"ARI_URL: nobody answers at {config.ari_url}; start that Asterisk, or leave ARI_URL "
            "out to try Callytics with one on this machine."
        )
    find_installation()
    prepare_recordings(config.recordings_dir)
    if config.ari_password is None:
        environment["ARI_PASSWORD"] = keep_password(PROJECT_DIR / ".env")
    return (
        f"exec '{sys.executable}' -m deploy.asterisk.launch"
        f" --home '{config.instance_dir / 'asterisk'}' --recordings '{config.recordings_dir}'"
        f" --http-port {address.port or 80} --sip-port {free_sip_port()}"
    )


def prepare_recordings(folder: Path) -> None:
    """Make the folder of the recordings, which the group of our own Asterisk may read and write."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        change_mode(folder, SHARED_FOLDER)
    except OSError as error:
        raise RunError(
            f"RECORDINGS_DIR: {folder} cannot be made ({error.strerror}); set it to a folder "
            "that you may write to."
        ) from error


def keep_password(path: Path) -> str:
    """Make a password for Asterisk and keep it in the file of the environment, mode 600."""
    path.touch(mode=0o600)
    path.chmod(0o600)
    password = secrets.token_urlsafe(24)
    set_key(path, "ARI_PASSWORD", password)
    return password


def prepare_database(app: Flask) -> str | None:
    """Bring the schema up to date, and make the first account and flow where there are none.

    Returns the password of an account that was made.
    """
    try:
        with app.app_context():
            flask_migrate.upgrade()
            password = first_account()
            first_flow()
    except OperationalError as error:
        reason = str(error.orig).partition("\n")[0]
        raise RunError(f"DATABASE_URL: the database cannot be used ({reason}).") from error
    finally:
        close_app(app)  # the processes that follow open their own
    return password


def procfile() -> dict[str, str]:
    """The commands of the Procfile by their names."""
    return parse_procfile((PROJECT_DIR / "Procfile").read_text()).processes


def first_account() -> str | None:
    """Make the account of the admin when nobody can sign in, and return its password."""
    if users.all_users():
        return None
    password = secrets.token_urlsafe(12)
    users.add_user(ADMIN, "admin", password, changed_by=CALLYTICS)
    return password


def first_flow() -> None:
    """Put the sample flow in force when there is none."""
    if not versions.current().flows:
        sample = (PROJECT_DIR / "deploy/sample_flow.json").read_bytes()
        versions.save(parse(sample), CALLYTICS)


def invitation(config: Config, password: str | None) -> str:
    """Return the text that says how to go on."""
    who = "with the password that the first `make run` printed"
    if password:
        who = f"with the password {password} (it is not shown again)"
    own = ip_address(config.bind).is_loopback or config.bind in ANY_ADDRESS
    host = "localhost" if own else host_in_url(config.bind)
    line = "-" * 80
    return (
        f"\n{line}\nOpen http://{host}:{config.port} and sign in as {ADMIN}\n{who}.\n"
        f"Ctrl-C stops everything.\n{line}\n"
    )


def announce(config: Config, password: str | None) -> None:
    """Print the invitation as soon as the pages can be used; runs in a process of its own."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C reaches it too, and needs no traceback
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    host = host_in_url(ANY_ADDRESS.get(config.bind, config.bind))
    while not answers(f"http://{host}:{config.port}/healthz"):
        time.sleep(0.1)
    print(invitation(config, password), flush=True)


def run() -> int:
    """Prepare, start all and wait for their end; return the exit code."""
    keep_files_private()
    environment = read_environment()
    environment["BIND"] = environment.get("BIND") or "127.0.0.1"
    config = load_config(environment)
    # So that the commands of the Procfile are those of this Python environment.
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment.get('PATH', '')}"
    environment["PYTHONUNBUFFERED"] = "1"
    if problem := port_problem(config):
        raise RunError(f"{problem}.")
    # What an older version left open to others.
    make_private(config.instance_dir)
    asterisk = prepare_asterisk(config, environment)
    password = prepare_database(create_app(config))
    announcer = Process(target=announce, args=(config, password), daemon=True)
    announcer.start()
    manager = Manager()
    commands = {"asterisk": asterisk, **{name: procfile()[name] for name in ("web", "worker")}}
    for name, command in commands.items():
        if command:
            manager.add_process(name, command, env=environment, cwd=str(PROJECT_DIR))
    manager.loop()
    if password and announcer.exitcode is None:  # it would never be known
        print(invitation(config, password))
    stopped_by_user = manager.returncode in (128 + signal.SIGINT, 128 + signal.SIGTERM)
    return 0 if stopped_by_user else manager.returncode or 1


def main() -> None:
    """Run until Ctrl-C; one line and exit code 1 when that cannot be."""
    os.chdir(PROJECT_DIR)
    try:
        sys.exit(run())
    except KeyboardInterrupt:
        sys.exit(0)
    except (ConfigError, RunError) as error:
        sys.exit(str(error))
    except LaunchError:
        sys.exit(1)  # the installer has said it


if __name__ == "__main__":
    main()
