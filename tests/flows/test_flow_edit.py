"""Edits of a flow: the links between its nodes after each edit."""

import copy

from hypothesis import given, strategies as st

from callytics.flows.edits import chain, insert, move, remove, rename_node, unreached
from tests.web.flows.test_flow_picture import flows


def flow_of(start: str, **nexts: str | None):
    return {"start": start, "nodes": {name: {"next": to} for name, to in nexts.items()}}


def nexts(flow):
    return {name: node["next"] for name, node in flow["nodes"].items()}


def test_a_node_is_put_between_two_and_at_the_beginning():
    flow = flow_of("a", a="b", b=None)
    insert(flow, "x", {}, "a")
    assert chain(flow) == ["a", "x", "b"]
    insert(flow, "y", {}, None)
    assert chain(flow) == ["y", "a", "x", "b"]
    empty = {"start": "", "nodes": {}}
    insert(empty, "x", {}, None)
    assert (chain(empty), nexts(empty)) == (["x"], {"x": None})


def test_what_led_to_a_removed_node_leads_to_its_next():
    flow = flow_of("a", a="b", b="c", c=None, lost="b")
    remove(flow, "b")
    assert nexts(flow) == {"a": "c", "c": None, "lost": "c"}
    remove(flow, "a")
    assert flow["start"] == "c"
    alone = flow_of("a", a="a")
    remove(alone, "a")
    assert alone == {"start": "", "nodes": {}}


def test_a_node_that_is_moved_swaps_with_its_neighbor():
    flow = flow_of("a", a="b", b="c", c="d", d=None)
    assert move(flow, "c", -1)
    assert chain(flow) == ["a", "c", "b", "d"]
    assert move(flow, "a", 1)
    assert chain(flow) == ["c", "a", "b", "d"]
    assert not move(flow, "c", -1)
    assert not move(flow, "d", 1)
    assert chain(flow) == ["c", "a", "b", "d"]


def test_a_flow_that_goes_round_keeps_its_shape():
    flow = flow_of("a", a="b", b="c", c="b")
    assert move(flow, "c", -1)
    assert nexts(flow) == {"a": "c", "c": "b", "b": "c"}


@given(flows(), st.data())
def test_moving_there_and_back_changes_nothing_and_never_who_is_reached(given, data):
    flow = given[0]
    before = copy.deepcopy(flow)
    name = data.draw(st.sampled_from(list(flow["nodes"])))
    by = data.draw(st.sampled_from([-1, 1]))
    if not move(flow, name, by):
        assert flow == before
        return
    assert sorted(chain(flow)) == sorted(chain(before))
    assert chain(flow).index(name) == chain(before).index(name) + by
    assert move(flow, name, -by)
    assert flow == before


@given(flows(), st.data())
def test_a_removed_node_is_led_to_by_none_and_the_rest_keeps_its_order(given, data):
    flow = given[0]
    name = data.draw(st.sampled_from(list(flow["nodes"])))
    order = chain(flow)
    remove(flow, name)
    assert name not in nexts(flow).values()
    assert flow["start"] in flow["nodes"] or not flow["nodes"]
    if order != [name]:
        assert chain(flow) == [n for n in order if n != name]


@given(flows(), st.data())
def test_a_renamed_node_stands_where_it_stood(given, data):
    flow = given[0]
    name = data.draw(st.sampled_from(list(flow["nodes"])))
    order, lost = chain(flow), unreached(flow)
    rename_node(flow, name, "new")
    assert chain(flow) == ["new" if n == name else n for n in order]
    assert sorted(unreached(flow)) == sorted("new" if n == name else n for n in lost)
