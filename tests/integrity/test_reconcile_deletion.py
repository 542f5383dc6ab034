"""Interrupted deletions: reconcile finishes them after any step, and deletes nothing else."""

from collections.abc import Iterator

import pytest

from callytics.recordings import library, notes
from callytics.recordings.deletion import DeletionError, delete_recording, deletion_steps
from callytics.recordings.facts import Facts
from tests.support.disorder import Disorder, disorder

STEPS = 4


@pytest.fixture
def lib(any_env: dict[str, str]) -> Iterator[Disorder]:
    with disorder(any_env) as library:
        yield library


def interrupted(lib: Disorder, facts: Facts, after: int) -> None:
    """Run the first `after` steps of a deletion."""
    steps = deletion_steps(lib.shelf.storage, library.recording(facts.uid), "ada")
    assert len(steps) == STEPS
    for step in steps[:after]:
        step()


@pytest.mark.parametrize("after", range(STEPS + 1))
@pytest.mark.parametrize("audio_format", ["wav", "ulaw"])
def test_an_interrupted_deletion_is_finished(lib, after: int, audio_format: str) -> None:
    others = [lib.add(uid="a0"), lib.add(uid="b0", format="ulaw", kind="voicemail")]
    kept = lib.everything()
    facts = lib.add(uid="a1", format=audio_format)
    whole = lib.everything()
    interrupted(lib, facts, after)
    if after < 2:
        # The file is still there, so the deletion can be tried again.
        assert lib.verify() == []
        assert lib.reconcile() == []
        assert lib.everything() == whole
        return
    sentences = lib.verify()
    if after < STEPS:
        remedy = "its deletion was interrupted → finished: facts and row removed"
        assert sentences == [f"{facts.path}: {remedy}"]
    assert lib.reconcile() == sentences
    assert lib.everything() == kept
    assert lib.verify() == []
    assert lib.reconcile() == []
    assert [lib.row(other) for other in others] == others


def test_what_people_wrote_on_it_goes_with_it_and_not_before(lib: Disorder) -> None:
    facts, other = lib.add(), lib.add()
    for recording in (facts, other):
        notes.add_note(recording.uid, "a complaint", "ada")
    interrupted(lib, facts, 1)
    lib.reconcile()
    assert set(notes.annotations_by_uid([facts.uid, other.uid])) == {facts.uid, other.uid}
    lib.file(facts.path).unlink()
    lib.reconcile()
    assert set(notes.annotations_by_uid([facts.uid, other.uid])) == {other.uid}


@pytest.mark.parametrize("after", range(2, STEPS))
def test_finishing_it_may_be_interrupted_too(lib: Disorder, after: int) -> None:
    facts = lib.add()
    interrupted(lib, facts, after)
    lib.file(facts.facts_path).unlink(missing_ok=True)
    assert "its deletion was interrupted" in lib.reconcile()[0]
    assert lib.everything() == ({}, {})


def test_facts_that_are_left_of_a_deletion_do_not_bring_the_row_back(lib: Disorder) -> None:
    facts = lib.add()
    content = lib.file(facts.facts_path).read_bytes()
    delete_recording(lib.shelf.storage, library.recording(facts.uid), "ada")
    lib.put(facts.facts_path, content)
    assert lib.verify() == [
        f"{facts.facts_path}: its deletion was interrupted → finished: facts and row removed"
    ]
    lib.reconcile()
    assert lib.everything() == ({}, {})


def test_a_deletion_that_failed_is_not_finished(lib: Disorder) -> None:
    """The user saw that it failed, so a file that is gone later is missing, not deleted."""
    facts = lib.add()
    lib.file(facts.facts_path).unlink()
    lib.file(facts.facts_path).mkdir()
    lib.file(f"{facts.facts_path}/x").touch()
    with pytest.raises(DeletionError):
        delete_recording(lib.shelf.storage, library.recording(facts.uid), "ada")
    lib.file(f"{facts.facts_path}/x").unlink()
    lib.file(facts.facts_path).rmdir()
    assert "the file is gone → missing" in lib.reconcile()[0]
    assert lib.row(facts).state == "missing"


def test_only_what_was_deleted_goes(lib: Disorder) -> None:
    deleted, lost = lib.add(uid="a"), lib.add(uid="b")
    interrupted(lib, deleted, 2)
    lib.file(lost.path).unlink()
    lib.reconcile()
    assert list(lib.rows()) == ["b"]
    assert lib.row(lost).state == "missing"
    assert list(lib.files()) == [lost.facts_path]


def test_what_was_deleted_and_is_there_again_is_kept(lib: Disorder) -> None:
    """A file that was put back from a copy is not deleted."""
    facts = lib.add()
    content = lib.file(facts.path).read_bytes()
    interrupted(lib, facts, 3)
    lib.put(facts.path, content)
    lib.reconcile()
    assert lib.row(facts) == facts
    assert lib.file(facts.path).read_bytes() == content
