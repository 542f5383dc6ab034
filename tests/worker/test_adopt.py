"""Adoption of calls from snapshots into which anybody may have written anything."""

import json

import pytest
from hypothesis import given, strategies as st

from callytics.flows.document import check
from callytics.json_values import Json, JsonObject
from tests.support.processes import fresh_environment
from tests.support.services import new_services
from worker.calls.call_facts import CallFacts
from worker.calls.event_handlers import apply_event
from worker.calls.leg import Leg
from worker.calls.session import Services, Session
from worker.recovery.adopt import UNUSABLE, correct_by_lists, restore_session

DESK = {"type": "transfer", "destination": "PJSIP/desk", "record_call": True}
DOCUMENT = check({"flows": {"main": {"numbers": [], "start": "desk", "nodes": {"desk": DESK}}}})
# Beside what JSON can hold, texts that are nearly right.
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3)
JUNK = st.recursive(
    LEAVES | st.sampled_from(["2026-11-25", "0001-01-01", "desk", "main", "inbound", "x" * 2000]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=4,
)


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Services:
    """Services of which none is asked for anything."""
    return new_services(fresh_environment(tmp_path_factory.mktemp("adopt")))


@pytest.fixture(scope="module")
def snapshot(services: Services) -> JsonObject:
    """Snapshot of a call that talks and is recorded."""
    call = CallFacts("inbound", "15550001", "Ann", "1000", "office", "", flow="main")
    session = Session(services, "caller", call, apply_event, document=DOCUMENT)
    call.enter("desk", "transfer")
    session.legs["leg"] = Leg("leg", "PJSIP/desk", placed=True, up=True, joined=True)
    session.add_recording(session.new_recording("transfer", "wav", "PJSIP/desk"))
    written: JsonObject = json.loads(json.dumps(session.snapshot(), default=str))
    return written


def places(value: Json, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Return the paths of all values in a JSON value but itself."""
    if not isinstance(value, dict | list):
        return []
    found = []
    for key, below in value.items() if isinstance(value, dict) else enumerate(value):
        found += [(*path, key), *(places(below, (*path, key)))]
    return found


@given(data=st.data())
def test_any_value_in_any_place_is_refused_or_makes_a_call(
    services: Services, snapshot: JsonObject, data: st.DataObject
) -> None:
    changed = json.loads(json.dumps(snapshot))
    *above, last = data.draw(st.sampled_from(places(snapshot)))
    holder = changed
    for key in above:
        holder = holder[key]
    if data.draw(st.booleans()):
        holder[last] = data.draw(JUNK)
    elif isinstance(holder, dict):
        del holder[last]
    try:
        session = restore_session(services, changed)
    except UNUSABLE:
        return
    correct_by_lists(session, {}, {})
    assert all(isinstance(name, str) for name in session.event_sources())
    call = session.call
    for time in (call.started_at, call.answered_at, call.ended_at, session.waiting_since):
        assert time is None or time.tzinfo is not None
    assert call.started_at
    row = session.call.row()
    for key in ("uid", "caller_number", "caller_name", "dialed_number", "callee", "flow", "pbx"):
        assert isinstance(row[key], str)
        assert len(row[key]) <= 1000


def test_a_snapshot_is_restored_as_it_was(services: Services, snapshot: JsonObject) -> None:
    session = restore_session(services, snapshot)
    assert json.loads(json.dumps(session.snapshot(), default=str)) == snapshot
