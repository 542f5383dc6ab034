"""Dial strings: what may be dialed as it is."""

import pytest

from callytics.telephony.dial_strings import LONGEST, is_destination


@pytest.mark.parametrize(
    "text", ["PJSIP/alice", "PJSIP/15551234@trunk", "Local/1000@internal/n", "SIP/ö"]
)
def test_an_address_can_be_dialed(text: str) -> None:
    assert is_destination(text)


@pytest.mark.parametrize(
    "text",
    [
        *("", "alice", "PJSIP/", "/alice", "1SIP/alice"),
        *("PJSIP/a,20", "PJSIP/a&PJSIP/b", "PJSIP/a b", "PJSIP/a(b)", "PJSIP/a|b"),
        *("PJSIP/a\n", "\nPJSIP/a", "PJSIP/a\0", "PJSIP/a\x7f"),
    ],
)
def test_what_dial_would_read_as_more_than_an_address_cannot(text: str) -> None:
    assert not is_destination(text)


def test_an_address_has_a_longest_length() -> None:
    longest = "PJSIP/" + "a" * (LONGEST - 6)
    assert is_destination(longest)
    assert not is_destination(f"{longest}a")
