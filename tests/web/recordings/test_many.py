"""Many recordings at once: a zip, a table, a deletion; over HTTP and in the browser."""

import csv
import io
import tracemalloc
import zipfile
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Page, expect

from callytics.export import csv_table
from callytics.recordings import ledger
from callytics.recordings.facts import Facts
from callytics.recordings.pauses import PausedSpan
from callytics.search import access_paths
from callytics.web.recordings import bulk_actions
from tests.support.browser import new_page, sign_in, wait_for_focus
from tests.support.pages import text_of
from tests.support.rows import rows
from tests.support.shelf import STARTED_AT, Shelf, wav_bytes

WAV = wav_bytes(bytes(range(250)) * 64)
ULAW = bytes(range(256)) * 10


def add(shelf: Shelf, name: str, minute: int = 0, content: bytes | None = WAV, **more) -> Facts:
    given = {"caller_name": name, "callee": "PJSIP/desk", "duration_ms": 61_000, **more}
    return shelf.add(content, started_at=STARTED_AT + timedelta(minutes=minute), **given)


@pytest.fixture
def three(shelf: Shelf) -> list[Facts]:
    """Newest first."""
    return [add(shelf, name, -minute) for minute, name in enumerate(("Ann", "Ben", "Cid"))]


@pytest.fixture
def rita(shelf: Shelf) -> FlaskClient:
    return shelf.client("rita")


def send(client, what: str, kept: list[Facts] = (), query: str = "", **form):
    url = f"/recordings/many/{what}{query}"
    return client.send(url, {"uid": [facts.uid for facts in kept], **form})


def table(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))


# The zip


def test_the_zip_holds_the_stored_bytes_under_readable_names_and_a_manifest(shelf, rita, three):
    message = add(shelf, "Dora", -9, ULAW, format="ulaw", kind="voicemail")
    answer = send(rita, "download", [*three, message])
    assert answer.mimetype == "application/zip"
    assert answer.headers["Content-Disposition"].startswith("attachment; filename")
    assert answer.content_length == len(answer.data)
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        assert names[0] == "2026-11-22_093000Z_Ann_PJSIP-desk_transfer.wav"
        assert names[3:] == ["2026-11-22_092100Z_Dora_PJSIP-desk_voicemail.ulaw", "manifest.csv"]
        assert [archive.read(name) for name in names[:4]] == [WAV, WAV, WAV, ULAW]
        lines = table(archive.read("manifest.csv"))
    assert [line["file"] for line in lines] == names[:4]
    assert {line["sha256"] for line in lines[:3]} == {sha256(WAV).hexdigest()}
    assert lines[3]["sha256"] == sha256(ULAW).hexdigest()
    assert lines[0]["caller_name"] == "Ann" and lines[0]["duration_ms"] == "61000"


def test_each_recording_of_a_zip_is_a_download_in_the_audit(shelf, rita, three):
    assert len(send(rita, "download", three[:2]).data) > 2 * len(WAV)
    assert [shelf.accesses(facts) for facts in three] == [[("rita", "download")]] * 2 + [[]]


def test_two_of_the_same_second_have_names_of_their_own(shelf, rita):
    kept = [add(shelf, "Ann") for _ in range(3)]
    with zipfile.ZipFile(io.BytesIO(send(rita, "download", kept).data)) as archive:
        assert len(set(archive.namelist())) == 4


def test_what_has_no_audio_is_in_the_manifest_alone(shelf, rita, three):
    failed = add(shelf, "Failed", -5, None, state="failed", state_reason="no file")
    gone = add(shelf, "Gone", -6, None)
    with zipfile.ZipFile(io.BytesIO(send(rita, "download", [three[0], failed, gone]).data)) as z:
        assert len(z.namelist()) == 2
        lines = table(z.read("manifest.csv"))
    assert [(line["file"] != "", line["sha256"] != "") for line in lines] == [
        (True, True),
        (False, False),
        (False, False),
    ]
    assert send(rita, "download", [failed, gone]).status_code == 409


def test_notes_and_tags_are_in_the_manifest(shelf, rita, three):
    rita.send(f"/recordings/{three[0].uid}/notes", {"text": "02:13 refund, promised"})
    rita.send(f"/recordings/{three[0].uid}/tags", {"tag": "refund"})
    with zipfile.ZipFile(io.BytesIO(send(rita, "download", three).data)) as archive:
        first = table(archive.read("manifest.csv"))[0]
    assert (first["tags"], first["notes"]) == ("refund", "02:13 refund, promised (rita)")


def test_a_zip_of_large_files_needs_no_more_memory_than_one_of_small_ones(shelf, rita):
    kept = [add(shelf, f"Long {n}", n, bytes(20_000_000)) for n in range(5)]
    form = {"uid": [facts.uid for facts in kept], "csrf_token": rita.token()}
    tracemalloc.start()
    try:
        answer = rita.post("/recordings/many/download", data=form, buffered=False)
        got = sum(len(piece) for piece in answer.iter_encoded())
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert got > 100_000_000
    assert peak < 10_000_000


def test_a_file_that_goes_meanwhile_ends_the_download_instead_of_filling_it(shelf, rita, three):
    form = {"uid": [facts.uid for facts in three], "csrf_token": rita.token()}
    answer = rita.post("/recordings/many/download", data=form, buffered=False)
    pieces = answer.iter_encoded()
    next(pieces)
    shelf.path(three[2]).unlink()
    with pytest.raises(FileNotFoundError):
        list(pieces)


# The table


def test_the_export_has_every_fact_for_programs_and_spreadsheets(shelf, rita, three):
    answer = send(rita, "export", three)
    assert answer.mimetype == "text/csv"
    lines = table(answer.data)
    assert tuple(lines[0]) == csv_table.COLUMNS
    assert [line["caller_name"] for line in lines] == ["Ann", "Ben", "Cid"]
    assert lines[0]["started_at"] == "2026-11-22T09:30:00+00:00"
    assert lines[0]["path"] == three[0].path


def test_the_export_says_where_a_recording_was_paused(shelf, rita):
    until = STARTED_AT + timedelta(seconds=14)
    spans = (
        PausedSpan(STARTED_AT, "ada", 63_000, until, "rita"),
        PausedSpan(STARTED_AT, "ada"),  # Asterisk never confirmed it
        PausedSpan(STARTED_AT, "", 70_000, until, by_itself=True),
    )
    (line,) = table(send(rita, "export", [add(shelf, "Ann", pauses=spans)]).data)
    assert line["pauses"] == ("01:03 paused for 00:14 by ada\n01:10 paused for 00:14 by somebody")


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", " =", "\uff1d"])
def test_what_a_caller_is_called_is_never_computed(shelf, rita, sign):
    name = f'{sign}HYPERLINK("http://evil","x")'
    facts = add(shelf, name)
    (line,) = table(send(rita, "export", [facts]).data)
    assert line["caller_name"] == f"'{name}"


@pytest.mark.parametrize("sign", ["\t", "\r"])
def test_what_begins_a_line_is_never_computed(sign):
    text = f'{sign}HYPERLINK("http://evil","x")'
    (cell,) = next(csv.reader(io.StringIO(csv_table.line([text]).decode(), newline="")))
    assert cell == f"'{text}"


def test_a_number_stays_a_number(shelf, rita):
    facts = add(shelf, "-", caller_number="+4930901820", dialed_number="-5")
    (line,) = table(send(rita, "export", [facts]).data)
    assert (line["caller_number"], line["dialed_number"]) == ("+4930901820", "-5")
    assert line["caller_name"] == "'-"


def test_an_export_is_kept_in_the_audit_with_how_many(shelf, rita, three):
    send(rita, "export", three)
    (entry,) = rows(shelf.environment, "SELECT * FROM audit_entries WHERE action = 'export'")
    assert (entry["username"], entry["recording_uid"]) == ("rita", "")
    assert entry["detail"] == "3 recordings"


def test_all_that_match_is_more_than_a_page(shelf, rita):
    kept = [add(shelf, f"Caller {n}", n).uid for n in range(60)]
    lines = table(send(rita, "export", all="yes").data)
    assert [line["uid"] for line in lines] == kept[::-1]
    with zipfile.ZipFile(io.BytesIO(send(rita, "download", all="yes").data)) as archive:
        assert len(archive.namelist()) == 61


def test_all_that_match_is_what_the_list_with_these_filters_shows(shelf, rita):
    for n in range(60):
        add(shelf, ("Ann", "Ben")[n % 2], n, kind=("transfer", "queue")[n % 3 == 0])
    add(shelf, "Ann", 70, None, kind="queue", duration_ms=None)
    for query, count in (("q=ann", 31), ("q=ann&kind=queue", 11), ("sort=longest", 60), ("", 61)):
        answer = send(rita, "export", query=f"?{query}", all="yes")
        assert len(table(answer.data)) == count, query
    assert send(rita, "export", query="?kind=nonsense", all="yes").status_code == 400


def test_all_that_match_are_found_beyond_what_one_page_may_look_at(shelf, rita, monkeypatch):
    monkeypatch.setattr(access_paths, "SCANNED", 30)
    monkeypatch.setattr(access_paths, "FETCHED", 30)
    kept = [add(shelf, "Ann", n).uid for n in (0, 80)]
    for n in range(1, 80):
        add(shelf, "Ben", n)
    answer = send(rita, "export", query="?min_seconds=1&q=a", all="yes")
    assert [line["uid"] for line in table(answer.data)] == kept[::-1]


# Deleting


def test_deleting_asks_how_many_and_how_long_and_then_deletes(shelf, three):
    ada = shelf.client("ada")
    page = send(ada, "delete", three[:2])
    assert "Delete 2 recordings?" in text_of(page)
    assert "Together they are 02:02 long" in text_of(page)
    assert all(shelf.row(facts) for facts in three), "asking deletes nothing"
    answer = send(ada, "delete", three[:2], confirmed="yes", total="2")
    assert (answer.status_code, answer.location) == (303, "/recordings")
    assert "2 recordings are deleted." in text_of(ada.get("/recordings"))
    assert [shelf.row(facts) is None for facts in three] == [True, True, False]
    assert list(shelf.storage.root.rglob("*.wav")) == [shelf.path(three[2])]
    assert shelf.accesses(three[0]) == [("ada", "delete")]


def test_what_cannot_be_deleted_stays_and_is_told(shelf, three):
    ada = shelf.client("ada")
    with shelf.app.app_context():
        ledger.save_recording(three[1].but(state="recording"))
    send(ada, "delete", three, confirmed="yes", total="3")
    page = text_of(ada.get("/recordings"))
    assert "2 recordings are deleted." in page
    assert "1 could not be deleted. The last reason: This call is still being recorded." in page
    assert shelf.row(three[1]) is not None


def test_all_that_match_leaves_what_came_after_the_question(shelf):
    ada = shelf.client("ada")
    old = [add(shelf, f"Caller {n}", n) for n in range(30)]
    page = send(ada, "delete", all="yes")
    assert "Delete 30 recordings?" in text_of(page)
    upto = page.get_data(as_text=True).split('name="upto" value="')[1].split('"')[0]
    new = add(shelf, "New", 99)
    send(ada, "delete", all="yes", confirmed="yes", total="30", upto=upto)
    assert shelf.row(new) is not None
    assert all(shelf.row(facts) is None for facts in old)


def test_a_long_deletion_says_how_far_it_is_and_goes_on(shelf, monkeypatch):
    monkeypatch.setattr(bulk_actions, "PART_SECONDS", 0)
    ada = shelf.client("ada")
    stays = add(shelf, "Stays", 200, None, state="recording")
    for n in range(60):
        add(shelf, f"Caller {n}", n)
    question = send(ada, "delete", all="yes").get_data(as_text=True)
    upto = question.split('name="upto" value="')[1].split('"')[0]
    form = {"all": "yes", "confirmed": "yes", "total": "61", "upto": upto}
    page = send(ada, "delete", **form)
    assert "24 of 61 are deleted, 1 could not be" in text_of(page)
    told = []
    while page.status_code == 200:
        html = page.get_data(as_text=True)
        state = {
            name: html.split(f'name="{name}" value="')[1].split('"')[0]
            for name in ("after", "done", "failed", "problem")
        }
        told.append(int(state["done"]))
        page = send(ada, "delete", **form, **state)
    assert told == [24, 49]
    assert "60 recordings are deleted. " in text_of(ada.get("/recordings")) + " "
    assert shelf.row(stays) is not None


def test_a_reviewer_downloads_and_exports_but_does_not_delete(shelf, rita, three):
    page = rita.get("/recordings").get_data(as_text=True)
    assert "/recordings/many/download" in page and "/recordings/many/export" in page
    assert "/recordings/many/delete" not in page
    assert send(rita, "delete", three, confirmed="yes").status_code == 403
    assert all(shelf.row(facts) for facts in three)


@pytest.mark.parametrize("what", ["download", "export", "delete"])
def test_nothing_chosen_is_said_in_words(shelf, what):
    ada = shelf.client("ada")
    for uids in ([], ["../../etc"], ["'"]):
        answer = ada.send(f"/recordings/many/{what}", {"uid": uids})
        assert answer.status_code == 400
        assert "Nothing is selected" in text_of(answer)


def test_more_than_one_may_take_at_once_is_refused(shelf, rita, three, monkeypatch):
    monkeypatch.setattr(bulk_actions, "MOST", 2)
    answer = send(rita, "download", all="yes")
    assert answer.status_code == 400
    assert "More than 2 recordings match" in text_of(answer)


# In the browser


def tick(page: Page, facts: Facts, **how) -> None:
    page.locator(f"#rec-{facts.uid}").get_by_role("checkbox").click(**how)


def bar(page: Page):
    return page.get_by_role("group", name="Chosen recordings")


def test_rows_are_chosen_with_shift_and_downloaded(page, shelf):
    kept = [add(shelf, f"Caller {n}", -n) for n in range(6)]
    sign_in(page, "rita")
    expect(bar(page)).to_be_hidden()
    tick(page, kept[1])
    expect(bar(page)).to_contain_text("1 chosen, 01:01 in all")
    tick(page, kept[4], modifiers=["Shift"])
    expect(bar(page)).to_contain_text("4 chosen, 04:04 in all")
    with page.expect_download() as started:
        bar(page).get_by_role("button", name="Download").click()
    with zipfile.ZipFile(started.value.path()) as archive:
        assert len(archive.namelist()) == 5
    assert started.value.suggested_filename.endswith(".zip")
    with page.expect_download() as started:
        bar(page).get_by_role("button", name="Export").click()
    assert len(table(Path(started.value.path()).read_bytes())) == 4
    bar(page).get_by_role("button", name="Clear").click()
    expect(bar(page)).to_be_hidden()
    wait_for_focus(page, "Choose Caller 1 to desk")


def test_a_page_is_chosen_by_its_head_and_deleted_after_one_question(page, shelf, three):
    sign_in(page)
    page.get_by_role("checkbox", name="Choose all on this page").check()
    expect(bar(page)).to_contain_text("3 chosen, 03:03 in all")
    tick(page, three[0])
    expect(bar(page)).to_contain_text("2 chosen, 02:02 in all")
    bar(page).get_by_role("button", name="Delete").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Delete 2 recordings?")
    page.get_by_role("link", name="Keep").click()
    expect(page.locator("tbody")).to_have_count(3)
    tick(page, three[1])
    bar(page).get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Delete 1").click()
    expect(page.get_by_role("status")).to_have_text("One recording is deleted.")
    expect(page.locator("tbody")).to_have_count(2)


def test_what_is_chosen_stays_chosen_when_news_come(page, shelf, three):
    sign_in(page)
    tick(page, three[0])
    newcomers = [add(shelf, f"New {n}", 10 + n) for n in range(30)]
    with shelf.app.app_context():
        ledger.save_recording(three[0].but(state_reason="cut short"))
    expect(page.locator(f"#rec-{newcomers[-1].uid}")).to_be_visible()
    expect(page.locator(f"#rec-{three[0].uid}").get_by_role("checkbox")).to_be_checked()
    expect(bar(page)).to_contain_text("1 chosen")


def test_all_that_match_are_deleted_with_progress(page, shelf):
    for n in range(60):
        add(shelf, f"Caller {n}", n)
    sign_in(page)
    page.get_by_role("checkbox", name="Choose all on this page").check()
    bar(page).get_by_label("All that match").check()
    expect(bar(page)).to_contain_text("All that match are chosen")
    bar(page).get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Delete 60").click()
    expect(page.get_by_role("heading", name="No recordings yet")).to_be_visible()
    expect(page.get_by_role("status")).to_have_text("60 recordings are deleted.")


def test_the_key_x_chooses_a_row(page, shelf, three):
    sign_in(page)
    page.wait_for_url("**/recordings")
    for key in "jjx":
        page.keyboard.press(key)
    expect(page.locator(f"#rec-{three[1].uid}").get_by_role("checkbox")).to_be_checked()
    expect(bar(page)).to_contain_text("1 chosen")
    page.keyboard.press("x")
    expect(bar(page)).to_be_hidden()


def test_all_of_it_works_without_javascript(browser, web, shelf, three):
    with new_page(browser, web.url, java_script_enabled=False) as page:
        sign_in(page)
        tick(page, three[0])
        with page.expect_download() as started:
            page.get_by_role("button", name="Download as zip").click()
        with zipfile.ZipFile(started.value.path()) as archive:
            assert len(archive.namelist()) == 2
        page.get_by_role("button", name="Delete…").click()
        page.get_by_role("button", name="Delete 1").click()
        expect(page.get_by_role("status")).to_have_text("One recording is deleted.")
        assert shelf.row(three[0]) is None
