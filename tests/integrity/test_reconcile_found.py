"""Orphaned audio, and files of other programs."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from callytics.recordings.facts import Facts
from tests.support.disorder import NOW, SOUND, SOUND_MS, Disorder, disorder, unfinished, utc
from tests.support.shelf import wav_bytes

# As the dialplan's MixMonitor names them.
UUID = "a2df57bc-2b1c-4e5a-9a39-2f8f2a1b7a1e"
WHOLE = wav_bytes(SOUND)
DAY = "2026/11/22"


@pytest.fixture
def lib(app_env: dict[str, str]) -> Iterator[Disorder]:
    with disorder(app_env) as library:
        yield library


def found(lib: Disorder) -> Facts:
    """Return the only recording; check that row and facts agree and verify reports nothing."""

    (row,) = lib.rows().values()
    assert lib.facts(row) == row
    assert lib.verify() == []
    assert lib.reconcile() == []
    return row


def test_a_recording_of_the_dialplan_is_taken_in(lib: Disorder) -> None:
    lib.put(f"{DAY}/{UUID}.wav", WHOLE, utc(2026, 11, 22, 8, 0, 1))
    (said,) = lib.verify()
    assert said == f"{DAY}/{UUID}.wav: a recording without row and facts → " + (
        "taken in as found without its facts"
    )
    assert lib.reconcile() == [said]
    row = found(lib)
    assert (row.uid, row.path, row.kind, row.direction) == (
        UUID,
        f"{DAY}/{UUID}.wav",
        "transfer",
        "inbound",
    )
    assert (row.state, row.state_reason) == ("available", "found without its facts")
    assert row.started_at == utc(2026, 11, 22, 8) + timedelta(milliseconds=250)
    assert row.ended_at == row.started_at + timedelta(milliseconds=SOUND_MS)
    assert (row.duration_ms, row.size_bytes) == (SOUND_MS, len(WHOLE))
    assert (row.caller_number, row.caller_name, row.callee) == ("", "", "")
    assert row.sha256


def test_one_that_was_copied_since_stays_in_the_day_of_its_folder(lib: Disorder) -> None:
    for uid, at in (("early", utc(2026, 11, 21)), ("late", utc(2026, 11, 24))):
        lib.put(f"{DAY}/{uid}.wav", WHOLE, at)
    lib.reconcile()
    started = {uid: row.started_at for uid, row in lib.rows().items()}
    assert started["early"] == utc(2026, 11, 22)
    assert started["late"] == utc(2026, 11, 23) - timedelta(microseconds=1)


def test_one_that_was_cut_short_is_mended(lib: Disorder) -> None:
    lib.put(f"{DAY}/{UUID}.wav", unfinished(), utc(2026, 11, 22, 8))
    lib.reconcile()
    row = found(lib)
    assert row.size_bytes == len(WHOLE)
    assert row.state_reason.startswith("found without its facts; cut short")
    assert lib.file(f"{DAY}/{UUID}.wav").read_bytes() == WHOLE


def test_one_that_may_still_be_written_is_left_alone(lib: Disorder) -> None:
    lib.put(f"{DAY}/{UUID}.wav", unfinished(), NOW - timedelta(seconds=100))
    lib.live.add("known")
    lib.put(f"{DAY}/known.wav", unfinished(), utc(2026, 11, 22, 8))
    before = lib.everything()
    assert lib.reconcile() == []
    assert len(lib.skipped()) == 2
    assert "perhaps still being recorded" in lib.skipped()[0]
    assert lib.everything() == before


def test_a_message_without_facts_is_taken_in(lib: Disorder) -> None:
    lib.put(f"{DAY}/m.ulaw", SOUND, NOW)
    lib.reconcile()
    row = found(lib)
    assert (row.format, row.duration_ms, row.sha256) == ("ulaw", 1500, None)
    lib.put(f"{DAY}/m.ulaw", SOUND * 2, NOW)
    assert "said to have 12000 bytes, has 24000" in lib.reconcile()[0]
    lib.now += timedelta(minutes=10)
    assert "no checksum was taken" in lib.reconcile()[0]
    found(lib)


def test_one_beside_facts_that_cannot_be_used_is_taken_in_and_they_are_kept(lib) -> None:
    lib.put(f"{DAY}/a.json", b"{")
    lib.put(f"{DAY}/a.wav", WHOLE)
    lib.reconcile()
    assert found(lib).state == "available"
    assert lib.file(f"{DAY}/a.json.unusable").read_bytes() == b"{"


def test_a_file_without_sound_is_no_recording_and_goes_after_a_day(lib: Disorder) -> None:
    lib.put(f"{DAY}/a.wav", wav_bytes(b""), NOW - timedelta(hours=23))
    before = lib.everything()
    assert lib.reconcile() == []
    assert "left alone for a day" in lib.skipped()[0]
    assert lib.everything() == before
    lib.now += timedelta(hours=2)
    sentences = lib.verify()
    assert "belongs to no recording → removed" in sentences[0]
    assert lib.files() == before[0]
    assert lib.reconcile() == sentences
    assert lib.everything() == ({}, {})


STRANGERS = [
    "readme",
    "top.wav",
    "2026/a.wav",
    "2026/11/a.wav",
    "2026/13/22/a.wav",
    "2026/02/30/a.wav",
    "0000/01/01/a.wav",
    "0999/01/01/a.wav",
    f"{DAY}/deep/a.wav",
    f"{DAY}/a.mp3",
    f"{DAY}/a.b.wav",
    f"{DAY}/{'a' * 65}.wav",
    f"{DAY}/Ann's.wav",
    f"{DAY}/a.WAV",
    "lost.d/2026/11/22/a.wav",
]


@pytest.mark.parametrize("path", STRANGERS)
def test_what_is_not_ours_is_told_once_and_left_alone(lib: Disorder, path: str) -> None:
    lib.put(path, WHOLE)
    lib.add(uid="ours")
    before = lib.everything()
    assert lib.foreign_files() == [f"{path}: not a recording of Callytics, left alone"]
    assert (lib.verify(), lib.skipped(), lib.reconcile()) == ([], [], [])
    assert lib.everything() == before


def test_a_link_is_never_taken_for_a_recording(lib: Disorder, tmp_path: Path) -> None:
    (tmp_path / "secret.wav").write_bytes(WHOLE)
    facts = lib.add()
    lib.file(facts.path).unlink()
    lib.file(facts.path).symlink_to(tmp_path / "secret.wav")
    lib.file(f"{DAY}/link.wav").symlink_to(tmp_path / "secret.wav")
    assert ["the file is gone" in line for line in lib.reconcile()] == [True]
    assert lib.row(facts).state == "missing"
    assert lib.verify() == []
    assert list(lib.rows()) == [facts.uid]


def test_the_same_name_in_another_format_is_left_alone(lib: Disorder) -> None:
    facts = lib.add()
    lib.put(facts.path.replace("wav", "ulaw"), SOUND)
    assert (lib.verify(), lib.reconcile()) == ([], [])
    assert "not a recording of Callytics" in lib.foreign_files()[0]


def test_of_one_name_in_two_days_one_is_taken_in(lib: Disorder) -> None:
    for day in ("2026/11/21", DAY):
        lib.put(f"{day}/a.wav", WHOLE)
    assert len(lib.verify()) == 2
    assert len(lib.reconcile()) == 1
    assert lib.verify() == []
    assert found(lib).path == "2026/11/21/a.wav"
    assert lib.file(f"{DAY}/a.wav").exists()


def test_a_draft_that_a_crash_left_goes_after_a_day_and_no_other(lib: Disorder) -> None:
    lib.put(f"{DAY}/old.json.new", b"{", NOW - timedelta(hours=25))
    lib.put(f"{DAY}/new.json.new", b"{", NOW - timedelta(hours=23))
    (said,) = lib.verify()
    assert said == f"{DAY}/old.json.new: a draft of facts that a crash left → removed"
    assert lib.reconcile() == [said]
    assert list(lib.files()) == [f"{DAY}/new.json.new"]


def test_the_journal_of_calls_is_not_looked_at(lib: Disorder) -> None:
    lib.put(".calls/c1.json", b"{}")
    assert lib.verify() == []
    assert lib.reconcile() == []
    assert lib.file(".calls/c1.json").read_bytes() == b"{}"
