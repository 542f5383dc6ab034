"""Settings page: saved, refused and undone values."""

import re
from datetime import timedelta

import pytest

from callytics.audit.admin_changes import changes_of
from callytics.clock import utc_now
from callytics.retention import runs
from callytics.settings.settings import SETTINGS, all_settings, set_setting
from tests.support.command import flask
from tests.support.pages import HTMX, PageClient, text_of
from tests.support.shelf import PASSWORD, Shelf

HIDDEN = re.compile(r'name="(was-[^"]+)" value="([^"]*)"')


@pytest.fixture
def ada(shelf: Shelf) -> PageClient:
    return shelf.client("ada")


def settings(shelf: Shelf) -> dict[str, str]:
    with shelf.app.app_context():
        return all_settings()


def history(shelf: Shelf) -> list[tuple[str, str, str, str]]:
    with shelf.app.app_context():
        found = changes_of("setting", 50)
    return [(c.username, c.thing, c.before, c.after) for c in found]


def ids(shelf: Shelf) -> list[str]:
    """Return the ids of the changes, newest first."""
    with shelf.app.app_context():
        return [str(c.id) for c in changes_of("setting", 50)]


def change(shelf: Shelf, key: str, value: str, by: str = "bob") -> None:
    with shelf.app.app_context():
        set_setting(key, value, by)


def form_of(client: PageClient, **typed: str) -> dict[str, str]:
    """Return the fields of the form with `typed` values; an empty checkbox is not sent."""
    html = client.get("/settings").get_data(as_text=True)
    shown = {name: value.replace("&#34;", '"') for name, value in HIDDEN.findall(html)}
    assert set(shown) == {f"was-{key}" for key in SETTINGS}
    values = {name.removeprefix("was-"): value for name, value in shown.items()}
    values = {key: value for key, value in values.items() if value != "false"}
    return {**shown, **values, **typed}


@pytest.mark.parametrize("url", ["/settings", "/settings/check/retention_days?retention_days=1"])
def test_a_reviewer_sees_no_settings_and_changes_none(shelf, url):
    rita = shelf.client("rita")
    assert rita.get(url).status_code == 403
    assert rita.send("/settings", {"retention_days": "9"}).status_code == 403
    assert rita.send("/settings/changes/1/take-back").status_code == 403
    assert history(shelf) == []


def test_every_setting_has_a_label_and_says_what_it_does(ada):
    text = text_of(ada.get("/settings"))
    for key, setting in SETTINGS.items():
        assert setting.label in text
        assert setting.meaning in text
        assert key in text


def test_what_is_saved_is_kept_with_who_and_what_was_before(shelf, ada):
    form = form_of(ada, retention_days=" 90 ", record_outbound_calls="true")
    assert ada.send("/settings", form).status_code == 303
    assert "Saved: Record outbound calls, Keep recordings for." in text_of(ada.get("/settings"))
    assert settings(shelf)["retention_days"] == "90"
    assert settings(shelf)["record_outbound_calls"] == "true"
    assert history(shelf) == [
        ("ada", "setting retention_days", "0", "90"),
        ("ada", "setting record_outbound_calls", "false", "true"),
    ]


def test_a_box_that_is_cleared_is_switched_off(shelf, ada):
    change(shelf, "record_outbound_calls", "true")
    form = form_of(ada)
    del form["record_outbound_calls"]
    ada.send("/settings", form)
    assert settings(shelf)["record_outbound_calls"] == "false"


def test_saving_without_a_change_keeps_no_history(shelf, ada):
    assert ada.send("/settings", form_of(ada)).status_code == 303
    assert "Nothing was changed." in text_of(ada.get("/settings"))
    assert history(shelf) == []


def test_a_wrong_value_is_kept_and_explained_and_nothing_is_saved(shelf, ada):
    before = settings(shelf)
    form = form_of(ada, retention_days="so<on", outbound_caller_id="+49 30")
    answer = ada.send("/settings", form)
    assert answer.status_code == 400
    assert "retention_days: must be a whole number of days from 0" in text_of(answer)
    html = answer.get_data(as_text=True)
    assert 'value="so&lt;on"' in html
    assert 'value="+49 30"' in html
    assert settings(shelf) == before
    assert history(shelf) == []


def test_a_value_is_checked_as_typed_in_the_words_of_the_command_line(shelf, ada):
    def said(key: str, value: str) -> str:
        answer = ada.get(f"/settings/check/{key}", query_string={key: value}, headers=HTMX)
        assert answer.status_code == 200
        return answer.get_data(as_text=True)

    for key, value in (("retention_days", "soon"), ("outbound_endpoint", "PJSIP/trunk")):
        done = flask(shelf.environment, "settings", "set", key, value, check=False)
        assert done.stderr == f"Error: {said(key, value)}\n"
    assert said("retention_days", "90") == ""
    assert said("outbound_endpoint", "PJSIP/{number}@trunk") == ""
    assert ada.get("/settings/check/<b>").status_code == 404


def test_the_second_of_two_who_save_the_same_setting_is_told_and_overwrites_nothing(shelf, ada):
    form = form_of(ada, retention_days="30")
    change(shelf, "retention_days", "90", "bob")
    answer = ada.send("/settings", form)
    assert answer.status_code == 409
    assert "bob changed this to 90 while you had the page open." in text_of(answer)
    assert settings(shelf)["retention_days"] == "90"
    html = answer.get_data(as_text=True)
    assert 'name="retention_days" value="30"' in html, "what was typed is kept"
    again = {**form, **dict(HIDDEN.findall(html))}
    assert ada.send("/settings", again).status_code == 303
    assert settings(shelf)["retention_days"] == "30"
    assert history(shelf)[0] == ("ada", "setting retention_days", "90", "30")


def test_two_who_change_different_settings_both_have_their_way(shelf, ada):
    form = form_of(ada, disk_warning_mb="5")
    change(shelf, "retention_days", "90", "bob")
    assert ada.send("/settings", form).status_code == 303
    assert settings(shelf)["retention_days"] == "90"
    assert settings(shelf)["disk_warning_mb"] == "5"


def test_two_who_choose_the_same_value_do_not_disturb_each_other(shelf, ada):
    form = form_of(ada, retention_days="90")
    change(shelf, "retention_days", "90", "bob")
    assert ada.send("/settings", form).status_code == 303
    assert len(history(shelf)) == 1


def test_what_a_shorter_time_deletes_is_read_before_it_is_saved(shelf, ada):
    for days in (5, 20, 40):
        shelf.add(b"", started_at=utc_now() - timedelta(days=days))
    form = form_of(ada, retention_days="30")
    answer = ada.send("/settings", form)
    assert answer.status_code == 409
    assert "1 recording is older than 30 days and will be deleted for good" in text_of(answer)
    assert settings(shelf)["retention_days"] == "0"
    changed_mind = ada.send("/settings", {**form, "sure": "30", "retention_days": "10"})
    assert "2 recordings are older than 10 days" in text_of(changed_mind)
    assert 'name="sure" value="10"' in changed_mind.get_data(as_text=True)
    ada.send("/settings", {**form, "sure": "30"})
    assert settings(shelf)["retention_days"] == "30"
    assert ada.send("/settings", form_of(ada, retention_days="90")).status_code == 303
    newest, _first = ids(shelf)
    ada.send(f"/settings/changes/{newest}/take-back")
    assert "30 days would delete recordings: type it above" in text_of(ada.get("/settings"))
    assert settings(shelf)["retention_days"] == "90"


def test_a_change_is_taken_back_by_a_change_of_its_own(shelf, ada):
    change(shelf, "retention_days", "90")
    change(shelf, "retention_days", "30")
    change(shelf, "outbound_endpoint", "PJSIP/{number}@trunk")
    third, second, _first = ids(shelf)
    html = ada.get("/settings").get_data(as_text=True)
    offered = re.findall(r"/settings/changes/([0-9]+)/take-back", html)
    assert offered == [third, second], "the newest of each"
    assert ada.send(f"/settings/changes/{second}/take-back").status_code == 303
    assert "Keep recordings for is 90 again" in text_of(ada.get("/settings"))
    assert settings(shelf)["retention_days"] == "90"
    assert history(shelf)[0] == ("ada", "setting retention_days", "30", "90")
    ada.send(f"/settings/changes/{third}/take-back")
    assert settings(shelf)["outbound_endpoint"] == ""
    assert "Way out for outbound calls is empty again" in text_of(ada.get("/settings"))


def test_a_change_that_was_changed_since_is_not_taken_back(shelf, ada):
    change(shelf, "retention_days", "90")
    change(shelf, "retention_days", "30", "carl")
    second, first = ids(shelf)
    ada.send(f"/settings/changes/{first}/take-back")
    assert "Nothing was taken back. retention_days: carl has changed it since" in text_of(
        ada.get("/settings")
    )
    for _ in range(2):  # the second click of a double click does not undo the first
        ada.send(f"/settings/changes/{second}/take-back")
    assert settings(shelf)["retention_days"] == "90"
    assert len(history(shelf)) == 3


def test_a_change_that_there_is_not_cannot_be_taken_back(ada):
    ada.send("/settings/changes/7/take-back")
    assert "There is no such change." in text_of(ada.get("/settings"))
    assert ada.send("/settings/changes/99999999999999999999/take-back").status_code == 404


def test_a_change_of_the_command_line_is_in_the_history_too(shelf, ada):
    flask(shelf.environment, "settings", "set", "retention_days", "90")
    ((who, *what),) = history(shelf)
    assert who
    assert what == ["setting retention_days", "0", "90"]
    assert f"{who}, " in text_of(ada.get("/settings"))


def test_the_page_says_where_things_are_and_no_secret(shelf, ada):
    shelf.app.config["SECRET_KEY"] = shelf.environment["SECRET_KEY"]
    text = ada.get("/settings").get_data(as_text=True)
    for name in ("RECORDINGS_DIR", "ARI_URL"):
        assert shelf.environment[name] in text
    assert "SQLite" in text
    assert "The worker is not running." in text
    for secret in (shelf.environment["ARI_PASSWORD"], shelf.environment["SECRET_KEY"], PASSWORD):
        assert secret not in text


def test_the_password_of_a_postgresql_database_is_not_on_the_page(postgres_env):
    shelf = Shelf.of(postgres_env)
    shelf.app.test_client_class = PageClient
    shelf.add_person("ada", "admin")
    page = shelf.client("ada").get("/settings").get_data(as_text=True)
    assert "PostgreSQL, " in page
    url = postgres_env["DATABASE_URL"]
    credentials = url.partition("://")[2].rpartition("@")[0]
    assert url not in page
    assert not credentials or f"{credentials}@" not in page


def test_a_refused_run_of_retention_is_shown_and_confirmed_once(shelf: Shelf, ada) -> None:
    with shelf.app.app_context():
        runs.add_run(utc_now(), 60, 0, "60 of 60 recordings would be deleted")
        refused = runs.newest_refusal()
    assert refused is not None
    page = text_of(ada.get("/settings"))
    assert "60 of 60 recordings would be deleted" in page
    assert "Delete 60 recordings from before" in page
    url = f"/settings/retention/{refused.id}/confirm"
    assert shelf.client("rita").send(url).status_code == 403
    assert "Confirmed" in text_of(ada.send(url, follow_redirects=True))
    assert "Nothing was confirmed" in text_of(ada.send(url, follow_redirects=True))
    with shelf.app.app_context():
        confirmed = runs.newest_confirmation()
    assert confirmed is not None
    assert confirmed.confirmed_by == "ada"
