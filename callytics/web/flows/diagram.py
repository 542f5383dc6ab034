"""Diagram of a flow: its layout, with the text of each part."""

from dataclasses import dataclass

from callytics.flows.edits import chain, unreached
from callytics.flows.node_types import NODE_TYPES
from callytics.flows.wording import facts, is_recorded, rings
from callytics.json_values import JsonMapping
from callytics.web.flows.diagram_layout import Box, Edge, Layout, layout

# Characters that fit into a box; the list beside the diagram has the full text.
MOST_NAME, MOST_FACTS, MOST_NUMBERS = 21, 37, 28


@dataclass(frozen=True)
class Shown:
    """Node of the diagram: texts, boxes and arrow."""

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
        """Points of the arrow, for an SVG polyline."""
        return " ".join(f"{x},{y}" for x, y in self.edge.points)

    @property
    def label_at(self) -> tuple[int, int]:
        """Position of the label, beside the beginning of its arrow."""
        x, y = self.edge.points[0]
        return x + 10, y + (28 if len(self.edge.points) == 2 else 18)


@dataclass(frozen=True)
class Picture:
    """Diagram for the template, and its content in one sentence."""

    layout: Layout
    nodes: list[Shown]
    numbers: str
    description: str


def picture_of(name: str, flow: JsonMapping) -> Picture:
    """Return the diagram of a flow that has at least one node."""
    reached, lost = chain(dict(flow)), unreached(dict(flow))
    nodes = flow["nodes"]
    nexts = {n: node["next"] if node.get("next") in nodes else None for n, node in nodes.items()}
    placed = layout(reached, lost, nexts, {n for n, node in nodes.items() if rings(node)})
    edges = {edge.source: edge for edge in placed.edges}
    shown = [_shown(n, nodes[n], placed, edges[n], n in reached) for n in (*reached, *lost)]
    numbers = ", ".join(flow["numbers"]) or "no number yet"
    return Picture(placed, shown, _short(numbers, MOST_NUMBERS), _description(name, flow, reached))


def _shown(name: str, node: JsonMapping, placed: Layout, edge: Edge, is_reached: bool) -> Shown:
    kind = node["type"]
    label = NODE_TYPES[kind].edge_label
    if len(edge.points) > 2:
        label = f"{label}: {'on' if is_reached else 'leads'} to {edge.target}"
    elif label == "then":
        label = ""
    return Shown(
        name=name,
        title=_short(name, MOST_NAME),
        kind=kind,
        kind_words=NODE_TYPES[kind].label,
        facts=_short(facts(node), MOST_FACTS),
        recorded=is_recorded(node),
        is_reached=is_reached,
        box=placed.boxes[name],
        end=placed.ends.get(name),
        answer=placed.answers.get(name),
        edge=edge,
        label=_short(label, MOST_FACTS),
    )


def _description(name: str, flow: JsonMapping, reached: list[str]) -> str:
    steps = ", then ".join(f"{n} ({facts(flow['nodes'][n])})" for n in reached)
    return f"A call to flow {name} comes to {steps or 'nothing'}."


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
