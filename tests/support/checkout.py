"""Copy of the program without the files that running it creates."""

import shutil
from pathlib import Path

from tests.support.process import PROJECT

PARTS = ("app.py", "Procfile", "callytics", "worker", "templates", "static", "deploy")


def copy_program(folder: Path) -> Path:
    """Copy the program into a new folder; return it."""
    folder.mkdir()
    for name in PARTS:
        copy = shutil.copytree if (PROJECT / name).is_dir() else shutil.copy
        copy(PROJECT / name, folder / name)
    return folder
