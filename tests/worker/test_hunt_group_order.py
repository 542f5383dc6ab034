"""Hunt group: which destinations ring in which round."""

import pytest

from callytics.flows.node_types.hunt_group import HuntGroup
from worker.nodes.hunt_group import rounds_of

PHONES = [f"PJSIP/{number}" for number in range(8)]


def orders(strategy: str) -> list[list[list[str]]]:
    """Return the rounds of ten calls."""
    node = HuntGroup(type="hunt_group", destinations=PHONES, strategy=strategy)
    return [rounds_of(node) for _ in range(10)]


def test_all_ring_in_one_round():
    assert orders("simultaneous") == [[PHONES]] * 10


def test_they_ring_one_after_the_other_in_their_order():
    assert orders("ordered") == [[[phone] for phone in PHONES]] * 10


def test_they_ring_one_after_the_other_in_an_order_that_changes():
    found = orders("random")
    assert all(sorted(rounds) == [[phone] for phone in PHONES] for rounds in found)
    # Ten times the same order of eight would be a chance of one in 10**41.
    assert any(rounds != found[0] for rounds in found)


@pytest.mark.parametrize("strategy", ["simultaneous", "ordered", "random"])
def test_a_call_does_not_change_the_order_of_the_next(strategy):
    node = HuntGroup(type="hunt_group", destinations=PHONES, strategy=strategy)
    rounds_of(node)[0].clear()
    assert node.destinations == PHONES
