"""Picture of the architecture, drawn from the import graph: `make picture`.

Each box is a package, each arrow an import. Arrows within a package are left out, and those that a
longer way shows already. The same graph always gives the same picture, so a test can compare.
"""

from collections.abc import Iterable
from html import escape
from pathlib import Path
from typing import NamedTuple

from tests.layout.floors import BASE, ENTRY_POINTS, SERVICES, SIDES, side_of
from tests.layout.import_graph import (
    Graph,
    direct_imports,
    module_graph,
    package_graph,
    read_sources,
)

PROJECT = Path(__file__).parents[2]
PATH = PROJECT / "docs/architecture.svg"

BOX_WIDTH, BOX_HEIGHT, GAP, ROW, MARGIN = 112, 26, 18, 58, 30
STYLE = """
  text { font: 13px sans-serif; fill: #1b1f24; text-anchor: middle; }
  .title { font-size: 12px; fill: #57606a; text-anchor: start; }
  .frame { fill: #f6f8fa; stroke: #d0d7de; }
  .box { fill: #fff; stroke: #57606a; }
  path { fill: none; stroke: #8c959f; marker-end: url(#arrow); }
"""
ARROW = (
    '<marker id="arrow" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" '
    'orient="auto"><polygon points="0,0 8,4 0,8" fill="#8c959f"/></marker>'
)

Rows = list[list[str]]
# The middle of the upper edge of each box.
Places = dict[str, tuple[float, float]]


class Frame(NamedTuple):
    """A floor, or one side of a floor: rows of boxes under a title."""

    title: str
    rows: Rows

    @property
    def width(self) -> int:
        """Pixels, with the margins."""
        return max(map(len, self.rows)) * (BOX_WIDTH + GAP) - GAP + 2 * MARGIN

    @property
    def height(self) -> int:
        """Pixels, with the title."""
        return len(self.rows) * ROW + MARGIN // 2


def draw(graph: Graph) -> str:
    """Return the picture of a graph of packages as SVG."""
    shown = direct_imports({name: names for name, names in graph.items() if name != "worker"})
    bands = _bands(shown)
    width = max(sum(f.width + GAP for f in band) for band in bands) + GAP
    frames, places, top = [], Places(), GAP
    for band in bands:
        x = (width - sum(frame.width + GAP for frame in band) + GAP) / 2
        height = max(frame.height for frame in band)
        for frame in band:
            frames.append(_frame(frame, x, top, height))
            # The rows stand at the bottom, next to what they import.
            _place(frame, x, top + height - frame.height, shown, places)
            x += frame.width + GAP
        top += height + 2 * GAP
    boxes = [_box(name, *places[name]) for name in sorted(places)]
    lines = [_arrow(places[a], places[b]) for a in sorted(shown) for b in sorted(shown[a])]
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {top}" role="img">'
    styled = f"<title>Packages and their imports</title><style>{STYLE}</style><defs>{ARROW}</defs>"
    ground = f'<rect width="{width}" height="{top}" fill="#fff"/>'
    return "\n".join([head, styled, ground, *frames, *lines, *boxes, "</svg>", ""])


def current() -> str:
    """Return the picture of the code as it is."""
    return draw(package_graph(module_graph(read_sources(PROJECT))))


def _bands(graph: Graph) -> list[list[Frame]]:
    sides = {s: sorted(name for name in graph if side_of(name) == s) for s in SIDES}
    named = {*ENTRY_POINTS, *SERVICES, *BASE}.union(*sides.values())
    capabilities = [name for name in graph if name not in named]
    floors: list[dict[str, Iterable[str]]] = [
        {"entry points": ENTRY_POINTS},
        {**sides},
        {"capabilities": capabilities},
        {"services": SERVICES},
        {"base": BASE},
    ]
    bands = [[Frame(title, _rows(graph, names)) for title, names in f.items()] for f in floors]
    return [shown for band in bands if (shown := [frame for frame in band if frame.rows])]


def _rows(graph: Graph, names: Iterable[str]) -> Rows:
    """Put each package in the lowest row that is above all it imports."""
    left, rows = set(names) & set(graph), Rows()
    while left:
        # In a circle none is above the others, and all share a row.
        free = {name for name in left if not graph[name] & left} or left.copy()
        rows.insert(0, sorted(free))
        left -= free
    return rows


def _place(frame: Frame, x: float, top: float, graph: Graph, places: Places) -> None:
    """Place the boxes of a frame, each as near below those that import it as its row allows."""

    def middle(name: str) -> tuple[float, str]:
        above = [places[other][0] for other in sorted(places) if name in graph[other]]
        return (round(sum(above) / len(above), 3) if above else x + frame.width / 2, name)

    for number, row in enumerate(frame.rows):
        first = x + frame.width / 2 - (len(row) - 1) * (BOX_WIDTH + GAP) / 2
        for column, name in enumerate(sorted(row, key=middle)):
            places[name] = (first + column * (BOX_WIDTH + GAP), top + MARGIN + number * ROW)


def _frame(frame: Frame, x: float, top: float, height: float) -> str:
    rect = f'<rect class="frame" x="{x:g}" y="{top:g}" width="{frame.width}" height="{height:g}"/>'
    return f'{rect}<text class="title" x="{x + 8:g}" y="{top + 17:g}">{escape(frame.title)}</text>'


def _box(name: str, x: float, y: float) -> str:
    label = name.removesuffix(".__main__").split(".")[-1]
    left = f'x="{x - BOX_WIDTH / 2:g}" y="{y:g}"'
    rect = f'<rect class="box" {left} width="{BOX_WIDTH}" height="{BOX_HEIGHT}" rx="4"/>'
    return f'{rect}<text x="{x:g}" y="{y + 18:g}">{escape(label)}</text>'


def _arrow(start: tuple[float, float], end: tuple[float, float]) -> str:
    (x1, y1), (x2, y2) = (start[0], start[1] + BOX_HEIGHT), end
    bend = (y2 - y1) / 2
    return f'<path d="M{x1:g},{y1:g} C{x1:g},{y1 + bend:g} {x2:g},{y2 - bend:g} {x2:g},{y2:g}"/>'


if __name__ == "__main__":
    PATH.parent.mkdir(exist_ok=True)
    PATH.write_text(current())
