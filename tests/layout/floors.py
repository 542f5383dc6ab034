"""Floors of the code: an import may go down or along a floor, never up.

The entry points are at the top, together with `create_app` and the list of all tables: they put the
rest together, so nothing below may import them.
"""

from tests.layout.import_graph import Arrow, Graph, arrows

ENTRY_POINTS = (
    "app",
    "callytics",
    "callytics.preflight",
    "callytics.tables",
    "worker.__main__",
)
# What people and Asterisk talk to: each has floors of its own, and none imports another.
SIDES: dict[str, tuple[tuple[str, ...], ...]] = {
    "web": (
        ("callytics.web",),
        (
            "callytics.web.admin",
            "callytics.web.calls",
            "callytics.web.flows",
            "callytics.web.health",
            "callytics.web.recordings",
        ),
        ("callytics.web.auth",),
        ("callytics.web.http",),
    ),
    "cli": (("callytics.cli",),),
    "worker": (
        ("worker.housekeeping", "worker.recovery"),
        ("worker.dispatcher",),
        ("worker.flow_runner", "worker.outbound"),
        ("worker.nodes",),
        ("worker.calls",),
        ("worker.recording",),
        ("worker.asterisk", "worker.persistence"),
        ("worker.support",),
    ),
}
# Every other package of `callytics` is a capability; among them only circles are forbidden.
SERVICES = ("callytics.ari", "callytics.audio", "callytics.database", "callytics.storage")
BASE = (
    "callytics.clock",
    "callytics.config",
    "callytics.identifiers",
    "callytics.json_values",
    "callytics.plain_text",
    "callytics.regular_files",
    "callytics.version",
)

_TOP, _CAPABILITIES, _SERVICES, _BASE = 100, 2, 1, 0


def side_of(package: str) -> str | None:
    """Return the side that a package belongs to, or None."""
    return next((s for s, floors in SIDES.items() if any(package in row for row in floors)), None)


def floor_of(package: str) -> int:
    """Return the height of a package, 0 at the bottom. Raises LookupError if it has no floor."""
    if package in ENTRY_POINTS:
        return _TOP
    if (side := side_of(package)) is not None:
        above = next(i for i, row in enumerate(SIDES[side]) if package in row)
        return _TOP - 1 - above
    if package in SERVICES:
        return _SERVICES
    if package in BASE:
        return _BASE
    if package.startswith(("callytics.web.", "worker.")) or package == "worker":
        raise LookupError(f"{package} has no floor yet: add it to tests/layout/floors.py")
    return _CAPABILITIES


def upward(packages: Graph) -> list[Arrow]:
    """Return the imports that go up, or from one side to another."""
    return [arrow for arrow in arrows(packages) if _is_upward(*arrow)]


def _is_upward(importer: str, imported: str) -> bool:
    sides = {side_of(importer), side_of(imported)} - {None}
    into_worker = imported.startswith("worker") and not importer.startswith("worker")
    return floor_of(imported) > floor_of(importer) or len(sides) > 1 or into_worker
