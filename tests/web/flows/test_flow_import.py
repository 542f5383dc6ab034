"""Import and export of the whole document, on the pages and on the command line."""

import io
import json

import pytest

from callytics.flows import versions
from callytics.flows.document import check
from tests.flows.test_flow_document import DOCUMENT, with_value
from tests.support.command import flask
from tests.support.flow_pages import draft_of, published_document, seen, use_document
from tests.support.pages import PageClient, text_of
from tests.support.shelf import Shelf

TEXT = json.dumps(DOCUMENT, indent=2)


@pytest.fixture
def admin(shelf: Shelf) -> PageClient:
    return shelf.client("ada")


def shown(client: PageClient, text: str) -> dict[str, str]:
    """Send a text to the page that shows its changes; return the fields of the next form."""
    page = client.send("/flows/import", {"text": text})
    html = page.get_data(as_text=True)
    digest = html.split('name="shown" value="')[1].split('"')[0]
    return {"text": text, "shown": digest, "seen": seen(page)}


def test_what_is_pasted_shows_what_it_changes_then_comes_in_force(shelf, admin):
    page = admin.send("/flows/import", {"text": TEXT, "do": "force"})
    assert "Flow main is new: 2 numbers, 5 nodes." in text_of(page)
    assert published_document(shelf).flows == {}
    admin.send("/flows/import", {**shown(admin, TEXT), "do": "force"})
    assert published_document(shelf) == check(DOCUMENT)


def test_a_file_becomes_the_draft_and_is_exported_again(shelf, admin):
    file = {"file": (io.BytesIO(b"\xef\xbb\xbf" + TEXT.encode()), "flows.json")}
    page = admin.send("/flows/import", file, content_type="multipart/form-data")
    assert "Flow other is new" in text_of(page)
    admin.send("/flows/import", {**shown(admin, TEXT), "do": "draft"})
    assert check(draft_of(admin)) == check(DOCUMENT)
    assert published_document(shelf).flows == {}
    use_document(shelf, DOCUMENT)
    answer = admin.get("/flows/export")
    assert answer.mimetype == "application/json"
    assert "attachment" in answer.headers["Content-Disposition"]
    same = flask(shelf.environment, "flows", "export").stdout
    assert answer.get_data(as_text=True) == same


def test_a_wrong_document_changes_nothing_names_each_place_and_is_not_lost(shelf, admin):
    wrong = with_value("flows.main.nodes.desk.ring_seconds", 0)
    wrong["queues"]["support"]["music"] = "</textarea><script>"
    answer = admin.send("/flows/import", {"text": json.dumps(wrong)})
    assert answer.status_code == 422
    text = text_of(answer)
    assert "flows.main.nodes.desk.ring_seconds: must be 1 to 300" in text
    assert "queues.support.music: must be a name of letters, digits, - and _" in text
    assert json.dumps(wrong) in text
    assert "<script>" not in answer.get_data(as_text=True).split("<main")[1]
    assert published_document(shelf).flows == {}


@pytest.mark.parametrize("text", ["", "{", "[" * 90_000, "null", '{"flows": 1}'])
def test_what_is_no_document_is_refused(admin, text):
    assert admin.send("/flows/import", {"text": text}).status_code == 422


def test_a_long_document_can_be_pasted_and_one_that_is_too_long_says_so(admin):
    assert admin.send("/flows/import", {"text": TEXT + " " * 700_000}).status_code == 200
    answer = admin.send("/flows/import", {"text": TEXT + " " * 1_100_000})
    assert answer.status_code == 413
    assert "Too large" in text_of(answer)


def test_a_text_that_was_changed_after_it_was_shown_is_shown_again(shelf, admin):
    form = shown(admin, TEXT)
    other = json.dumps({"flows": {}, "queues": {}})
    page = admin.send("/flows/import", {**form, "text": other, "do": "force"})
    assert "Nothing: it says the same." in text_of(page)
    assert flow_history_of(shelf) == []


def test_an_import_that_somebody_was_faster_than_is_told(shelf, admin):
    form = shown(admin, TEXT)
    use_document(shelf, {"queues": {"new": {"members": []}}}, "bob")
    page = admin.send("/flows/import", {**form, "do": "force"})
    assert page.status_code == 409
    assert "somebody published other changes meanwhile" in text_of(page)
    assert "Queue new is gone." in text_of(page)
    assert "new" in published_document(shelf).queues


def flow_history_of(shelf: Shelf) -> list[str]:
    with shelf.app.app_context():
        return [row.said for row in versions.versions()]


def test_the_command_line_keeps_what_changed_in_words_too(shelf, admin):
    flask(shelf.environment, "flows", "import", "-", text=TEXT)
    changed = json.dumps(with_value("queues.support.ring_seconds", 99))
    flask(shelf.environment, "flows", "import", "-", text=changed)
    flask(shelf.environment, "flows", "import", "-", text=changed)
    newest, second, first = flow_history_of(shelf)
    assert newest == "Nothing changed."
    assert second == "Queue support: how long it rings: 99 s (before: 15 s)."
    assert first.startswith("Flow main is new")
    assert "99 s" in text_of(admin.get("/flows/history"))
