"""Small faults put into the code at random, to see whether the tests notice them."""

import ast
import random
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from operator import itemgetter
from pathlib import Path

PACKAGES = ("evidence", "training", "reporting", "data", "study")

COMPARISONS = {
    ast.Eq: ("==", "!="),
    ast.NotEq: ("!=", "=="),
    ast.Lt: ("<", "<=", ">="),
    ast.LtE: ("<=", "<", ">"),
    ast.Gt: (">", ">=", "<="),
    ast.GtE: (">=", ">", "<"),
    ast.Is: ("is", "is not"),
    ast.IsNot: ("is not", "is"),
    ast.In: ("in", "not in"),
    ast.NotIn: ("not in", "in"),
}
OPERATORS = {
    ast.Add: ("+", "-"),
    ast.Sub: ("-", "+"),
    ast.Mult: ("*", "/"),
    ast.Div: ("/", "*"),
    ast.FloorDiv: ("//", "*"),
    ast.Mod: ("%", "*"),
    ast.Pow: ("**", "*"),
}
WORDS = {ast.And: ("and", "or"), ast.Or: ("or", "and")}


@dataclass(frozen=True)
class Mutant:
    """A file with one fault: `new` instead of `old` at an offset in bytes."""

    path: Path
    line: int
    offset: int
    old: str
    new: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.old!r} -> {self.new!r}"

    def content(self, source: Path) -> bytes:
        """The text of the file below `source` with the fault."""
        content = (source / self.path).read_bytes()
        end = self.offset + len(self.old.encode())
        assert content[self.offset : end].decode() == self.old, self
        return content[: self.offset] + self.new.encode() + content[end:]


class _Finder(ast.NodeVisitor):
    """Collects the faults that one file can have."""

    def __init__(self, path: Path, content: bytes) -> None:
        self.found: list[Mutant] = []
        self._path, self._content = path, content
        self._starts = [0]
        for line in content.splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))

    def _start(self, node: ast.expr) -> int:
        return self._starts[node.lineno - 1] + node.col_offset

    def _end(self, node: ast.expr) -> int:
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return self._starts[node.end_lineno - 1] + node.end_col_offset

    def _add(self, line: int, offset: int, old: str, new: str) -> None:
        self.found.append(Mutant(self._path, line, offset, old, new))

    def _between(self, left: ast.expr, right: ast.expr, words: tuple[str, ...]) -> None:
        """Other words for the one between two operands."""
        begin = self._end(left)
        place = self._content[begin : self._start(right)].find(words[0].encode())
        if place >= 0:
            for new in words[1:]:
                self._add(left.end_lineno or 0, begin + place, words[0], new)

    def visit_Compare(self, node: ast.Compare) -> None:
        operands = [node.left, *node.comparators]
        for left, operator, right in zip(operands, node.ops, operands[1:], strict=False):
            self._between(left, right, COMPARISONS[type(operator)])
        self.generic_visit(node)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        texts = any(isinstance(side, ast.Constant | ast.JoinedStr) and not _is_number(side)
                    for side in (node.left, node.right))  # fmt: skip
        if type(node.op) in OPERATORS and not texts:
            self._between(node.left, node.right, OPERATORS[type(node.op)])
        self.generic_visit(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        for left, right in zip(node.values, node.values[1:], strict=False):
            self._between(left, right, WORDS[type(node.op)])
        self.generic_visit(node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> None:
        if isinstance(node.op, ast.Not):
            self._add(node.lineno, self._start(node), "not ", "")
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, bool):  # Numbers are mostly places in a figure.
            self._add(node.lineno, self._start(node), str(node.value), str(not node.value))

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        """Nothing in it: before Python 3.12 its parts have no places of their own."""

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.visit(node.value)

    def visit_arguments(self, node: ast.arguments) -> None:
        for default in [*node.defaults, *node.kw_defaults]:
            if default is not None:
                self.visit(default)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self.visit(node.args)
        for part in [*node.body, *node.decorator_list]:
            self.visit(part)


def _is_number(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, int | float)


def faults_of(source: Path, path: Path) -> list[Mutant]:
    """All faults that one file below `source` can have."""
    content = (source / path).read_bytes()
    finder = _Finder(path, content)
    finder.visit(ast.parse(content))
    return finder.found


def sample(source: Path, count: int, seed: int) -> Iterator[Mutant]:
    """Faults at random lines of the packages below `source`, at most one per line.

    Lines are drawn by what they say, so that the sample stays as it is where others are changed.
    """
    places: list[tuple[str, list[Mutant]]] = []
    for package in PACKAGES:
        for path in sorted((source / "resnet_sizes" / package).rglob("*.py")):
            by_line: dict[int, list[Mutant]] = {}
            for mutant in faults_of(source, path.relative_to(source)):
                by_line.setdefault(mutant.line, []).append(mutant)
            lines = path.read_text(encoding="utf-8").splitlines()
            for line, mutants in by_line.items():
                said = f"{seed} {path.name} {lines[line - 1].strip()}"
                places.append((sha256(said.encode()).hexdigest(), mutants))
    for key, mutants in sorted(places, key=itemgetter(0))[:count]:
        yield random.Random(key).choice(mutants)
