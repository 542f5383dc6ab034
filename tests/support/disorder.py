"""Library whose rows, facts and files a test can make disagree."""

import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from callytics.database.engine import db
from callytics.identifiers import new_uid
from callytics.integrity import reconcile
from callytics.integrity.inspection import CheckContext
from callytics.recordings import ledger, library
from callytics.recordings.facts import Facts
from callytics.recordings.facts_files import read_facts, write_facts
from callytics.recordings.finalization import finalize
from callytics.recordings.models import Recording
from callytics.recordings.notes import annotations_of
from tests.support.shelf import STARTED_AT, Shelf, wav_bytes

# Three quarters of a second of sound.
SOUND = struct.pack("<h", 1000) * 6000
SOUND_MS = 750
NOW = STARTED_AT + timedelta(days=3)


@dataclass(repr=False)
class Disorder:
    """Library that a test damages, and the reports of verify and reconcile."""

    shelf: Shelf
    live: set[str] = field(default_factory=set)
    asterisk_answers: bool = True
    now: datetime = NOW

    def context(self, **changes: Any) -> CheckContext:
        """Return the context of a check, with `changes`."""
        usual = {"storage": self.shelf.storage, "is_live": self._is_live, "now": lambda: self.now}
        return CheckContext(**{**usual, **changes})

    def _is_live(self, facts: Facts) -> bool | None:
        return facts.uid in self.live if self.asterisk_answers else None

    def verify(self, **changes: Any) -> list[str]:
        """Return the problems that verify reports."""
        return said(reconcile.verify(self.context(**changes)))

    def reconcile(self, **changes: Any) -> list[str]:
        """Reconcile; return the repairs, and fail if one failed."""
        return said(reconcile.reconcile(self.context(**changes)))

    def skipped(self) -> list[str]:
        """Return what verify skips."""
        return [line for step in reconcile.verify(self.context()) for line in step.skipped]

    def foreign_files(self) -> list[str]:
        """Return the foreign files that verify reports."""
        return [line for step in reconcile.verify(self.context()) for line in step.foreign_files]

    def add(self, content: bytes | None = None, **changes: Any) -> Facts:
        """Add an intact recording: audio, facts and row."""
        audio_format = changes.get("format", "wav")
        usual = wav_bytes(SOUND) if audio_format == "wav" else SOUND[:6000]
        facts = self.open(usual if content is None else content, **changes)
        final = finalize(self.shelf.storage, facts, facts.started_at + timedelta(seconds=1))
        self.write(final.but(**{k: v for k, v in changes.items() if k != "uid"}))
        return self.facts(facts)

    def open(self, content: bytes | None, **changes: Any) -> Facts:
        """Add a recording in progress, with the audio that Asterisk has written so far."""
        usual = {"uid": new_uid(), "kind": "transfer", "direction": "inbound", "format": "wav"}
        more = {"caller_number": "15550100", "caller_name": "Ånn", "call_uid": new_uid()}
        facts = Facts(
            **{**usual, **more, "started_at": STARTED_AT, "state": "recording", **changes}
        )
        self.write(facts)
        if content is not None:
            self.put(facts.path, content)
        self.touch(facts.facts_path)
        return facts

    def put(self, path: str, content: bytes, modified_at: datetime | None = None) -> None:
        """Write a file into the folder, past the library."""
        full = self.shelf.storage.root / path
        full.parent.mkdir(parents=True, exist_ok=True)
        full.write_bytes(content)
        self.touch(path, modified_at)

    def touch(self, path: str, modified_at: datetime | None = None) -> None:
        """Set the modification time of a file, by default a second after the start."""
        at = (modified_at or STARTED_AT + timedelta(seconds=1)).timestamp()
        os.utime(self.shelf.storage.root / path, (at, at))

    def write(self, facts: Facts) -> None:
        """Write facts and row as the worker does."""
        write_facts(self.shelf.storage, facts)
        ledger.save_recording(facts)

    def file(self, path: str) -> Path:
        """Return the path of a file in the folder."""
        return self.shelf.storage.root / path

    def facts(self, facts: Facts) -> Facts:
        """Return the facts of the file."""
        return read_facts(self.shelf.storage, facts.facts_path)

    def row(self, facts: Facts) -> Facts | None:
        """Return the facts of the row."""
        row = library.recording(facts.uid)
        tags = {tag.tag for tag in annotations_of(facts.uid).tags}
        names = Facts.__dataclass_fields__.keys() - {"keep"}
        return row and Facts(**{name: getattr(row, name) for name in names}, keep="keep" in tags)

    def rows(self) -> dict[str, Facts]:
        """Return every row by its uid."""
        rows = {row.uid: self.row(row) for row in library.newest(0)}
        return {uid: row for uid, row in rows.items() if row}

    def set_row(self, facts: Facts, **values: Any) -> None:
        """Change only the row."""
        from callytics.database.transactions import writing

        with writing() as connection:
            row = Recording.__table__
            connection.execute(row.update().where(row.c.uid == facts.uid).values(**values))

    def files(self) -> dict[str, bytes]:
        """Return the content of every file in the folder, by its path."""
        return {found.path: self.file(found.path).read_bytes() for found in self._walk()}

    def _walk(self) -> Any:
        return self.shelf.storage.walk()

    def everything(self) -> tuple[dict[str, bytes], dict[str, Facts]]:
        """Return all rows and files, for comparison with a later state."""
        return self.files(), self.rows()


def said(steps: Iterator[reconcile.Report]) -> list[str]:
    """Return all sentences of a run."""
    sentences = []
    for step in steps:
        assert step.failures == []
        sentences += step.problems
    return sentences


@contextmanager
def disorder(environment: dict[str, str]) -> Iterator[Disorder]:
    """Library of an installation with a schema."""
    shelf = Shelf.of(environment)
    with shelf.app.app_context():
        yield Disorder(shelf)
        db.session.remove()


def unfinished(sound: bytes = SOUND) -> bytes:
    """Return a `.wav` as a killed Asterisk leaves it."""
    whole = bytearray(wav_bytes(sound))
    whole[4:8] = whole[40:44] = bytes(4)
    return bytes(whole)


def utc(*parts: int) -> datetime:
    """Return a time in UTC."""
    return datetime(*parts, tzinfo=UTC)
