"""Layout of a flow's diagram: positions of boxes and arrows, in pixels.

One column: from the top the nodes that a call reaches, in order, then the unreached ones. An arrow
to the node right below goes straight down; every other arrow goes along a lane on the left.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

BOX_WIDTH, BOX_HEIGHT, GAP = 240, 74, 48
ENTRY_HEIGHT = END_HEIGHT = 30
END_WIDTH = 150
ANSWER_WIDTH, ANSWER_HEIGHT, ANSWER_ARROW = 98, 40, 72
HEADING = 40
MARGIN, LANE = 6, 14
# An arrow to a lane turns TURN below its box, and leaves it LEAVE from the left edge.
TURN, LEAVE = 14, 24

Point = tuple[int, int]


@dataclass(frozen=True)
class Box:
    """Rectangle of a node."""

    x: int
    y: int
    width: int = BOX_WIDTH
    height: int = BOX_HEIGHT

    @property
    def middle(self) -> int:
        """X coordinate of the center."""
        return self.x + self.width // 2

    @property
    def center(self) -> int:
        """Y coordinate of the center."""
        return self.y + self.height // 2

    @property
    def bottom(self) -> int:
        """Y coordinate of the lower edge."""
        return self.y + self.height

    @property
    def right(self) -> int:
        """X coordinate of the right edge."""
        return self.x + self.width


@dataclass(frozen=True)
class Edge:
    """Arrow from a node to its next; a target of None is the end of the call."""

    source: str
    target: str | None
    points: tuple[Point, ...]


@dataclass
class Layout:
    """Positions of everything in a diagram."""

    entry: Box
    width: int = 0
    height: int = 0
    boxes: dict[str, Box] = field(default_factory=dict)
    # Boxes below nodes without a next, and beside nodes that ring.
    ends: dict[str, Box] = field(default_factory=dict)
    answers: dict[str, Box] = field(default_factory=dict)
    edges: list[Edge] = field(default_factory=list)
    # Y coordinate of the heading above the unreached nodes.
    heading: int | None = None


def layout(
    reached: Sequence[str],
    unreached: Sequence[str],
    nexts: Mapping[str, str | None],
    ringing: Collection[str],
) -> Layout:
    """Place the nodes; `nexts` has the next of each, `ringing` the nodes that ring phones."""
    order = [*reached, *unreached]
    straight = _straight(reached, nexts) | _straight(unreached, nexts)
    lanes = _lanes(order, nexts, straight)
    left = MARGIN + LANE * (max(lanes.values(), default=-1) + 1)
    picture = Layout(Box(left, MARGIN, BOX_WIDTH, ENTRY_HEIGHT))
    y = picture.entry.bottom + GAP
    for at, name in enumerate(order):
        if at == len(reached):
            picture.heading = y
            y += HEADING
        box = picture.boxes[name] = Box(left, y)
        y = box.bottom + GAP
        if name in ringing:
            x = box.right + ANSWER_ARROW
            top = box.center - ANSWER_HEIGHT // 2
            picture.answers[name] = Box(x, top, ANSWER_WIDTH, ANSWER_HEIGHT)
        if nexts[name] is None:
            picture.ends[name] = Box(box.middle - END_WIDTH // 2, y, END_WIDTH, END_HEIGHT)
            y += END_HEIGHT + GAP // 2
    picture.height = y - GAP // 2 + MARGIN
    picture.width = left + BOX_WIDTH + ANSWER_ARROW + ANSWER_WIDTH + MARGIN
    picture.edges = [_edge(picture, name, nexts[name], straight, lanes) for name in order]
    return picture


def _straight(order: Sequence[str], nexts: Mapping[str, str | None]) -> set[str]:
    """Return the nodes whose next is right below them."""
    following = pairwise(order)
    return {name for name, below in following if nexts[name] == below}


def _lanes(
    order: Sequence[str], nexts: Mapping[str, str | None], straight: set[str]
) -> dict[str, int]:
    """Return the lane of each node that an arrow reaches from the side; 0 is nearest to the boxes.

    All arrows to the same node share its lane.
    """
    place = {name: at for at, name in enumerate(order)}
    spans: dict[str, list[int]] = {}
    for name in order:
        target = nexts[name]
        if target is not None and name not in straight:
            spans.setdefault(target, [place[target]]).append(place[name])
    lanes: dict[str, int] = {}
    taken: list[list[tuple[int, int]]] = []
    for target, places in sorted(spans.items(), key=lambda item: max(item[1]) - min(item[1])):
        span = (min(places), max(places))
        free = (i for i, spans in enumerate(taken) if not any(_meet(span, s) for s in spans))
        lane = next(free, len(taken))
        if lane == len(taken):
            taken.append([])
        taken[lane].append(span)
        lanes[target] = lane
    return lanes


def _meet(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return one[0] <= other[1] and other[0] <= one[1]


def _edge(
    picture: Layout, name: str, target: str | None, straight: set[str], lanes: Mapping[str, int]
) -> Edge:
    box = picture.boxes[name]
    if target is None:
        return Edge(name, None, ((box.middle, box.bottom), (box.middle, picture.ends[name].y)))
    to = picture.boxes[target]
    if name in straight:
        return Edge(name, target, ((box.middle, box.bottom), (to.middle, to.y)))
    lane = to.x - LANE * (lanes[target] + 1)
    turn, leave = box.bottom + TURN, box.x + LEAVE
    return Edge(name, target, tuple(_around(box, leave, turn, lane, to)))


def _around(box: Box, leave: int, turn: int, lane: int, to: Box) -> Iterator[Point]:
    yield (leave, box.bottom)
    yield (leave, turn)
    yield (lane, turn)
    yield (lane, to.center)
    yield (to.x, to.center)
