"""Hashes of our own code, so that results know which code made them."""

import ast
import hashlib
from collections.abc import Collection
from importlib.util import find_spec
from pathlib import Path

ONLY_TELLS = frozenset(
    {
        *("checkpoints.py", "keeping.py", "memory.py", "network_costs.py", "progress.py"),
        *("company.py", "device_locks.py", "driver_files.py", "nvml.py", "progress_file.py"),
        *("slots.py", "stopping.py", "turn.py", "visible.py"),
    }
)
"""Modules of the training that tell of it, when to keep or stop it, or on which of several like
devices it is done, and decide no result."""

DATA_FILES = frozenset({".yaml", ".json"})


def training_code_hash() -> str:
    """Hash of all code that decides a run's result."""
    return code_hash("resnet_sizes.training", without=ONLY_TELLS)


def code_hash(package: str, without: Collection[str] = ()) -> str:
    """SHA-256 over the syntax trees of a package's modules, without docstrings, and over the
    texts and tables that lie beside them.

    Comments, formatting and docstrings do not change it; anything that runs does. The
    package is found, not imported, so hashing the training code needs no torch.
    """
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(f"no package named {package}")
    folder = Path(spec.submodule_search_locations[0])
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        if path.name in without:
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0")
        digest.update(ast.dump(_without_docstrings(tree)).encode() + b"\0")
    for path in sorted(path for path in folder.rglob("*") if path.suffix in DATA_FILES):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0")
        digest.update(path.read_bytes() + b"\0")
    return digest.hexdigest()


def _without_docstrings(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0] if node.body else None
            if (
                isinstance(first, ast.Expr)
                and isinstance(first.value, ast.Constant)
                and isinstance(first.value.value, str)
            ):
                node.body = node.body[1:]
    return tree
