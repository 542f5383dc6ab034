"""Settings: defaults and valid values; an invalid value changes nothing."""

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from callytics.settings.settings import SETTINGS, SettingError, all_settings, set_setting
from tests.support.command import flask
from tests.support.processes import run_flask
from tests.support.shelf import Shelf

DEFAULTS = {
    "record_outbound_calls": "false",
    "outbound_endpoint": "",
    "outbound_caller_id": "",
    "retention_days": "0",
    "retention_largest_share": "25",
    "longest_pause_seconds": "120",
    "pbx_lost_minutes": "10",
    "disk_warning_mb": "1024",
}


@pytest.fixture
def context(app_env: dict[str, str]):
    with Shelf.of(app_env).app.app_context():
        yield


def test_the_defaults_are_those_that_are_documented(context: None) -> None:
    assert all_settings() == DEFAULTS


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("record_outbound_calls", "true"),
        ("record_outbound_calls", "false"),
        ("outbound_endpoint", "PJSIP/{number}@trunk"),
        ("outbound_endpoint", "Local/{number}@out/n"),
        ("outbound_endpoint", ""),
        ("outbound_caller_id", "+49 30 123"),
        ("outbound_caller_id", ""),
        ("retention_days", "36500"),
    ],
)
def test_a_value_that_can_be_used_is_kept(context: None, key: str, value: str) -> None:
    set_setting(key, f" {value} ", "ada")
    assert all_settings() == {**DEFAULTS, key: value}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("record_outbound_calls", "yes"),
        ("record_outbound_calls", ""),
        ("outbound_endpoint", "PJSIP/trunk"),
        ("outbound_endpoint", "{number}"),
        ("outbound_endpoint", "PJSIP/{number}{number}"),
        ("outbound_endpoint", "PJSIP/{number}&PJSIP/evil"),
        ("outbound_endpoint", "PJSIP/{number},20"),
        ("outbound_endpoint", "PJSIP/ {number}"),
        ("outbound_endpoint", "PJSIP/{number}" + "a" * 300),
        ("outbound_endpoint", "PJSIP/{number}{other}"),
        ("outbound_caller_id", "Ann"),
        ("outbound_caller_id", "1" * 33),
        ("outbound_caller_id", "\u0661\u0662"),
        ("retention_days", "-1"),
        ("retention_days", "1.5"),
        ("retention_days", "36501"),
        ("retention_days", "9" * 5000),
        ("disk_warning_mb", "9" * 5000),
        ("disk_warning_mb", "100000001"),
        ("disk_warning_mb", "1 GB"),
        ("longest_pause_seconds", "-1"),
        ("pbx_lost_minutes", "0"),
        ("pbx_lost_minutes", "10081"),
        ("retention_largest_share", "0"),
        ("retention_largest_share", "101"),
        ("longest_pause_seconds", "86401"),
        ("longest_pause_seconds", "two minutes"),
        ("retention_days", ""),
        ("color", "red"),
    ],
)
def test_a_value_that_cannot_be_used_changes_nothing(context: None, key: str, value: str) -> None:
    with pytest.raises(SettingError) as error:
        set_setting(key, value, "ada")
    assert str(error.value).startswith(f"{key}: ")
    assert all_settings() == DEFAULTS


@pytest.mark.parametrize(
    ("key", "least", "most"),
    [
        ("retention_days", 0, 36_500),
        ("retention_largest_share", 1, 100),
        ("disk_warning_mb", 0, 100_000_000),
        ("longest_pause_seconds", 0, 86_400),
        ("pbx_lost_minutes", 1, 10_080),
    ],
)
def test_a_number_is_taken_up_to_its_limits(context: None, key: str, least: int, most: int) -> None:
    for number in (least, most):
        set_setting(key, str(number), "ada")
        assert all_settings()[key] == str(number)


def test_an_unknown_key_is_told_the_known_ones(context: None) -> None:
    with pytest.raises(SettingError, match=", ".join(SETTINGS)):
        set_setting("color", "red", "ada")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.sampled_from(list(SETTINGS)), st.text(max_size=40))
def test_no_value_fails_otherwise_than_in_words(context: None, key: str, value: str) -> None:
    try:
        set_setting(key, value, "ada")
    except SettingError as error:
        assert str(error).startswith(f"{key}: must be ")
    else:
        assert all_settings()[key] == value.strip()


def test_on_the_command_line(app_env: dict[str, str]) -> None:
    done = run_flask(app_env, "settings", "set", "retention_days", "90")
    assert done.stdout == "retention_days is 90.\n"
    listed = run_flask(app_env, "settings", "list").stdout
    assert "retention_days\t90\n" in listed
    done = flask(app_env, "settings", "set", "retention_days", "soon", check=False)
    assert done.returncode == 1
    assert "retention_days: must be a whole number of days" in done.stderr
    assert flask(app_env, "settings", "list").stdout == listed
