"""Reconciliation: each disagreement of row, facts and audio is reported and repaired once."""

from collections.abc import Iterator
from datetime import timedelta
from hashlib import sha256

import pytest

from callytics.recordings import ledger, notes
from callytics.recordings.facts import Facts
from callytics.recordings.facts_files import write_facts
from tests.support.disorder import NOW, SOUND, SOUND_MS, Disorder, disorder, unfinished
from tests.support.shelf import STARTED_AT, wav_bytes

WHOLE = wav_bytes(SOUND)


@pytest.fixture
def lib(any_env: dict[str, str]) -> Iterator[Disorder]:
    with disorder(any_env) as library:
        library.add(uid="0-whole")
        library.add(uid="z-whole", kind="voicemail", format="ulaw")
        yield library


def mended(lib: Disorder, *words: str) -> list[str]:
    """Check that verify reports `words` without changes, and one reconcile repairs them."""
    before = lib.everything()
    sentences = lib.verify()
    assert lib.everything() == before
    assert len(sentences) == len(words), sentences
    for sentence, word in zip(sentences, words, strict=True):
        assert word in sentence
    assert lib.reconcile() == sentences
    assert lib.verify() == []
    after = lib.everything()
    assert lib.reconcile() == []
    assert lib.everything() == after
    for uid in ("0-whole", "z-whole"):
        assert after[1][uid] == before[1][uid]
    return sentences


def agreed(lib: Disorder, facts: Facts) -> Facts:
    """Return the facts that row and file agree on."""
    row = lib.row(facts)
    assert row == lib.facts(facts)
    return row


def test_a_library_in_order_has_nothing_to_say(lib: Disorder) -> None:
    before = lib.everything()
    assert lib.verify(compare_checksums=True, fill_checksums=True) == []
    assert lib.reconcile() == []
    assert lib.everything() == before


def test_a_completed_recording_has_the_checksum_of_its_bytes(lib: Disorder) -> None:
    facts = lib.add()
    assert facts.sha256 == sha256(lib.file(facts.path).read_bytes()).hexdigest()
    assert lib.row(facts).sha256 == facts.sha256


# Rows and files


def test_a_file_that_is_gone_is_missing_and_when_that_was_noticed_is_said(lib: Disorder) -> None:
    facts = lib.add(state_reason="cut short: x")
    lib.file(facts.path).unlink()
    (said,) = mended(lib, "the file is gone → missing")
    assert said.startswith(f"{facts.path}: ")
    row = agreed(lib, facts)
    assert row.state == "missing"
    assert row.state_reason == "the file is gone, noticed 2026-11-25 09:30 UTC (cut short: x)"
    assert (row.size_bytes, row.sha256) == (facts.size_bytes, facts.sha256)


def test_a_missing_file_that_is_back_is_available_again(lib: Disorder) -> None:
    facts = lib.add(state_reason="cut short: x")
    lib.file(facts.path).rename(lib.file("kept"))
    lib.reconcile()
    lib.file("kept").rename(lib.file(facts.path))
    mended(lib, "'missing', but its file is there, with sound → available again")
    row = agreed(lib, facts)
    assert row == facts.but(state_reason="the file was gone for a while (cut short: x)")


def test_a_failed_recording_with_sound_is_available_and_keeps_what_was_said(lib: Disorder) -> None:
    facts = lib.add()
    lib.write(facts.but(state="failed", state_reason="Asterisk would not", size_bytes=None))
    mended(lib, "available again")
    assert agreed(lib, facts).state_reason == "the file is there after all (Asterisk would not)"
    assert agreed(lib, facts).size_bytes == len(WHOLE)


def test_what_the_web_marked_missing_is_written_into_the_facts(lib: Disorder) -> None:
    facts = lib.add()
    lib.file(facts.path).unlink()
    lib.set_row(facts, state="missing", state_reason="the file is gone from the folder")
    mended(lib, "written from the row")
    assert agreed(lib, facts).state_reason == "the file is gone from the folder"


@pytest.mark.parametrize(("column", "unit"), [("size_bytes", "bytes"), ("duration_ms", "ms")])
def test_a_wrong_measure_is_corrected(lib: Disorder, column: str, unit: str) -> None:
    facts = lib.add()
    lib.set_row(facts, **{column: 7})
    mended(lib, f"said to have 7 {unit}, has {getattr(facts, column)} → corrected")
    assert agreed(lib, facts) == facts


def test_a_file_without_sound_is_failed_and_removed(lib: Disorder) -> None:
    for content in (b"", wav_bytes(b""), unfinished(b"")):
        facts = lib.add()
        lib.put(facts.path, content)
        mended(lib, "the file holds no sound → failed, and the file removed")
        assert not lib.file(facts.path).exists()
        row = agreed(lib, facts)
        assert (row.state, row.state_reason) == ("failed", "the file holds no sound")
        assert (row.duration_ms, row.size_bytes) == (None, None)


def test_a_file_that_cannot_be_played_is_failed_and_kept(lib: Disorder) -> None:
    facts = lib.add()
    lib.put(facts.path, b"not a wav, but who knows what somebody may find in it")
    mended(lib, "nothing can be played: the file is not a WAV → failed; the file stays")
    assert lib.file(facts.path).exists()
    assert agreed(lib, facts).state == "failed"


def test_an_unfinished_header_is_mended_and_nothing_else_of_the_file(lib: Disorder) -> None:
    facts = lib.add()
    lib.put(facts.path, unfinished())
    mended(lib, "its header was never finished → mended")
    assert lib.file(facts.path).read_bytes() == WHOLE
    assert agreed(lib, facts).state_reason.startswith("cut short: ")


# Facts


def test_facts_that_are_gone_are_written_from_the_row(lib: Disorder) -> None:
    facts = lib.add()
    lib.file(facts.facts_path).unlink()
    mended(lib, "its facts are gone → written from the row")
    assert agreed(lib, facts) == facts


def test_facts_that_cannot_be_used_are_written_anew_and_kept_aside(lib: Disorder) -> None:
    facts = lib.add()
    lib.put(facts.facts_path, b'{"uid": 7')
    mended(lib, "its facts cannot be used")
    assert agreed(lib, facts) == facts
    assert lib.file(f"{facts.facts_path}.unusable").read_bytes() == b'{"uid": 7'


def test_facts_of_another_recording_are_not_believed(lib: Disorder) -> None:
    facts, other = lib.add(), lib.add()
    lib.put(facts.facts_path, other.to_json().encode())
    mended(lib, "its facts cannot be used (they are those of another recording)")
    assert agreed(lib, facts) == facts
    assert agreed(lib, other) == other


def test_facts_that_were_not_written_at_the_end_follow_the_row(lib: Disorder) -> None:
    facts = lib.add()
    write_facts(lib.shelf.storage, facts.but(state="requested", ended_at=None, size_bytes=None))
    mended(lib, "written from the row")
    assert agreed(lib, facts) == facts


def test_a_row_that_was_not_written_at_the_end_follows_the_facts(lib: Disorder) -> None:
    """The database was away while the call ended."""
    facts = lib.add()
    lib.set_row(facts, state="recording", ended_at=None, size_bytes=None, duration_ms=None)
    mended(lib, "the facts beside it say more than the row → the row follows")
    assert agreed(lib, facts) == facts


@pytest.mark.parametrize("state", ["available", "failed", "missing"])
def test_a_recording_without_row_is_taken_in_as_its_facts_say(lib: Disorder, state: str) -> None:
    from callytics.recordings import ledger

    facts = lib.add(state=state, state_reason="because")
    if state != "available":
        lib.file(facts.path).unlink()
    ledger.forget_recording(facts.uid)
    mended(lib, "there is no row → taken into the library")
    assert agreed(lib, facts) == facts


def test_facts_that_no_row_can_hold_do_not_stop_the_others(lib: Disorder) -> None:
    from callytics.recordings import ledger

    facts = lib.add(state="failed")
    lib.file(facts.path).unlink()
    ledger.forget_recording(facts.uid)
    forged = facts.to_json().replace("Ånn", r"A\u0000n\ud800").replace("750", "9" * 30)
    lib.put(facts.facts_path, forged.encode())
    mended(lib, "there is no row → taken into the library")
    assert lib.row(facts).caller_name == "An?"


def test_a_row_that_looks_elsewhere_is_led_back(lib: Disorder) -> None:
    facts, other = lib.add(), lib.add()
    lib.set_row(facts, path=other.path)
    mended(lib, f"the row looks for it at '{other.path}' → corrected")
    assert agreed(lib, facts) == facts


def test_a_copy_in_another_day_is_left_alone(lib: Disorder) -> None:
    facts = lib.add()
    for path in (facts.path, facts.facts_path):
        lib.put(path.replace("11/22", "11/23"), lib.file(path).read_bytes())
    assert lib.verify() == []
    assert "bears the name of a recording of another day" in lib.foreign_files()[0]
    before = lib.everything()
    lib.reconcile()
    assert lib.everything() == before


# Recordings that were going on


def test_a_recording_that_is_over_is_completed_from_its_file(lib: Disorder) -> None:
    facts = lib.open(WHOLE)
    mended(lib, "'recording', but it is over → completed by what its file says")
    row = agreed(lib, facts)
    assert (row.state, row.state_reason, row.duration_ms) == ("available", "", SOUND_MS)
    assert row.sha256 == sha256(WHOLE).hexdigest()
    assert row.ended_at == STARTED_AT + timedelta(seconds=1)


def test_a_recording_that_was_cut_short_is_mended_and_says_so(lib: Disorder) -> None:
    facts = lib.open(unfinished())
    mended(lib, "completed by what its file says")
    row = agreed(lib, facts)
    assert row.state == "available"
    assert row.state_reason == "cut short: Asterisk stopped before it had finished the file"
    assert lib.file(facts.path).read_bytes() == WHOLE
    assert row.ended_at == STARTED_AT + timedelta(seconds=1)


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        ("requested", "the worker stopped before Asterisk had begun to record"),
        ("recording", "Asterisk wrote no file"),
    ],
)
def test_a_recording_without_file_that_is_over_failed(lib, state, reason) -> None:
    facts = lib.open(None, state=state)
    mended(lib, f"{state!r}, but it is over and there is no file → failed")
    row = agreed(lib, facts)
    assert (row.state, row.state_reason) == ("failed", reason)
    assert row.ended_at == STARTED_AT


def test_a_recording_without_sound_that_is_over_failed_and_its_file_goes(lib: Disorder) -> None:
    facts = lib.open(unfinished(b""))
    mended(lib, "it is over")
    assert agreed(lib, facts).state_reason == "the file holds no sound"
    assert not lib.file(facts.path).exists()


def test_a_message_that_an_asterisk_took_with_it_says_what_may_be_lost(lib: Disorder) -> None:
    facts = lib.open(SOUND, format="ulaw", kind="voicemail")
    lib.reconcile(asterisk_started_at=NOW)
    assert "perhaps cut short" in agreed(lib, facts).state_reason
    other = lib.open(SOUND, format="ulaw", kind="voicemail")
    lib.reconcile(asterisk_started_at=STARTED_AT - timedelta(days=1))
    assert agreed(lib, other).state_reason == ""


def test_what_asterisk_still_records_is_left_alone(lib: Disorder) -> None:
    facts = lib.open(unfinished())
    lib.live.add(facts.uid)
    before = lib.everything()
    assert (lib.verify(), lib.reconcile(), lib.skipped()) == ([], [], [])
    assert lib.everything() == before


def test_the_row_of_a_recording_that_goes_on_is_wanted_at_once(lib: Disorder) -> None:
    from callytics.recordings import ledger

    facts = lib.open(unfinished(), state="requested")
    lib.live.add(facts.uid)
    ledger.forget_recording(facts.uid)
    mended(lib, "there is no row")
    assert lib.row(facts) == facts
    assert lib.file(facts.path).read_bytes() == unfinished()


def test_what_asterisk_cannot_be_asked_about_is_left_alone_while_it_may_go_on(
    lib: Disorder,
) -> None:
    facts = lib.open(unfinished())
    lib.asterisk_answers = False
    lib.touch(facts.path, NOW - timedelta(seconds=100))
    before = lib.everything()
    assert lib.reconcile() == []
    assert "Asterisk cannot be asked" in lib.skipped()[0]
    assert lib.everything() == before
    lib.now += timedelta(seconds=30)
    mended(lib, "it is over")
    assert agreed(lib, facts).state == "available"


def test_what_ended_a_moment_ago_is_left_to_a_worker_that_runs(lib: Disorder) -> None:
    facts = lib.open(WHOLE)
    lib.touch(facts.path, NOW - timedelta(seconds=50))
    before = lib.everything()
    assert lib.reconcile(grace=timedelta(seconds=60)) == []
    assert lib.everything() == before
    assert lib.reconcile(grace=timedelta(seconds=40)) != []


def test_a_recording_that_was_given_up_but_goes_on_is_left_alone(lib: Disorder) -> None:
    facts = lib.open(unfinished(b""), state="failed", state_reason="it took too long")
    lib.live.add(facts.uid)
    assert lib.verify() == []
    assert "given up, but Asterisk is still recording it" in lib.skipped()[0]
    lib.put(facts.path, unfinished())
    assert lib.reconcile() == []
    lib.live.clear()
    lib.reconcile()
    assert agreed(lib, facts).state == "available"


# Checksums


def test_a_byte_that_changed_is_told_and_left(lib: Disorder) -> None:
    facts = lib.add()
    changed = bytearray(WHOLE)
    changed[5000] ^= 1
    lib.put(facts.path, bytes(changed))
    assert lib.verify() == []
    before = lib.everything()
    assert lib.reconcile() == []
    (said,) = lib.verify(compare_checksums=True)
    assert said.startswith(f"{facts.path}: its bytes are not those that were recorded")
    assert lib.everything() == before


def test_a_checksum_that_was_never_taken_is_taken(lib: Disorder) -> None:
    facts = lib.add(sha256=None)
    assert lib.verify() == []
    (said,) = lib.verify(fill_checksums=True)
    assert "no checksum was taken of it → taken" in said
    assert lib.reconcile() == [said]
    assert agreed(lib, facts).sha256 == sha256(WHOLE).hexdigest()
    assert lib.reconcile() == []


# What is kept


def test_the_tag_keep_is_written_into_the_facts(lib: Disorder) -> None:
    facts = lib.add()
    notes.add_tag(facts.uid, "keep", "ada")
    mended(lib, "the facts beside it say other than the row → written from the row")
    assert agreed(lib, facts).keep


def test_a_database_from_before_the_tag_gets_it_from_the_facts(lib: Disorder) -> None:
    facts = lib.add()
    write_facts(lib.shelf.storage, facts.but(keep=True))
    mended(lib, "its facts say keep, and the tag is gone → the tag is back")
    assert agreed(lib, facts).keep


def test_a_database_that_is_rebuilt_from_the_folder_gets_the_tag(lib: Disorder) -> None:
    facts = lib.add()
    write_facts(lib.shelf.storage, facts.but(keep=True))
    ledger.forget_recording(facts.uid)
    mended(lib, "there is no row → taken into the library")
    assert agreed(lib, facts).keep
    assert "keep" in {tag.tag for tag in notes.annotations_of(facts.uid).tags}


def test_what_is_completed_stays_kept(lib: Disorder) -> None:
    facts = lib.open(WHOLE)
    write_facts(lib.shelf.storage, facts.but(keep=True))
    lib.reconcile()
    assert lib.facts(facts).keep
