"""Folders that are made once for all test processes of a run and copied from then on."""

import fcntl
import os
from collections.abc import Callable
from pathlib import Path

import pytest


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """Return the folder `name` of this run; `make` fills it for the first process that asks."""
    base = factory.getbasetemp()
    # Each process of pytest-xdist has a folder of its own below the one of the run.
    root = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder = root / f"once-{name}"
    with (root / f"once-{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            draft = root / f"draft-{name}"
            draft.mkdir(exist_ok=True)
            make(draft)
            draft.rename(folder)
    return folder
