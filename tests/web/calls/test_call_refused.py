"""Click-to-call that is refused: no phone rings, and the message has the reason."""

from datetime import timedelta

import pytest

from callytics.clock import utc_now
from callytics.people import users
from callytics.settings.settings import set_setting
from callytics.telephony.numbers import NumberError, typed_number
from tests.support.pages import HTMX, PageClient, text_of
from tests.support.pbxs import record_heartbeat
from tests.support.shelf import Shelf


@pytest.fixture
def rita(shelf: Shelf) -> PageClient:
    return shelf.client("rita")


def give_phone(shelf: Shelf, endpoint: str = "PJSIP/rita") -> None:
    with shelf.app.app_context():
        users.change_endpoint(users.user_named("rita").id, endpoint, "ada")


def set_up(shelf: Shelf) -> None:
    """Configure a phone, a live worker and an outbound endpoint."""
    give_phone(shelf)
    with shelf.app.app_context():
        record_heartbeat("w", utc_now() + timedelta(minutes=5), utc_now(), "22")
        set_setting("outbound_endpoint", "PJSIP/{number}@trunk", "ada")


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        ("5550199", "5550199"),
        ("+49 30 1234-56", "+4930123456"),
        (" (030) 123 ", "030123"),
        ("030/123.4", "0301234"),
        ("+49 (0)30 123", "+4930123"),
        ("0049 (0) 30/123", "004930123"),
        ("030\u00a0123\u201145\u20136", "030123456"),
        ("tel:+4930123", "+4930123"),
        ("*98#", "*98#"),
        ("\u202a+4930123\u202c", "+4930123"),
    ],
)
def test_a_number_is_understood_as_people_write_it(typed, number):
    assert typed_number(typed) == number


@pytest.mark.parametrize(
    "typed", ["", " ", "()", "alice", "5550199@evil", "1&PJSIP/x", "1,s", "\u0661\u0662", "1" * 33]
)
def test_what_is_no_number_is_refused(typed):
    with pytest.raises(NumberError):
        typed_number(typed)


def test_without_a_phone_there_is_no_form_and_the_words_say_who_can_help(shelf, rita):
    assert 'id="dial"' not in rita.get("/recordings").get_data(as_text=True)
    words = "You have no phone yet; an administrator sets it under Users."
    assert words in text_of(rita.get("/call"))
    answer = rita.send("/call", {"number": "5550199"})
    assert answer.status_code == 409
    assert words in text_of(answer)


def test_with_a_phone_the_form_is_on_every_page(shelf, rita):
    give_phone(shelf)
    for url in ("/recordings", "/calls", "/account", "/call"):
        assert 'id="dial"' in rita.get(url).get_data(as_text=True), url


def test_a_call_takes_a_form_with_its_token(shelf, rita):
    set_up(shelf)
    assert rita.post("/call", data={"number": "5550199"}).status_code == 400


def test_what_is_no_number_comes_back_with_the_form(shelf, rita):
    set_up(shelf)
    answer = rita.send("/call", {"number": "5550<99"})
    assert answer.status_code == 400
    assert "a number must be 1 to 32 digits" in text_of(answer)
    assert 'value="5550&lt;99"' in answer.get_data(as_text=True)


def test_without_a_way_out_no_phone_rings_in_vain(shelf, rita):
    set_up(shelf)
    with shelf.app.app_context():
        set_setting("outbound_endpoint", "", "ada")
    answer = rita.send("/call", {"number": "5550199"})
    assert answer.status_code == 502
    assert "outbound_endpoint is not set in Settings" in text_of(answer)


def test_while_no_worker_could_lead_the_call_no_phone_rings(shelf, rita):
    set_up(shelf)
    with shelf.app.app_context():
        record_heartbeat("w", utc_now(), None, "22")
    answer = rita.send("/call", {"number": "5550199"})
    assert answer.status_code == 503
    assert "no connection to Asterisk, so nobody could lead the call" in text_of(answer)


def test_an_asterisk_that_does_not_answer_is_told_and_may_be_tried_again_at_once(shelf, rita):
    set_up(shelf)
    for _ in range(2):
        answer = rita.send("/call", {"number": "5550199"}, headers=HTMX)
        assert answer.status_code == 502
        assert "The call could not be placed. ARI_URL: nobody answers" in text_of(answer)


def test_nobody_calls_as_fast_as_a_machine(shelf, rita):
    set_up(shelf)
    codes = [rita.send("/call", {"number": f"555{n}"}).status_code for n in range(22)]
    assert codes == [502] * 20 + [429] * 2


def test_a_caller_can_be_called_back_by_who_has_a_phone(shelf, rita):
    shelf.add_call("in", caller_number="+49 30 123")
    shelf.add_call("out", direction="outbound", caller_number="rita", dialed_number="5550199")
    shelf.add_call("anonymous", caller_number="anonymous")
    recording = shelf.add(b"", caller_number="+4930123", call_uid="in")
    pages = {"/calls/in": "+4930123", "/calls/out": "5550199"}
    pages |= {f"/recordings/{recording.uid}": "+4930123", "/calls/anonymous": None}
    for url in pages:
        assert 'class="call-back"' not in rita.get(url).get_data(as_text=True)
    give_phone(shelf)
    for url, number in pages.items():
        html = rita.get(url).get_data(as_text=True)
        assert ('class="call-back"' in html) == (number is not None), url
        assert number is None or f'name="number" value="{number}"' in html, url
