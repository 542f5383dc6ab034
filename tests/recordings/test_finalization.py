"""Finalization of recordings from their files; repeating it changes nothing."""

from pathlib import Path

from callytics.clock import utc_now
from callytics.identifiers import new_uid
from callytics.recordings.facts import Facts
from callytics.recordings.facts_files import read_facts, write_facts
from callytics.recordings.finalization import finalize
from callytics.storage.folder import Storage
from tests.support.tones import write_tone


def test_a_file_that_was_mended_once_still_says_why_when_it_is_completed_again(
    tmp_path: Path,
) -> None:
    storage = Storage(tmp_path)
    facts = Facts(new_uid(), "transfer", "inbound", "recording", utc_now(), "wav")
    write_facts(storage, facts)
    audio = tmp_path / facts.path
    write_tone(audio, 440, 1.0)
    whole = audio.read_bytes()
    # As a killed Asterisk leaves it: no sizes in the header.
    audio.write_bytes(whole[:4] + bytes(4) + whole[8:40] + bytes(4) + whole[44:])
    first = finalize(storage, facts, utc_now())
    write_facts(storage, first)
    assert "cut short" in first.state_reason
    assert audio.read_bytes() == whole
    # Another process, which has read the facts from before.
    again = finalize(storage, facts, utc_now())
    assert again.state_reason == first.state_reason
    assert again.duration_ms == 1000


def test_what_asterisk_did_not_write_is_told_by_its_length(tmp_path: Path) -> None:
    storage = Storage(tmp_path)
    facts = Facts(new_uid(), "voicemail", "inbound", "recording", utc_now(), "ulaw")
    write_facts(storage, facts)
    storage.write(facts.path, b"\xff" * 8000)
    said = finalize(storage, facts, utc_now(), expected_ms=4200).state_reason
    assert said == "cut short: Asterisk did not write 3.2 s of it"


def test_what_no_row_can_hold_is_left_out_of_facts_that_another_program_wrote(
    tmp_path: Path,
) -> None:
    storage = Storage(tmp_path)
    facts = Facts(new_uid(), "voicemail", "inbound", "recording", utc_now(), "ulaw")
    odd = facts.but(state_reason="cut\0 short: x", caller_name="\ud83dAnn", duration_ms=1 << 40)
    write_facts(storage, odd)
    storage.write(facts.path, b"\xff" * 8000)
    final = finalize(storage, facts, utc_now())
    assert final.state_reason == "cut short: x"
    read = read_facts(storage, facts.facts_path)
    assert (read.caller_name, read.duration_ms) == ("?Ann", None)


def test_a_nul_alone_is_left_out_too(tmp_path: Path) -> None:
    """PostgreSQL refuses it in a text."""
    storage = Storage(tmp_path)
    facts = Facts(new_uid(), "voicemail", "inbound", "available", utc_now(), "ulaw", "call\0one")
    write_facts(storage, facts)
    assert read_facts(storage, facts.facts_path).call_uid == "callone"
