"""Which tests are nearest to a file of the package, by what imports what."""

import ast
from collections import deque
from functools import cache
from pathlib import Path

TESTS = Path(__file__).parents[1]
SOURCE = TESTS.parent / "src"


def _module(path: Path) -> str:
    """The name by which others import a file."""
    if not path.is_relative_to(SOURCE):
        return path.stem
    return ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__")


def _imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


@cache
def _importers() -> dict[str, list[str]]:
    """By module, who imports it."""
    files = [*SOURCE.rglob("*.py"), *TESTS.glob("*.py"), *(TESTS / "unit").glob("*.py")]
    found: dict[str, list[str]] = {_module(path): [] for path in files}
    for path in files:
        for name in sorted(_imports(path) & found.keys()):
            found[name].append(_module(path))
    return found


def nearest_tests(path: Path, count: int) -> list[Path]:
    """So many files of unit tests that reach `path` over the fewest imports, nearest first.

    Those that share its name come first: the time for them is short.
    """
    start = _module(path)
    distances, waiting = {start: 0}, deque([start])
    while waiting:
        name = waiting.popleft()
        for importer in _importers()[name]:
            if importer not in distances:
                distances[importer] = distances[name] + 1
                waiting.append(importer)
    reached = [name for name in distances if name.startswith("test_")]
    reached.sort(key=lambda name: (path.stem not in name, distances[name], name))
    return [TESTS / "unit" / f"{name}.py" for name in reached[:count]]
