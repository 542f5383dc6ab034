"""Notes at a position in the audio, and tags: rights to write and delete them, and their links."""

import re

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from callytics.database.engine import db
from callytics.recordings import ledger, notes
from callytics.recordings.facts import Facts
from callytics.recordings.facts_files import read_facts
from callytics.recordings.models import Note, Tag
from callytics.search import access_paths, engine as finding
from callytics.search.filters import Filters
from tests.support.browser import new_page, played, sign_in, wait_for_focus, wait_for_sound
from tests.support.pages import HTMX, text_of
from tests.support.shelf import Shelf
from tests.support.sounds import wav
from tests.support.waiting import wait_until

SECONDS = 40
NASTY = "<script>alert(1)</script>\"'&"


@pytest.fixture(scope="session")
def tone() -> bytes:
    return wav((SECONDS, True))


@pytest.fixture
def ann(shelf: Shelf, tone: bytes) -> Facts:
    given = {"caller_name": "Ann", "callee": "PJSIP/desk", "duration_ms": SECONDS * 1000}
    return shelf.add(tone, **given)


def kept(shelf: Shelf, table: type[Note] | type[Tag]) -> list:
    with shelf.app.app_context(), db.engine.connect() as connection:
        return list(connection.execute(select(*table.__table__.columns)))


def write(client, facts: Facts, text: str, **more):
    return client.send(f"/recordings/{facts.uid}/notes", {"text": text}, **more)


def tag(client, facts: Facts, name: str):
    return client.send(f"/recordings/{facts.uid}/tags", {"tag": name})


@pytest.mark.parametrize(
    ("typed", "at_ms", "text"),
    [
        ("02:13 refund promised", 133_000, "refund promised"),
        ("1:02:13 late", 3_733_000, "late"),
        ("0:05 x", 5_000, "x"),
        ("00:41 02:13 the second is meant", 133_000, "the second is meant"),
        ("refund at 02:13", None, "refund at 02:13"),
        ("02:75 is no time", None, "02:75 is no time"),
        ("02:13pm", None, "02:13pm"),
        ("  spaces  ", None, "spaces"),
    ],
)
def test_a_time_in_front_is_a_mark(typed, at_ms, text):
    assert notes.split_mark(typed) == (at_ms, text)
    if at_ms is not None:
        assert notes.split_mark(f"{notes.mark(at_ms)} {text}") == (at_ms, text)


def test_a_note_says_who_wrote_it_and_is_kept_in_the_audit(shelf, ann):
    rita = shelf.client("rita")
    assert write(rita, ann, "00:12 refund promised").status_code == 303
    page = rita.get(f"/recordings/{ann.uid}")
    assert "Go to 00:12 refund promised rita," in text_of(page)
    assert f'href="/recordings/{ann.uid}/audio#t=12"' in page.get_data(as_text=True)
    assert shelf.accesses(ann) == [("rita", "note")]


def test_what_somebody_wrote_is_only_text(shelf, ann):
    rita = shelf.client("rita")
    write(rita, ann, NASTY)
    tag(rita, ann, NASTY)
    page = rita.get(f"/recordings/{ann.uid}")
    assert NASTY in text_of(page)
    assert "<script>alert" not in page.get_data(as_text=True)


@pytest.mark.parametrize("text", ["", "   ", "02:13", "02:13   ", "x" * 2001])
def test_a_note_without_words_or_with_too_many_is_refused_in_words(shelf, ann, text):
    answer = write(shelf.client("rita"), ann, text)
    assert answer.status_code == 400
    assert "note" in text_of(answer) or "Write something" in text_of(answer)
    assert kept(shelf, Note) == []


def test_who_wrote_it_or_an_administrator_deletes_it_and_nobody_else(shelf, ann):
    shelf.add_person("ruth")
    rita, ruth, ada = (shelf.client(name) for name in ("rita", "ruth", "ada"))
    for text in ("one", "two"):
        write(rita, ann, text)
        tag(rita, ann, text)
    first, second = kept(shelf, Note)
    assert "Delete the note" not in text_of(ruth.get(f"/recordings/{ann.uid}"))
    url = f"/recordings/{ann.uid}/notes/{first.id}/delete"
    assert ruth.send(url).status_code == 403
    assert ruth.send(f"/recordings/{ann.uid}/tags/remove", {"tag": "one"}).status_code == 403
    assert len(kept(shelf, Note)) == len(kept(shelf, Tag)) == 2
    assert rita.send(url).status_code == 303
    assert ada.send(f"/recordings/{ann.uid}/notes/{second.id}/delete").status_code == 303
    assert rita.send(f"/recordings/{ann.uid}/tags/remove", {"tag": "one"}).status_code == 303
    assert ada.send(f"/recordings/{ann.uid}/tags/remove", {"tag": "two"}).status_code == 303
    assert kept(shelf, Note) == kept(shelf, Tag) == []
    expected = [("rita", "delete note"), ("ada", "delete note")]
    assert [entry for entry in shelf.accesses(ann) if entry[1] == "delete note"] == expected


def test_a_note_is_deleted_only_by_the_address_of_its_recording(shelf, ann, tone):
    other, rita = shelf.add(tone), shelf.client("rita")
    write(rita, ann, "mine")
    (note,) = kept(shelf, Note)
    rita.send(f"/recordings/{other.uid}/notes/{note.id}/delete")
    assert len(kept(shelf, Note)) == 1


def test_a_tag_is_there_once_however_it_is_written(shelf, ann):
    rita = shelf.client("rita")
    for name in ("Refund", " refund ", "REFUND", "two  words, three"):
        assert tag(rita, ann, name).status_code == 303
    assert [row.tag for row in kept(shelf, Tag)] == ["refund", "two words three"]
    for name in ("", " , ", "x" * 41):
        assert tag(rita, ann, name).status_code == 400


def test_a_program_that_writes_without_end_is_stopped(shelf, ann, monkeypatch):
    monkeypatch.setattr(notes, "MOST_NOTES", 2)
    monkeypatch.setattr(notes, "MOST_TAGS", 2)
    rita = shelf.client("rita")
    assert [write(rita, ann, str(n)).status_code for n in range(3)] == [303, 303, 400]
    assert [tag(rita, ann, str(n)).status_code for n in range(3)] == [303, 303, 400]


def found(client, query: str) -> list[str]:
    html = client.get(f"/recordings?{query}").get_data(as_text=True)
    return re.findall(r'<tbody id="rec-([0-9a-z]+)"', html)


def test_what_is_written_on_it_is_searched_until_it_is_deleted(shelf, ann, tone):
    shelf.add(tone, caller_name="Ben")
    rita = shelf.client("rita")
    write(rita, ann, "00:12 Refund promised")
    tag(rita, ann, "Training")
    for query in ("q=fund", "q=training", "q=re", "tag=training", "q=promised&tag=Training"):
        assert found(rita, query) == [ann.uid], query
    with shelf.app.app_context():
        ledger.save_recording(ann.but(state_reason="written anew"))
        again = ledger.RowChange(ann.uid, "available", ann.but(state_reason="reconciled"))
        ledger.change_recordings([again])
    assert found(rita, "q=refund") == found(rita, "q=ann") == [ann.uid]
    (note,) = kept(shelf, Note)
    rita.send(f"/recordings/{ann.uid}/notes/{note.id}/delete")
    rita.send(f"/recordings/{ann.uid}/tags/remove", {"tag": "training"})
    for query in ("q=refund", "q=training", "tag=training"):
        assert found(rita, query) == []
    assert found(rita, "q=ann") == [ann.uid]


@pytest.mark.parametrize("scanned", [20_000, 3])
def test_a_tag_combines_with_other_filters_and_any_order(shelf, tone, monkeypatch, scanned):
    monkeypatch.setattr(access_paths, "SCANNED", scanned)
    monkeypatch.setattr(access_paths, "FETCHED", scanned)
    kept = [
        shelf.add(None, state="failed", kind=kind, caller_name=f"C{n}", duration_ms=1000 * (n % 4))
        for n, kind in enumerate(("queue", "transfer") * 6)
    ]
    with shelf.app.app_context():
        for facts in kept[:8]:
            notes.add_tag(facts.uid, "refund", "rita")
        for sort in ("time", "duration"):
            for ascending in (False, True):
                wanted = Filters(tag="refund", kind="queue", sort=sort, ascending=ascending)
                got, after = [], None
                while True:
                    page = finding.find(wanted, after)
                    got += [row.uid for row in page.rows]
                    if (after := page.older) is None:
                        break
                key = {"time": lambda n: n, "duration": lambda n: (n % 4, n)}[sort]
                order = sorted(range(0, 8, 2), key=key, reverse=not ascending)
                assert got == [kept[n].uid for n in order]


def test_tags_stand_in_the_list_and_lead_to_others_like_it(shelf, ann):
    rita = shelf.client("rita")
    tag(rita, ann, "50% & more")
    page = rita.get("/recordings")
    assert "Tag 50% & more" in text_of(page)
    assert 'href="/recordings?tag=50%25%20%26%20more"' in page.get_data(as_text=True)
    assert found(rita, "tag=50%25%20%26%20more") == [ann.uid]


def test_notes_and_tags_go_with_their_recording(shelf, ann):
    ada = shelf.client("ada")
    write(ada, ann, "gone soon")
    tag(ada, ann, "gone")
    ada.send(f"/recordings/{ann.uid}/delete")
    assert kept(shelf, Note) == kept(shelf, Tag) == []


def test_unknown_recordings_and_notes_are_no_error_of_ours(shelf, ann):
    rita = shelf.client("rita")
    for url in ("notes", "tags", "tags/remove", "notes/1/delete"):
        assert rita.send(f"/recordings/nothing/{url}").status_code == 404
    assert rita.send(f"/recordings/{ann.uid}/notes/999/delete").status_code == 303


def test_htmx_gets_the_notes_alone(shelf, ann):
    answer = write(shelf.client("rita"), ann, "00:12 yes", headers=HTMX)
    assert answer.get_data(as_text=True).startswith(f'<section class="notes" id="notes-{ann.uid}"')


# In the browser


def open_player(page: Page, facts: Facts) -> None:
    page.locator(f"#rec-{facts.uid}").get_by_role("link", name="Listen to").click()
    wait_for_sound(page)


def test_a_note_takes_the_place_one_is_at_and_leads_back_to_it(page, shelf, ann):
    sign_in(page, "rita")
    open_player(page, ann)
    page.locator("audio").evaluate("audio => { audio.currentTime = 21 }")
    wait_for_sound(page, 21)
    page.keyboard.press("n")
    field = page.get_by_label("Note", exact=True)
    expect(field).to_be_focused()
    assert field.input_value().startswith("00:2")
    field.fill("00:21 refund promised")
    # Keys belong to the text field now.
    field.press_sequentially(" j/d?")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_have_text("The note is kept.")
    expect(page.locator(".marks")).to_contain_text("refund promised j/d?")
    expect(field).to_be_focused()
    expect(field).to_have_value(re.compile(r"^00:2\d $"))
    page.locator("audio").evaluate("audio => { audio.pause(); audio.currentTime = 2 }")
    page.get_by_role("link", name="Go to 00:21").click()
    wait_until(lambda: 21 <= played(page) < 26, "it jumps to the mark and plays")
    page.get_by_role("button", name="Delete the note refund promised").click()
    expect(page.locator(".marks")).to_have_count(0)
    expect(field).to_be_focused()


def test_a_tag_is_added_proposed_and_removed(page, shelf, ann):
    sign_in(page, "rita")
    open_player(page, ann)
    field = page.get_by_label("New tag")
    field.fill("Refund")
    field.press("Enter")
    link = page.get_by_role("link", name="refund", exact=True)
    expect(link).to_have_attribute("href", "/recordings?tag=refund")
    expect(field).to_be_focused()
    page.get_by_role("button", name="Remove the tag refund").click()
    expect(link).to_have_count(0)
    expect(page.get_by_label("New tag")).to_be_focused()


def test_a_field_that_one_leaves_without_writing_is_empty_again(page, ann):
    sign_in(page)
    open_player(page, ann)
    field = page.get_by_label("Note", exact=True)
    field.focus()
    # The mark follows the playback while nobody types.
    for second in (1, 2):
        expect(field).to_have_value(f"00:0{second} ")
    page.get_by_role("button", name="Pause", exact=True).focus()
    expect(field).to_have_value("")
    wait_for_focus(page, "Pause")


def test_notes_and_tags_without_javascript(browser, web, shelf, ann):
    with new_page(browser, web.url, java_script_enabled=False) as page:
        sign_in(page, "rita")
        page.goto(f"/recordings/{ann.uid}")
        page.get_by_label("Note", exact=True).fill("00:12 refund promised")
        page.get_by_role("button", name="Add note").click()
        expect(page.get_by_role("link", name="Go to 00:12")).to_be_visible()
        page.get_by_label("New tag").fill("refund")
        page.get_by_role("button", name="Tag", exact=True).click()
        expect(page.get_by_role("link", name="refund", exact=True)).to_be_visible()
        page.get_by_role("button", name="Delete the note").click()
        expect(page.get_by_role("status")).to_have_text("The note is deleted.")


def test_the_tag_keep_stands_in_the_facts_file_as_long_as_it_is_there(shelf: Shelf) -> None:
    ada, kept = shelf.client("ada"), shelf.add(b"")
    tag(ada, kept, "Keep")
    assert read_facts(shelf.storage, kept.facts_path).keep
    ada.send(f"/recordings/{kept.uid}/tags/remove", {"tag": "keep"})
    assert not read_facts(shelf.storage, kept.facts_path).keep


def test_the_tag_keep_stays_while_the_facts_file_cannot_be_written(shelf: Shelf) -> None:
    ada, kept = shelf.client("ada"), shelf.add(b"")
    tag(ada, kept, "keep")
    facts = shelf.storage.root / kept.facts_path
    facts.unlink()
    facts.mkdir()
    answer = ada.send(f"/recordings/{kept.uid}/tags/remove", {"tag": "keep"})
    assert answer.status_code == 503
    with shelf.app.app_context():
        assert [tag.tag for tag in notes.annotations_of(kept.uid).tags] == ["keep"]
