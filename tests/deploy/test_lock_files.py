"""Lock files: every pinned requirement, with a hash for each file that may be installed."""

import re

import pytest

from tests.support.asterisk import PROJECT

PIN = re.compile(r"^([A-Za-z0-9_.-]+)(?:\[[^]]+\])?==([^\s;\\]+)", re.MULTILINE)
FOLDERS = ("", "tests/", "tests/bench/")


def pins(path: str) -> dict[str, str]:
    """Return the release of each package that a requirement or lock file names."""
    found = PIN.findall((PROJECT / path).read_text())
    return {re.sub("[-_.]+", "-", name).lower(): release for name, release in found}


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_lock_file_has_the_releases_of_its_requirements(folder):
    required, locked = (pins(f"{folder}requirements{end}.txt") for end in ("", "-lock"))
    assert required
    assert required == {name: locked.get(name) for name in required}, "run make lock"


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_package_of_a_lock_file_has_a_hash(folder):
    lines = (PROJECT / f"{folder}requirements-lock.txt").read_text().splitlines()
    packages = [number for number, line in enumerate(lines) if PIN.match(line)]
    assert packages
    for number in packages:
        assert "--hash=sha256:" in lines[number + 1], lines[number]


def test_what_two_lock_files_share_is_the_same_release():
    first, *others = (pins(f"{folder}requirements-lock.txt") for folder in FOLDERS)
    for other in others:
        assert {name: other[name] for name in first.keys() & other.keys()} == {
            name: first[name] for name in first.keys() & other.keys()
        }
