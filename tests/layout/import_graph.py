"""Import graph of the code, read from its syntax trees: nothing is imported to draw it.

Every import counts: those at the top of a module, inside functions and under TYPE_CHECKING.
"""

import ast
from collections.abc import Iterable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

# Names of importers, each with the names that it imports.
Graph = dict[str, set[str]]
Arrow = tuple[str, str]

ROOTS = ("app.py", "callytics", "worker")
# Alembic runs the migrations; a test of their own keeps them apart from the live code.
LEFT_OUT = "migrations"


def read_sources(project: Path) -> dict[str, str]:
    """Return the source of each module of the project, by its dotted name."""
    files = [path for root in ROOTS for path in _python_files(project / root)]
    return {_module_name(path.relative_to(project)): path.read_text() for path in files}


def module_graph(sources: Mapping[str, str]) -> Graph:
    """Return the imports among `sources`; imports of libraries are left out."""
    return {
        module: {name for name in _imports(module, source, sources) if name != module}
        for module, source in sources.items()
    }


def package_graph(modules: Graph) -> Graph:
    """Return the imports among packages; a module beside packages stands for itself."""
    packages: Graph = {package_of(module): set() for module in modules}
    for importer, imported in modules.items():
        here = package_of(importer)
        packages[here] |= {package_of(module) for module in imported} - {here}
    return packages


def package_of(module: str) -> str:
    """Return `callytics.search` for `callytics.search.engine`; the web has packages of its own."""
    depth = 3 if module.startswith("callytics.web.") else 2
    return ".".join(module.split(".")[:depth])


def circle(graph: Graph) -> list[str] | None:
    """Return one circle, its first name repeated at its end, or None if there is none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        # The sorter lists a circle against the direction of the imports.
        return list(reversed(error.args[1]))
    return None


def arrows(graph: Graph) -> list[Arrow]:
    """Return every import of a graph, sorted."""
    return sorted((importer, name) for importer, names in graph.items() for name in names)


def direct_imports(graph: Graph) -> Graph:
    """Return the graph without arrows that a longer way shows: its transitive reduction."""
    below = {name: _reach(graph, names) for name, names in graph.items()}
    return {
        name: {b for b in names if not any(b in below[other] for other in names - {b})}
        for name, names in graph.items()
    }


def _python_files(path: Path) -> list[Path]:
    found = [path] if path.is_file() else path.rglob("*.py")
    return sorted(file for file in found if LEFT_OUT not in file.parts)


def _module_name(path: Path) -> str:
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")


def _reach(graph: Mapping[str, Iterable[str]], names: Iterable[str]) -> set[str]:
    found: set[str] = set()
    todo = list(names)
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            todo.extend(graph[name])
    return found


def _imports(module: str, source: str, known: Mapping[str, str]) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom):
            # A relative import would hide its package from a search for its name.
            assert node.level == 0, f"{module}: a relative import"
            for alias in node.names:
                # `from callytics.search import engine` imports a module, other names do not.
                candidates = (f"{node.module}.{alias.name}", node.module or "")
                yield from [name for name in candidates if name in known][:1]
