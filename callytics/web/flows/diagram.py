"""The picture of a flow: its layout with what each part of it says."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from callytics.flows.edits import chain, unreached
from callytics.flows.wording import TYPES, facts, is_recorded, rings
from callytics.web.flows.diagram_layout import Box, Edge, Layout, layout

Values = Mapping[str, Any]

# As much as fits into a box; all of it is in the list beside the picture.
MOST_NAME, MOST_FACTS, MOST_NUMBERS = 21, 37, 28
# What a call does on its way from a node of each type to the next.
OTHERWISE = {
    "play_audio": "then",
    "transfer": "nobody answers",
    "hunt_group": "nobody answers",
    "queue": "wait over",
    "voicemail": "after the message",
}


@dataclass(frozen=True)
class Shown:
    """A node of the picture."""

    name: str
    title: str
    kind: str
    kind_words: str
    facts: str
    recorded: bool
    is_reached: bool
    box: Box
    end: Box | None
    answer: Box | None
    edge: Edge
    label: str

    @property
    def line(self) -> str:
        """The points of its arrow for a polyline."""
        return " ".join(f"{x},{y}" for x, y in self.edge.points)

    @property
    def label_at(self) -> tuple[int, int]:
        """Beside the beginning of its arrow."""
        x, y = self.edge.points[0]
        return x + 10, y + (28 if len(self.edge.points) == 2 else 18)


@dataclass(frozen=True)
class Picture:
    """What the template draws, and what the picture says in one sentence."""

    layout: Layout
    nodes: list[Shown]
    numbers: str
    told: str


def picture_of(name: str, flow: Values) -> Picture:
    """The picture of a flow that has a node at least."""
    reached, lost = chain(dict(flow)), unreached(dict(flow))
    nodes = flow["nodes"]
    nexts = {n: node["next"] if node.get("next") in nodes else None for n, node in nodes.items()}
    placed = layout(reached, lost, nexts, {n for n, node in nodes.items() if rings(node)})
    edges = {edge.source: edge for edge in placed.edges}
    shown = [_shown(n, nodes[n], placed, edges[n], n in reached) for n in (*reached, *lost)]
    numbers = ", ".join(flow["numbers"]) or "no number yet"
    return Picture(placed, shown, _short(numbers, MOST_NUMBERS), _told(name, flow, reached))


def _shown(name: str, node: Values, placed: Layout, edge: Edge, is_reached: bool) -> Shown:
    kind = node["type"]
    label = OTHERWISE[kind]
    if len(edge.points) > 2:
        label = f"{label}: {'on' if is_reached else 'leads'} to {edge.target}"
    elif label == "then":
        label = ""
    return Shown(
        name=name,
        title=_short(name, MOST_NAME),
        kind=kind,
        kind_words=TYPES[kind][0],
        facts=_short(facts(node), MOST_FACTS),
        recorded=is_recorded(node),
        is_reached=is_reached,
        box=placed.boxes[name],
        end=placed.ends.get(name),
        answer=placed.answers.get(name),
        edge=edge,
        label=_short(label, MOST_FACTS),
    )


def _told(name: str, flow: Values, reached: list[str]) -> str:
    steps = ", then ".join(f"{n} ({facts(flow['nodes'][n])})" for n in reached)
    return f"A call to flow {name} comes to {steps or 'nothing'}."


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
