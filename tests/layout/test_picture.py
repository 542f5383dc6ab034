"""Picture of the architecture: up to date, and drawn from the imports."""

import xml.etree.ElementTree as ET

from tests.layout.import_graph import direct_imports
from tests.layout.picture import PATH, current, draw

GRAPH = {
    "app": {"callytics"},
    "callytics": {"callytics.web", "callytics.calls", "callytics.database"},
    "callytics.web": {"callytics.calls"},
    "callytics.calls": {"callytics.database"},
    "callytics.database": set(),
}


def test_committed_picture_is_that_of_the_code() -> None:
    assert PATH.read_text() == current(), "the imports changed: run `make picture` and commit it"


def test_arrow_that_a_longer_way_shows_is_left_out() -> None:
    assert direct_imports(GRAPH)["callytics"] == {"callytics.web"}


def test_every_package_is_a_box_and_every_direct_import_an_arrow_down() -> None:
    picture = draw(GRAPH)
    svg = {"s": "http://www.w3.org/2000/svg"}
    root = ET.fromstring(picture)
    boxes = [text.text for text in root.findall("s:text", svg) if text.get("class") is None]
    assert sorted(map(str, boxes)) == ["app", "calls", "callytics", "database", "web"]
    arrows = [path.get("d", "") for path in root.findall("s:path", svg)]
    assert len(arrows) == 4
    for arrow in arrows:
        start, end = arrow.split()[0], arrow.split()[-1]
        assert float(start.split(",")[1]) < float(end.split(",")[1])
    assert picture == draw(dict(reversed(GRAPH.items())))
