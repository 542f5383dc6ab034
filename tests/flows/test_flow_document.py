"""Flow document: valid documents, and each error with its place."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from callytics.config import PROJECT_DIR
from callytics.flows import versions
from callytics.flows.document import Document, check, parse
from callytics.flows.errors import DocumentError
from tests.support.command import flask
from tests.support.processes import run_flask
from tests.support.shelf import Shelf

DOCUMENT: dict[str, Any] = {
    "queues": {
        "support": {
            "members": ["PJSIP/alice", "PJSIP/bob"],
            "strategy": "longest_idle",
            "ring_seconds": 15,
            "wrap_up_seconds": 0,
            "music": "default",
        }
    },
    "flows": {
        "main": {
            "numbers": ["1000", "+4930123"],
            "start": "greeting",
            "nodes": {
                "greeting": {"type": "play_audio", "media": "sound:welcome", "next": "desk"},
                "desk": {
                    "type": "transfer",
                    "destination": "PJSIP/desk",
                    "ring_seconds": 20,
                    "record_call": True,
                    "next": "team",
                },
                "team": {
                    "type": "hunt_group",
                    "destinations": ["PJSIP/a", "Local/100@office"],
                    "strategy": "simultaneous",
                    "ring_seconds": 20,
                    "record_call": True,
                    "next": "line",
                },
                "line": {
                    "type": "queue",
                    "queue": "support",
                    "max_wait_seconds": 300,
                    "record_call": True,
                    "next": "message",
                },
                "message": {
                    "type": "voicemail",
                    "greeting": "sound:vm-intro",
                    "max_seconds": 120,
                    "max_silence_seconds": 10,
                },
            },
        },
        "other": {
            "numbers": [],
            "start": "out",
            "nodes": {"out": {"type": "transfer", "destination": "PJSIP/15551234@trunk"}},
        },
    },
}
ABSENT = object()


def with_value(place: str, value: Any) -> dict[str, Any]:
    """Return DOCUMENT with another value at `place`, a path of keys with dots between them."""
    values = copy.deepcopy(DOCUMENT)
    *steps, last = place.split(".")
    at: Any = values
    for step in steps:
        at = at[int(step)] if isinstance(at, list) else at[step]
    if value is ABSENT:
        del at[last]
    elif isinstance(at, list):
        at[int(last)] = value
    else:
        at[last] = value
    return values


def errors_of(values: Any) -> list[str]:
    with pytest.raises(DocumentError) as error:
        check(values)
    assert str(error.value) == "\n".join(error.value.errors)
    return error.value.errors


def test_the_documented_example_is_understood() -> None:
    main = check(DOCUMENT).flows["main"]
    assert main.start == "greeting"
    assert main.nodes["desk"].record_call is True


def test_the_sample_that_comes_with_it_is_right() -> None:
    document = parse((PROJECT_DIR / "deploy/sample_flow.json").read_bytes())
    assert document.flow_for("1000")


def test_what_is_absent_has_its_documented_value() -> None:
    out = check(DOCUMENT).flows["other"].nodes["out"]
    assert (out.record_call, out.next, out.ring_seconds) == (False, None, 20)


@pytest.mark.parametrize(
    ("place", "value", "error"),
    [
        ("flows.main.nodes.desk.ring_seconds", 0, "must be 1 to 300"),
        ("flows.main.nodes.desk.ring_seconds", 301, "must be 1 to 300"),
        ("flows.main.nodes.desk.ring_seconds", "20", "must be a whole number"),
        ("flows.main.nodes.desk.ring_seconds", 1.5, "must be a whole number"),
        ("flows.main.nodes.desk.ring_seconds", True, "must be a whole number"),
        ("flows.main.nodes.desk.ring_seconds", None, "must be a whole number"),
        ("flows.main.nodes.desk.record_call", 1, "must be true or false"),
        ("flows.main.nodes.desk.destination", ABSENT, "is missing"),
        ("flows.main.nodes.desk.destination", "desk", "must be a dial string such as PJSIP/alice"),
        ("flows.main.nodes.desk.destination", "PJSIP/a&PJSIP/b", "must be a dial string"),
        ("flows.main.nodes.desk.destination", "PJSIP/a,20,U(x)", "must be a dial string"),
        ("flows.main.nodes.desk.destination", "PJSIP/a\n", "must be a dial string"),
        ("flows.main.nodes.desk.destination", "PJSIP/" + "a" * 300, "at most 200"),
        ("flows.main.nodes.desk.color", "red", "is not known here"),
        ("flows.main.nodes.desk.type", "telepathy", "must be one of play_audio, transfer,"),
        ("flows.main.nodes.desk.type", ABSENT, "is missing"),
        ("flows.main.nodes.desk", 7, "must be an object"),
        ("flows.main.nodes.desk.next", "nowhere", "there is no node 'nowhere'"),
        ("flows.main.nodes.greeting.media", "/etc/passwd", "must be media such as sound:welcome"),
        ("flows.main.nodes.team.destinations", [], "must not be empty"),
        ("flows.main.nodes.team.destinations", "PJSIP/a", "must be a list"),
        ("flows.main.nodes.team.destinations.1", "x", "must be a dial string"),
        ("flows.main.nodes.team.strategy", "loud", "must be one of simultaneous, ordered, random"),
        ("flows.main.nodes.line.queue", "nobody", "there is no queue 'nobody'"),
        ("flows.main.nodes.line.max_wait_seconds", 0, "must be 1 to 86400"),
        ("flows.main.nodes.message.max_seconds", 3601, "must be 1 to 3600"),
        ("flows.main.nodes.message.max_silence_seconds", 0, "must be 1 to 60"),
        ("flows.main.nodes", {}, "must not be empty"),
        ("flows.main.start", "nowhere", "there is no node 'nowhere'"),
        ("flows.main.start", 7, "must be text"),
        ("flows.main.numbers", ABSENT, "is missing"),
        ("flows.main.numbers.0", "10 00", "must be a number of digits, +, * and #"),
        ("flows.main.numbers.0", 1000, "must be text"),
        ("flows.main.numbers.1", "1000", "1000 belongs to flow 'main'"),
        ("flows.other.numbers", ["1000"], "1000 belongs to flow 'main'"),
        ("queues.support.wrap_up_seconds", -1, "must be 0 to 3600"),
        ("queues.support.strategy", "loud", "must be one of ring_all, longest_idle, random"),
        ("queues.support.members.0", "alice", "must be a dial string"),
        ("queues.support.music", "a b", "must be a name of letters, digits, - and _"),
        ("queues", [], "must be an object"),
        ("flows", None, "must be an object"),
        ("color", "red", "is not known here"),
    ],
)
def test_an_error_names_its_place_and_says_what_to_write(place: str, value, error: str) -> None:
    (said,) = errors_of(with_value(place, value))
    shown = place if value != ["1000"] else f"{place}.0"
    assert said.startswith(f"{shown}: "), said
    assert error in said


@pytest.mark.parametrize("place", ["flows.a b", "queues.a b", "flows.main.nodes.a b"])
def test_a_name_that_cannot_be_used_is_an_error_at_its_place(place: str) -> None:
    container, _, _ = place.rpartition(".")
    values = copy.deepcopy(DOCUMENT)
    at: Any = values
    for step in container.split("."):
        at = at[step]
    at["a b"] = copy.deepcopy(next(iter(at.values())))
    errors = [e for e in errors_of(values) if "belongs" not in e]
    assert errors == [f"{place}: must be a name of letters, digits, - and _"]


def test_every_error_is_told_at_once() -> None:
    values = with_value("flows.main.nodes.desk.ring_seconds", 0)
    values["queues"]["support"]["music"] = ""
    assert [e.partition(":")[0] for e in errors_of(values)] == [
        "queues.support.music",
        "flows.main.nodes.desk.ring_seconds",
    ]


@pytest.mark.parametrize("values", [None, [], 7, "text", True])
def test_what_is_no_object_is_refused(values: Any) -> None:
    (said,) = errors_of(values)
    assert said == "document: must be an object"


@pytest.mark.parametrize("text", ["", "{", "[1,", b"\xff\xfe\x00", "NaN", "[" * 100_000])
def test_what_is_no_json_is_refused_in_one_line(text: str | bytes) -> None:
    with pytest.raises(DocumentError) as error:
        parse(text)
    assert len(error.value.errors) == 1
    assert error.value.errors[0].startswith("document: must be")


def test_a_name_that_stands_twice_is_refused_and_not_silently_dropped() -> None:
    with pytest.raises(DocumentError, match="'main' stands twice"):
        parse('{"flows": {"main": {}, "main": {}}}')


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
places = st.sampled_from(
    [
        *("flows", "queues", "flows.main", "flows.main.nodes", "flows.main.nodes.desk"),
        *("flows.main.nodes.desk.type", "flows.main.nodes.team.destinations"),
        *("flows.main.numbers", "flows.main.start", "queues.support", "queues.support.members"),
    ]
)


@settings(deadline=None)
@given(places, json_values)
def test_whatever_stands_anywhere_is_taken_or_refused_in_words(place: str, value: Any) -> None:
    try:
        document = check(with_value(place, value))
    except DocumentError as error:
        assert error.errors
        assert all(": " in line and "[key]" not in line for line in error.errors)
        assert not any(line.startswith(": ") for line in error.errors)
    else:
        assert check(document.model_dump()) == document


def test_a_number_finds_its_flow() -> None:
    document = check(DOCUMENT)
    found = document.flow_for("+4930123")
    assert found and found[0] == "main"
    assert document.flow_for("2000") is None
    assert Document().flow_for("") is None


def test_one_flow_is_exported_with_the_queues_it_uses() -> None:
    document = check(DOCUMENT)
    assert set(document.only("main").queues) == {"support"}
    assert set(document.only("other").queues) == set()
    assert set(document.only("other").flows) == {"other"}
    with pytest.raises(KeyError):
        document.only("nobody")


def test_import_and_export_give_the_same_document_back(app_env: dict[str, str]) -> None:
    text = json.dumps(DOCUMENT)
    assert "2 flows" in run_flask(app_env, "flows", "import", "-", text=text).stdout
    exported = run_flask(app_env, "flows", "export").stdout
    assert check(json.loads(exported)) == check(DOCUMENT)
    assert flask(app_env, "flows", "import", "-", text=exported).returncode == 0
    listed = run_flask(app_env, "flows", "list").stdout.splitlines()
    assert listed == ["main\t1000, +4930123\t5 nodes", "other\tno number\t1 nodes"]


def test_a_wrong_document_changes_nothing_and_names_each_place(app_env, tmp_path) -> None:
    flask(app_env, "flows", "import", "-", text=json.dumps(DOCUMENT))
    (tmp_path / "wrong.json").write_text(json.dumps(with_value("flows.main.start", "nowhere")))
    done = flask(app_env, "flows", "import", str(tmp_path / "wrong.json"), check=False)
    assert done.returncode == 1
    assert "flows.main.start: there is no node 'nowhere'" in done.stderr
    with Shelf.of(app_env).app.app_context():
        assert versions.current() == check(DOCUMENT)


def test_before_the_first_import_no_number_has_a_flow(app_env: dict[str, str]) -> None:
    with Shelf.of(app_env).app.app_context():
        assert versions.current() == Document()
