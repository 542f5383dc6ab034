"""`flask doctor`: checks of all requirements of a host, one line each, with the remedy."""

import io
import secrets
import stat
import wave
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

import click
from flask import current_app
from sqlalchemy import make_url
from sqlalchemy.exc import SQLAlchemyError

from callytics.ari.commands import Ari, AriError
from callytics.audio import wav
from callytics.config import PROJECT_DIR, Config
from callytics.database.health import database_problem
from callytics.integrity import adoption
from callytics.pbx import heartbeat
from callytics.pbx.heartbeat import worker_problem
from callytics.recordings import library
from callytics.settings.settings import all_settings
from callytics.storage.folder import Storage, StorageError
from callytics.storage.folder_walk import PROBE_PREFIX
from callytics.storage.health import folder_problem
from callytics.storage.private_files import SHARED_FOLDER, readable_by_others

OLDEST_ASTERISK = 20
LEAST_KEY_LENGTH = 16
# Timeout of a command. Asterisk answers in milliseconds if it works.
SECONDS = 10.0
NEED_ASTERISK = ("Stasis application", "shared folder")


class CheckFailedError(Exception):
    """Failed check; the message is the remedy."""


class Doctor:
    """Checks of a host. Each returns its result in words, or raises CheckFailedError."""

    def __init__(self, config: Config, storage: Storage) -> None:
        self.config, self.storage = config, storage
        self.ari = Ari(config)

    def checks(self) -> dict[str, Callable[[], str]]:
        """Return the checks by name, in order."""
        return {
            "database": self.database,
            "secret key": self.secret_key,
            "private files": self.private_files,
            "recordings folder": self.folder,
            "free disk": self.disk,
            "newest recording": self.newest_recording,
            "worker": self.worker,
            "Asterisk": self.asterisk,
            "Stasis application": self.application,
            "shared folder": self.shared_folder,
        }

    def database(self) -> str:
        """Check that the database answers and its schema is current."""
        if problem := database_problem():
            raise CheckFailedError(problem)
        return "answers, with the newest schema"

    def secret_key(self) -> str:
        """Check the length of the secret key and the permissions of its file."""
        if len(self.config.secret_key) < LEAST_KEY_LENGTH:
            raise CheckFailedError(f"SECRET_KEY: must have at least {LEAST_KEY_LENGTH} characters")
        kept = self.config.instance_dir / "secret_key"
        if kept.exists() and stat.S_IMODE(kept.stat().st_mode) & 0o077:
            raise CheckFailedError(f"other users can read it: run chmod 600 {kept}")
        return "long enough, and readable by its owner only"

    def private_files(self) -> str:
        """Check that other users can read neither database, keys nor recordings."""
        database = make_url(self.config.database_url).database
        kept = [self.config.instance_dir, PROJECT_DIR / ".env"]
        if self.config.database_url.startswith("sqlite") and database:
            kept += [Path(f"{database}{end}") for end in ("", "-wal", "-shm")]
        mends = [
            f"chmod {700 if path.is_dir() else 600} {path}"
            for path in kept
            if readable_by_others(path)
        ]
        if readable_by_others(self.storage.root, group=False):
            mends.append(f"chmod {SHARED_FOLDER:o} {self.storage.root}")
        if mends:
            raise CheckFailedError(f"other users can read them: run {' && '.join(mends)}")
        return "readable by their owner only, recordings also by the group of their folder"

    def folder(self) -> str:
        """Check that files in the recordings folder can be written, read and deleted."""
        problem = self.storage.access_problem()
        # Without the database, nobody knows which folder is the right one.
        with suppress(SQLAlchemyError):
            problem = problem or adoption.folder_problem(self.storage)
        if problem:
            raise CheckFailedError(problem)
        try:
            with self._own_folder() as folder:
                self.storage.write(f"{folder}/ours.wav", _short_wav())
        except OSError as error:
            raise CheckFailedError(
                f"RECORDINGS_DIR: {self.storage.root} cannot be written ({error.strerror}); "
                "let the user that Callytics runs as write there"
            ) from error
        return f"{self.storage.root} can be read and written"

    def disk(self) -> str:
        """Check the free space of the disk against the setting."""
        least_mb = int(all_settings()["disk_warning_mb"])
        if problem := folder_problem(self.storage, least_mb):
            raise CheckFailedError(problem)
        return f"{self.storage.free_bytes() >> 30} GiB are free"

    def newest_recording(self) -> str:
        """Check the header of the newest available recording."""
        row = next((r for r in list(library.newest(50)) if r.state == "available"), None)
        if row is None:
            return "there is none yet: place a test call with flask calls place-test"
        try:
            sound = wav.inspect(self.storage.resolve(row.path))
        except (StorageError, OSError, ValueError) as error:
            raise CheckFailedError(
                f"{row.path} cannot be played ({error}): look at the folder"
            ) from error
        if not sound.finished:
            raise CheckFailedError(
                f"{row.path} has an unfinished header: run flask recordings reconcile"
            )
        return f"{row.path} can be played"

    def worker(self) -> str:
        """Check that the worker of each PBX is alive and connected to its Asterisk."""
        pbxs = heartbeat.living_pbxs()
        if (problem := worker_problem(pbxs)) is not None:
            raise CheckFailedError(problem)
        for pbx in pbxs:
            of = f"PBX {pbx.name}: " if len(pbxs) > 1 else ""
            if pbx.connected_at is None or pbx.problem:
                why = pbx.problem or "it has no connection to Asterisk: see below"
                raise CheckFailedError(f"{of}{why}")
        return "alive, and connected to Asterisk"

    def asterisk(self) -> str:
        """Check that Asterisk answers, accepts the credentials and is new enough."""
        version = str(self.ari.info().get("system", {}).get("version", "unknown"))
        major = version.partition(".")[0]
        if major.isdigit() and int(major) < OLDEST_ASTERISK:
            raise CheckFailedError(f"{version} is too old: install {OLDEST_ASTERISK} or newer")
        return f"{version} answers at {self.ari.url}"

    def application(self) -> str:
        """Check that the Stasis application is registered."""
        try:
            self.ari.command("GET", f"/applications/{self.ari.app}", seconds=SECONDS)
        except AriError as error:
            if error.gone:
                raise CheckFailedError(
                    f"{self.ari.app} is not registered: start the worker, with this ARI_APP"
                ) from error
            raise
        return f"{self.ari.app} is registered"

    def shared_folder(self) -> str:
        """Check that Asterisk and Callytics read each other's files: let Asterisk copy one."""
        with self._own_folder() as folder:
            self.storage.write(f"{folder}/ours.wav", _short_wav())
            self._let_copy(f"{folder}/ours", f"{folder}/theirs")
            self.storage.open(f"{folder}/theirs.wav").close()
        return "Asterisk writes where Callytics reads"

    def _let_copy(self, name: str, copy: str) -> None:
        stored = f"/recordings/stored/{quote(name, safe='')}"
        try:
            self.ari.command("GET", stored, seconds=SECONDS)
        except AriError as error:
            if error.status not in (404, 500):
                raise
            raise CheckFailedError(
                f"Asterisk does not see {self.storage.root}: make the folder recording in its "
                f"astspooldir a link to it, or set RECORDINGS_DIR to that folder ({error})"
            ) from error
        try:
            self.ari.command(
                "POST", f"{stored}/copy", seconds=SECONDS, destinationRecordingName=copy
            )
        except AriError as error:
            raise CheckFailedError(
                f"Asterisk cannot write to {self.storage.root}: give it to the user that Asterisk "
                f"runs as, and let ari.conf say read_only = no ({error})"
            ) from error

    @contextmanager
    def _own_folder(self) -> Iterator[str]:
        """Yield a new folder, created like that of a new day, and delete it at the end."""
        folder = PROBE_PREFIX + secrets.token_hex(6)
        try:
            yield folder
        finally:
            for name in self.storage.names(folder):
                self.storage.delete(f"{folder}/{name}")
            if (self.storage.root / folder).exists():
                self.storage.delete_folder(folder)


@click.command("doctor")
def doctor() -> None:
    """Check all that Callytics needs on this host, and print a remedy for each problem."""
    extensions = current_app.extensions
    checks = Doctor(extensions["callytics"], extensions["storage"]).checks()
    sick: set[str] = set()
    for name, check in checks.items():
        if name in NEED_ASTERISK and "Asterisk" in sick:
            click.echo(f"      {name}: not looked at, since Asterisk must answer first")
        elif not _report(name, check):
            sick.add(name)
    raise SystemExit(1 if sick else 0)


def _report(name: str, check: Callable[[], str]) -> bool:
    try:
        click.echo(f"ok    {name}: {check()}")
    except SQLAlchemyError as error:
        click.echo(f"FAIL  {name}: the database cannot be asked ({type(error).__name__})")
    except (CheckFailedError, AriError, StorageError, OSError) as error:
        click.echo(f"FAIL  {name}: {error}")
    else:
        return True
    return False


def _short_wav() -> bytes:
    """Return a WAV of 0.1 s of silence, in the format of Asterisk."""
    whole = io.BytesIO()
    with wave.open(whole, "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(bytes(1600))
    return whole.getvalue()
