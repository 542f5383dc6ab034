"""Flow pages without JavaScript: new flows, validation, drafts and publishing."""

import re

import pytest

from tests.support.flow_pages import NEW, TYPED, fields_of, publish_draft, published_document
from tests.support.pages import HTMX, PageClient, text_of
from tests.support.shelf import Shelf


@pytest.fixture
def admin(shelf: Shelf) -> PageClient:
    return shelf.client("ada")


def test_who_is_no_administrator_gets_nothing_but_the_reason(shelf):
    reviewer = shelf.client("rita")
    for rule in shelf.app.url_map.iter_rules():
        if not str(rule).startswith("/flows"):
            continue
        url = re.sub(r"<int:\w+>", "1", str(rule))
        url = re.sub(r"<\w+>", "main", url)
        answers = [reviewer.get(url)] if "GET" in rule.methods else []
        answers += [reviewer.send(url)] if "POST" in rule.methods else []
        for answer in answers:
            assert answer.status_code == 403, url
            assert "Only an administrator" in text_of(answer)


def test_where_asterisk_does_not_answer_no_phones_are_offered(admin):
    answer = admin.get("/flows/phones?field=destinations", headers=HTMX)
    assert (answer.status_code, answer.get_data(as_text=True).strip()) == (200, "")
    assert admin.get("/flows/phones?field=%3Cb%3E").status_code == 404


def test_a_form_without_its_token_changes_nothing(shelf, admin):
    assert admin.post(NEW, data=TYPED).status_code == 400
    assert "No flow yet" in text_of(admin.get("/flows"))


def test_a_first_flow_is_set_up_with_number_and_phones_alone_and_is_a_draft_until_publish(
    shelf, admin
):
    page = admin.get("/flows")
    assert "Nothing is published yet" in text_of(page)
    assert "Greeting, ring phones, else voicemail" in text_of(admin.get("/flows/new"))
    filled = fields_of(admin.get(NEW))
    asked = {"numbers": "", "destinations": ""}
    assert filled == {**TYPED, **asked}
    done = admin.send(NEW, TYPED, follow_redirects=True)
    assert "Your draft: 1 change, not published yet" in text_of(done)
    assert "Flow main is new: 2 numbers, 3 nodes." in text_of(done)
    assert published_document(shelf).flows == {}
    done = publish_draft(admin)
    assert "published, for the next call" in text_of(done)
    assert "Published " in text_of(done)
    flow = published_document(shelf).flows["main"]
    assert flow.numbers == ["1000", "1001"]
    greeting, phones, message = flow.nodes.values()
    assert (greeting.type, greeting.next) == ("play_audio", "phones")
    assert phones.destinations == ["PJSIP/a", "PJSIP/b", "PJSIP/c"]
    assert (phones.record_call, phones.next) == (True, "message")
    assert (message.type, message.next) == ("voicemail", None)
    assert "draft" not in text_of(admin.get("/flows"))


@pytest.mark.parametrize(
    ("kind", "typed"),
    [
        ("queue", {"numbers": "1", "members": "PJSIP/a", "name": "line", "record_call": "yes"}),
        ("phone", {"numbers": "1", "destination": "PJSIP/a", "name": "line"}),
        ("empty", {"numbers": "", "name": "line"}),
    ],
)
def test_every_starting_point_makes_a_flow(shelf, admin, kind, typed):
    done = admin.send(f"/flows/new?as={kind}", typed, follow_redirects=True)
    assert "Flow line is new" in text_of(done)
    if kind == "empty":
        assert "Flow line has no node yet. Add one." in text_of(done)
        done = admin.send("/flows/draft", {"seen": "0"})
        assert done.status_code == 422
        assert published_document(shelf).flows == {}
    else:
        publish_draft(admin)
        assert "line" in published_document(shelf).flows


@pytest.mark.parametrize(
    ("field", "typed", "problem"),
    [
        ("numbers", "one", "“one” must be a number of digits, +, * and #"),
        ("destinations", "PJSIP/a\nalice", "“alice” must be a dial string such as PJSIP/alice"),
        ("destinations", "", "must not be empty"),
        ("media", "hello", "must be media such as sound:welcome"),
        ("name", "a b", "must be a name of letters, digits, - and _"),
        ("name", "..", "must be a name of letters, digits, - and _"),
        ("name", "", "must be a name of letters, digits, - and _"),
        ("name", "ä" * 5000, "must be a name of letters, digits, - and _"),
        ("name", "<script>alert(1)</script>", "must be a name of letters, digits, - and _"),
    ],
)
def test_a_wrong_field_changes_nothing_loses_nothing_and_says_the_same_while_typing(
    shelf, admin, field, typed, problem
):
    answer = admin.send(NEW, {**TYPED, field: typed})
    assert answer.status_code == 422
    assert problem in text_of(answer)
    html = answer.get_data(as_text=True)
    assert re.search(rf'id="f-{field}"[^>]* aria-invalid="true" autofocus', html)
    assert "<script>alert" not in html
    for value in TYPED["destinations"].split() if field != "destinations" else ():
        assert value in html
    check_url = f"/flows/check?form=start&as=greeting&field={field}"
    said = admin.send(check_url, {**TYPED, field: typed}, headers=HTMX)
    assert said.get_data(as_text=True).strip().lower() == f"{problem}.".lower()
    assert admin.send(check_url, TYPED, headers=HTMX).get_data(as_text=True).strip() == ""
    assert "No flow yet" in text_of(admin.get("/flows"))
