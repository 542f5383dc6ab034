"""Bridge ids: a bridge of another PBX, application or program is nobody else's to remove."""

from callytics.identifiers import new_uid
from worker.calls.bridge_ids import bridge_id_of, call_of_bridge, find_bridge


def test_only_its_own_pbx_knows_a_bridge() -> None:
    uid = new_uid()
    for pbx in ("a", "a-b", "b"):
        assert call_of_bridge(pbx, bridge_id_of(pbx, uid)) == uid
        for other in {"a", "a-b", "b", ""} - {pbx}:
            assert call_of_bridge(other, bridge_id_of(pbx, uid)) is None
    assert call_of_bridge("a", f"callytics-{uid}") is None
    assert call_of_bridge("a", "a1b2c3d4-conference") is None


def test_the_bridge_of_a_call_is_found_whatever_its_pbx_was_called() -> None:
    uid, other = new_uid(), new_uid()
    for mine in (f"callytics-{uid}", bridge_id_of("old", uid), bridge_id_of("new", uid)):
        assert find_bridge(uid, [bridge_id_of("new", other), mine]) == mine
    assert find_bridge(uid, [bridge_id_of("new", other), f"conference-{uid}"]) is None
