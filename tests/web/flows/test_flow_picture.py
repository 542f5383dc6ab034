"""Diagram of a flow: boxes do not overlap, and no arrow is missing."""

from itertools import combinations, pairwise

from hypothesis import given, strategies as st

from callytics.flows.edits import chain, unreached
from callytics.web.flows.diagram_layout import Box, Layout, layout

names = st.sampled_from([f"n{i}" for i in range(12)])


@st.composite
def flows(draw):
    """Return a random flow, the next of each node, and the nodes that ring."""
    nodes = draw(st.lists(names, min_size=1, unique=True))
    nexts = {name: draw(st.none() | st.sampled_from(nodes)) for name in nodes}
    flow = {"start": draw(st.sampled_from(nodes)), "nodes": {n: {"next": nexts[n]} for n in nodes}}
    return flow, nexts, draw(st.sets(st.sampled_from(nodes)))


def drawn(flow, nexts, ringing) -> Layout:
    return layout(chain(flow), unreached(flow), nexts, ringing)


def apart(one: Box, other: Box) -> bool:
    return (
        one.right <= other.x
        or other.right <= one.x
        or one.bottom <= other.y
        or other.bottom <= one.y
    )


def touches(box: Box, one: tuple[int, int], other: tuple[int, int]) -> bool:
    """Return True if a line of the grid runs through the inside of a box."""
    (left, right), (top, bottom) = sorted((one[0], other[0])), sorted((one[1], other[1]))
    return left < box.right and right > box.x and top < box.bottom and bottom > box.y


@given(flows())
def test_no_two_boxes_overlap_and_all_are_within_the_picture(given):
    picture = drawn(*given)
    boxes = [picture.entry, *picture.boxes.values()]
    boxes += [*picture.ends.values(), *picture.answers.values()]
    assert all(apart(one, other) for one, other in combinations(boxes, 2))
    whole = Box(0, 0, picture.width, picture.height)
    assert all(b.x >= 0 and b.right <= whole.right and b.bottom <= whole.bottom for b in boxes)
    points = [point for edge in picture.edges for point in edge.points]
    assert all(0 <= x <= picture.width and 0 <= y <= picture.height for x, y in points)


@given(flows())
def test_every_node_and_every_arrow_is_there_once(given):
    flow, nexts, ringing = given
    picture = drawn(flow, nexts, ringing)
    assert set(picture.boxes) == set(nexts)
    assert sorted((e.source, e.target or "") for e in picture.edges) == sorted(
        (name, to or "") for name, to in nexts.items()
    )
    assert set(picture.ends) == {name for name, to in nexts.items() if to is None}
    assert set(picture.answers) == ringing
    assert (picture.heading is None) == (not unreached(flow))


@given(flows())
def test_an_arrow_begins_and_ends_at_its_nodes_and_runs_through_no_box(given):
    picture = drawn(*given)
    for edge in picture.edges:
        source = picture.boxes[edge.source]
        target = picture.boxes[edge.target] if edge.target else picture.ends[edge.source]
        (x, y), (to_x, to_y) = edge.points[0], edge.points[-1]
        assert y == source.bottom
        assert source.x < x < source.right
        assert to_y == target.y or to_x == target.x
        for one, other in pairwise(edge.points):
            assert one[0] == other[0] or one[1] == other[1], "lines are straight"
            assert not any(touches(box, one, other) for box in picture.boxes.values())


@given(flows())
def test_two_arrows_share_a_lane_only_on_the_way_to_the_same_node(given):
    picture = drawn(*given)
    lanes = [(e.target, e.points[2], e.points[3]) for e in picture.edges if len(e.points) == 5]
    for (target, *one), (other_target, *other) in combinations(lanes, 2):
        if target == other_target or one[0][0] != other[0][0]:
            continue
        tops, bottoms = zip(*(sorted(y for _, y in way) for way in (one, other)), strict=True)
        assert max(tops) > min(bottoms)


def test_the_nodes_stand_in_the_order_of_the_call_then_those_that_none_comes_to():
    nexts = {"lost": "b", "b": "c", "a": "b", "c": None}
    flow = {"start": "a", "nodes": {name: {"next": to} for name, to in nexts.items()}}
    picture = drawn(flow, nexts, set())
    assert list(picture.boxes) == ["a", "b", "c", "lost"]
    ys = [box.y for box in picture.boxes.values()]
    assert ys == sorted(ys)
    assert picture.boxes["c"].y < picture.heading < picture.boxes["lost"].y
