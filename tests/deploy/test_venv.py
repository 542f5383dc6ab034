"""The check of Python's version, before anything is installed."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.process import PROJECT


@pytest.mark.parametrize("version", ["3.9.2", "3.10.12", "3.15.0rc1"])
def test_a_python_that_is_not_supported_is_named_in_one_sentence(
    tmp_path: Path, version: str
) -> None:
    (tmp_path / "deploy").mkdir()
    shutil.copy(PROJECT / "deploy/venv", tmp_path / "deploy/venv")
    python = tmp_path / "bin/python3"
    python.parent.mkdir()
    python.write_text(f"#!/bin/sh\necho Python {version}\n")
    python.chmod(0o755)
    done = subprocess.run(
        [tmp_path / "deploy/venv", "requirements-lock.txt"],
        env={"PATH": f"{python.parent}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert "Python 3.11 to 3.14" in done.stderr
    assert f"is 3.{version.split('.')[1]}." in done.stderr
    assert not (tmp_path / ".venv").exists()
