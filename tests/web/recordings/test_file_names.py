"""The name under which a recording is saved: readable, and never more than a name."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from urllib.parse import unquote

from hypothesis import given, settings, strategies as st
from werkzeug.http import parse_options_header

from callytics.web.recordings.file_names import attachment, file_name


def row(**values: Any) -> SimpleNamespace:
    usual = {
        "started_at": datetime(2026, 11, 22, 9, 5, 7, tzinfo=UTC),
        "caller_name": "Ann Example",
        "caller_number": "+15551234",
        "callee": "PJSIP/desk",
        "dialed_number": "1000",
        "kind": "hunt_group",
        "format": "wav",
    }
    return SimpleNamespace(**{**usual, **values})


def test_the_name_says_date_caller_callee_and_kind() -> None:
    expected = "2026-11-22_090507Z_Ann-Example-+15551234_PJSIP-desk_hunt-group.wav"
    assert file_name(row()) == expected


def test_without_a_callee_it_says_the_number_dialled() -> None:
    assert "_1000_voicemail.ulaw" in file_name(row(callee="", kind="voicemail", format="ulaw"))


def test_who_is_not_known_is_called_unknown() -> None:
    assert "_unknown_" in file_name(row(caller_name="", caller_number=""))


def test_letters_of_all_scripts_are_kept() -> None:
    assert "_Ünal-Çelik-山田_" in file_name(row(caller_name="Ünal Çelik 山田", caller_number=""))


def test_what_tricks_a_reader_or_a_file_system_is_left_out() -> None:
    name = file_name(row(caller_name='../../e"vil\r\nX: y\0\u202egnp.exe', caller_number=""))
    assert name.split("_")[2] == "e-vil-X-y-gnp-exe"


def test_the_longest_name_still_fits_a_file_system() -> None:
    letters = "\U00020000" * 500
    name = file_name(row(caller_name=letters, callee=letters, dialed_number=letters))
    assert len(name.encode()) <= 255


def test_a_header_has_both_names() -> None:
    header = attachment("2026_Ünal_+1.wav")
    assert (
        header
        == "attachment; filename=\"2026_Unal_+1.wav\"; filename*=UTF-8''2026_%C3%9Cnal_+1.wav"
    )


@settings(deadline=None)
@given(st.text(), st.text(), st.text(), st.text())
def test_no_caller_can_write_more_than_a_name(
    name: str, number: str, callee: str, dialed: str
) -> None:
    given_row = row(caller_name=name, caller_number=number, callee=callee, dialed_number=dialed)
    saved_as = file_name(given_row)
    assert len(saved_as.encode()) <= 255
    assert saved_as.startswith("2026-11-22_090507Z_")
    assert saved_as.endswith("_hunt-group.wav")
    assert not set(saved_as) & set("/\\:\"'<>|?*%;\r\n\0 ")
    header = attachment(saved_as)
    assert header.isascii() and header.isprintable()
    kind, options = parse_options_header(header)
    assert (kind, options["filename"]) == ("attachment", saved_as)
    assert unquote(header.partition("filename*=UTF-8''")[2]) == saved_as
