"""The only code that opens, moves or deletes a file under RECORDINGS_DIR."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from callytics.facts import Facts


class StorageError(Exception):
    """The folder cannot be used as asked; the message says why in words."""


class Storage:
    """The folder that Asterisk, the worker and the web share."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def resolve(self, path: str) -> Path:
        """The full path of a file under the folder.

        Raises StorageError for a path that leaves the folder, by `..`, by a full path or
        through a link: a name comes from a row or from a facts file, and either may be forged.
        """
        if not path or "\0" in path:
            raise StorageError("a recording's path is empty or malformed")
        root = self.root.resolve()
        full = (root / path).resolve()
        if not full.is_relative_to(root) or full == root:
            raise StorageError("a recording's path leads out of RECORDINGS_DIR")
        return full

    def open(self, path: str) -> BinaryIO:
        """Open a file for reading. Raises FileNotFoundError, StorageError."""
        full = self.resolve(path)
        if full.exists() and not full.is_file():
            raise StorageError("a recording's path is not a file")
        return full.open("rb")

    def size(self, path: str) -> int | None:
        """Bytes of a file, or None when there is none."""
        try:
            return self.resolve(path).stat().st_size
        except FileNotFoundError:
            return None

    def delete(self, path: str) -> bool:
        """Remove a file; False when it was gone already. Raises OSError when it cannot go."""
        try:
            self.resolve(path).unlink()
        except FileNotFoundError:
            return False
        return True

    def write_facts(self, facts: Facts) -> None:
        """Put the facts beside the audio, whole or not at all. Raises OSError."""
        full = self.resolve(facts.facts_path)
        full.parent.mkdir(parents=True, exist_ok=True)
        draft = full.with_suffix(".json.new")
        with draft.open("w", encoding="utf-8") as file:
            file.write(facts.to_json())
            file.flush()
            os.fsync(file.fileno())
        draft.replace(full)

    def read_facts(self, path: str) -> Facts:
        """Read a facts file. Raises FileNotFoundError, and ValueError for an unusable one."""
        return Facts.from_json(self.resolve(path).read_bytes())

    def walk(self) -> Iterator[str]:
        """Every file under the folder, relative to it, in the order of its name."""
        for folder, subfolders, names in os.walk(self.root):
            subfolders.sort()
            for name in sorted(names):
                yield str((Path(folder) / name).relative_to(self.root))

    def free_bytes(self) -> int:
        """Room left where the folder is. Raises OSError."""
        return shutil.disk_usage(self.root).free

    def problem(self) -> str | None:
        """Why nothing can be recorded here, in words, or None."""
        if not self.root.is_dir():
            return f"RECORDINGS_DIR: the folder {self.root} does not exist"
        if not os.access(self.root, os.R_OK | os.W_OK | os.X_OK):
            return f"RECORDINGS_DIR: the folder {self.root} cannot be read and written"
        return None
