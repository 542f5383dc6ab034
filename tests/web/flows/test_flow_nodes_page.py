"""Forms of nodes and queues without JavaScript: add, change, move and remove in a draft."""

import copy

import pytest

from callytics.flows.node_types import NODE_TYPES
from tests.flows.test_flow_document import DOCUMENT
from tests.support.flow_pages import (
    draft_of,
    fields_of,
    publish_draft,
    published_document,
    use_document,
)
from tests.support.pages import HTMX, PageClient, text_of
from tests.support.shelf import Shelf


@pytest.fixture
def admin(shelf: Shelf) -> PageClient:
    use_document(shelf, DOCUMENT)
    return shelf.client("ada")


def nexts(client: PageClient, flow: str = "main"):
    nodes = draft_of(client)["flows"][flow]["nodes"]
    return {name: node.get("next") for name, node in nodes.items()}


def test_a_flow_is_shown_with_its_picture_and_its_nodes_in_order(admin):
    page = admin.get("/flows/main/")
    html, text = page.get_data(as_text=True), text_of(page)
    assert "A call to flow main comes to greeting (plays welcome), then desk (rings desk" in text
    assert "1000, +4930123" in text
    assert "conversation, the flow ends" in text
    for name in DOCUMENT["flows"]["main"]["nodes"]:
        assert f'<a class="node" href="/flows/main/nodes/{name}"' in html
    assert "style=" not in html


@pytest.mark.parametrize("name", list(DOCUMENT["flows"]["main"]["nodes"]))
def test_a_form_that_is_sent_as_it_came_changes_nothing(admin, name):
    url = f"/flows/main/nodes/{name}"
    done = admin.send(url, fields_of(admin.get(url)), follow_redirects=True)
    assert done.status_code == 200
    assert "Your draft" not in text_of(admin.get("/flows"))


def test_a_queue_and_a_flow_that_are_sent_as_they_came_change_nothing(admin):
    for url in ("/flows/queues/edit/support", "/flows/main/settings", "/flows/other/settings"):
        admin.send(url, fields_of(admin.get(url)))
    assert "Your draft" not in text_of(admin.get("/flows"))


def test_a_node_is_changed_and_its_new_name_leads_everywhere(admin, shelf):
    url = "/flows/main/nodes/desk"
    typed = {**fields_of(admin.get(url)), "name": "front", "ring_seconds": "45"}
    page = admin.send(url, typed, follow_redirects=True)
    assert "Flow main: node desk is now called front." in text_of(page)
    assert nexts(admin)["greeting"] == "front"
    publish_draft(admin)
    assert published_document(shelf).flows["main"].nodes["front"].ring_seconds == 45


@pytest.mark.parametrize("kind", list(NODE_TYPES))
def test_every_type_of_node_is_added_between_two_with_sensible_values(admin, kind):
    assert f"type={kind}" in admin.get("/flows/main/add?after=desk").get_data(as_text=True)
    url = f"/flows/main/add?type={kind}&after=desk"
    typed = fields_of(admin.get(url))
    wanted = {"media": "sound:beep", "destination": "PJSIP/x", "destinations": "PJSIP/x, PJSIP/y"}
    typed |= {key: value for key, value in wanted.items() if key in typed}
    done = admin.send(f"/flows/main/add?type={kind}", {**typed, "name": "added"})
    assert done.status_code == 303
    assert nexts(admin)["desk"] == "added"
    assert nexts(admin)["added"] == "team"
    assert publish_draft(admin).status_code == 200


def test_a_node_is_added_at_the_beginning(admin):
    form = {"media": "sound:beep", "after": "", "name": "beep"}
    admin.send("/flows/main/add?type=play_audio", form)
    assert draft_of(admin)["flows"]["main"]["start"] == "beep"
    assert nexts(admin)["beep"] == "greeting"


def test_nodes_are_moved_with_a_button_that_htmx_keeps(admin):
    url = "/flows/main/nodes/team/move"
    page = admin.send(url, {"to": "earlier"}, headers=HTMX)
    assert "Node team comes earlier now." in text_of(page)
    assert 'id="earlier-team"' in page.get_data(as_text=True)
    assert nexts(admin)["greeting"] == "team"
    assert nexts(admin)["team"] == "desk"
    page = admin.send(url, {"to": "later"}, follow_redirects=True)
    assert "Node team comes later now." in text_of(page)
    last = admin.send("/flows/main/nodes/message/move", {"to": "later"}, follow_redirects=True)
    assert "Node message cannot come later." in text_of(last)


def test_a_removed_node_says_what_leads_where(admin):
    url = "/flows/main/nodes/team/remove"
    assert "What led to it, desk, will lead to line." in text_of(admin.get(url))
    page = admin.send(url, follow_redirects=True)
    assert (
        "Node team is removed in your draft. What led to it, desk, leads to line now."
        in text_of(page)
    )
    assert nexts(admin)["desk"] == "line"
    page = admin.send("/flows/main/nodes/greeting/remove", follow_redirects=True)
    assert "The flow begins with desk." in text_of(page)


def test_what_no_call_comes_to_is_said_in_words(admin):
    url = "/flows/main/settings"
    admin.send(url, {**fields_of(admin.get(url)), "start": "line"})
    text = text_of(admin.get("/flows/main/"))
    assert "No calls come to greeting, desk and team: nothing leads there" in text
    assert "No call comes to these" in text


def test_what_is_perhaps_not_meant_is_said(admin):
    text = text_of(admin.get("/flows/other/"))
    assert "It has no number, so no call comes to it." in text
    assert "Nothing of its calls is recorded." in text
    assert "Where nobody answers at out, the call is hung up: nothing comes next." in text


def test_a_flow_gets_another_name_and_numbers_and_one_that_is_taken_is_refused(admin):
    url = "/flows/other/settings"
    typed = fields_of(admin.get(url))
    answer = admin.send(url, {**typed, "name": "main"})
    assert "there is a flow 'main' already" in text_of(answer)
    answer = admin.send(url, {**typed, "numbers": "2000 1000"})
    assert "1000 belongs to flow 'main'" in text_of(answer)
    page = admin.send(url, {**typed, "numbers": "2000", "name": "sales"}, follow_redirects=True)
    assert "Flow sales" in text_of(page)
    assert draft_of(admin)["flows"]["sales"]["numbers"] == ["2000"]


def test_a_flow_is_deleted_after_a_question(admin, shelf):
    assert "Delete flow main?" in text_of(admin.get("/flows/main/delete"))
    page = admin.send("/flows/main/delete", follow_redirects=True)
    assert "Flow main is gone." in text_of(page)
    assert "main" in published_document(shelf).flows


@pytest.mark.parametrize("name", ["history", "new", "draft", "import", "queues", "export", "check"])
def test_a_flow_may_be_called_like_one_of_the_pages(admin, shelf, name):
    document = copy.deepcopy(DOCUMENT)
    document["flows"][name] = document["flows"].pop("main")
    use_document(shelf, document)
    assert f'href="/flows/{name}/"' in admin.get("/flows").get_data(as_text=True)
    assert f"Flow {name}" in text_of(admin.get(f"/flows/{name}/"))
    typed = {"destination": "PJSIP/x", "ring_seconds": "20", "after": "desk", "name": "added"}
    assert admin.send(f"/flows/{name}/add?type=transfer", typed).status_code == 303
    assert nexts(admin, name)["desk"] == "added"
    url = f"/flows/{name}/settings"
    admin.send(url, {**fields_of(admin.get(url)), "name": "renamed"})
    assert "renamed" in draft_of(admin)["flows"]


def test_a_node_behind_one_that_is_gone_is_refused_in_words(admin):
    typed = {"destination": "PJSIP/x", "ring_seconds": "20", "after": "gone", "name": "added"}
    answer = admin.send("/flows/main/add?type=transfer", typed)
    assert answer.status_code == 422
    assert "there is no node 'gone'" in text_of(answer)
    assert "added" not in draft_of(admin)["flows"]["main"]["nodes"]


# Queues


def test_a_queue_is_added_and_changed(admin, shelf):
    typed = {**fields_of(admin.get("/flows/queues/new")), "members": "PJSIP/x\nPJSIP/y"}
    page = admin.send("/flows/queues/new", typed, follow_redirects=True)
    assert "Queue team is new: 2 members." in text_of(page)
    url = "/flows/queues/edit/support"
    admin.send(url, {**fields_of(admin.get(url)), "name": "help", "wrap_up_seconds": "30"})
    publish_draft(admin)
    document = published_document(shelf)
    assert document.queues["help"].wrap_up_seconds == 30
    assert document.flows["main"].nodes["line"].queue == "help"
    assert document.queues["team"].members == ["PJSIP/x", "PJSIP/y"]


@pytest.mark.parametrize(
    ("field", "typed", "problem"),
    [
        ("ring_seconds", "0", "must be 1 to 300"),
        ("ring_seconds", "soon", "must be a whole number"),
        ("ring_seconds", "9" * 400, "must be a whole number"),
        ("wrap_up_seconds", "-1", "must be 0 to 3600"),
        ("strategy", "loud", "must be one of ring_all, longest_idle, random"),
        ("music", "a b", "must be a name of letters, digits, - and _"),
        ("members", "alice", "“alice” must be a dial string such as PJSIP/alice"),
    ],
)
def test_a_wrong_queue_says_what_an_import_would_say(admin, field, typed, problem):
    url = "/flows/queues/edit/support"
    form = {**fields_of(admin.get(url)), field: typed}
    answer = admin.send(url, form)
    assert answer.status_code == 422
    assert problem in text_of(answer)
    check_url = f"/flows/check?form=queue&queue=support&field={field}"
    said = admin.send(check_url, form, headers=HTMX).get_data(as_text=True).strip()
    assert said.lower() == f"{problem}.".lower()


def test_a_queue_that_a_node_uses_is_not_deleted(admin):
    url = "/flows/queues/delete/support"
    assert "line of flow main" in text_of(admin.get(url))
    answer = admin.send(url)
    assert answer.status_code == 409
    assert "It cannot be deleted, since callers wait in it." in text_of(answer)
    admin.send("/flows/main/nodes/line/remove")
    assert admin.send(url).status_code == 303
    assert draft_of(admin)["queues"] == {}
