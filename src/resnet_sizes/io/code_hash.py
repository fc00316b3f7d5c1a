"""Hashes of our own code, so that results know which code made them.

The hash follows what the code does. It is the same on every Python from 3.11 on, and it does not
see:

- comments, docstrings, formatting, `pass`, imports as such, and annotations of parameters, of
  results and of local variables;
- the names of files, the order of definitions, and moves of functions, classes and constants
  between the hashed files;
- the names of these definitions, as long as every use of them follows;
- the words of errors, logs, warnings and assertions.

Everything else changes it: a number, an operator, a call, the order of statements, a default, the
annotation of a class's field (dataclasses and pydantic act on it). So does a renamed method,
attribute, parameter or local variable: whether all uses follow cannot be seen in the text.
"""

import ast
import hashlib
from collections import Counter
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

TRAINING = (
    "resnet_sizes.training.engine",
    "resnet_sizes.training.features.extraction",
    "resnet_sizes.schemas.study.schedules",
    "resnet_sizes.schemas.run.subset",
)
"""Packages and modules that decide a run's result."""

DATA_FILES = frozenset({".yaml", ".json"})

UNCOUNTED = frozenset({"ctx", "kind", "msg", "returns", "type_comment", "type_params"})
"""Fields of syntax nodes that decide nothing, or that not every Python has."""

LOGGERS = frozenset({"log", "_log", "logger", "logging", "warnings"})
LEVELS = frozenset({"debug", "info", "warning", "error", "exception", "critical", "log", "warn"})

_Defined = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
_Named = _Defined | ast.ExceptHandler | ast.MatchAs | ast.MatchStar
_Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
_InnerScope = ast.comprehension | ast.Lambda
_Part = str | tuple[str, str]
"""A piece of a serialised definition: its text, or the module and name of a hashed definition."""


@cache
def training_code_hash() -> str:
    """Hash of all code that decides a run's result, given its run file and its data."""
    return code_hash(*TRAINING)


@cache
def evidence_code_hash() -> str:
    """Hash of all code that decides the evidence, given a study's results."""
    return code_hash("resnet_sizes.evidence", "resnet_sizes.schemas")


def code_hash(*names: str) -> str:
    """SHA-256 over what packages and modules do, and over the data files beside them.

    The code is found, not imported, so hashing the training code needs no torch. Raises
    ModuleNotFoundError for a name that is none.
    """
    modules: dict[str, ast.Module] = {}
    data = hashlib.sha256()
    for name in names:
        spec = find_spec(name)
        if spec is None or spec.origin is None:
            raise ModuleNotFoundError(f"no package or module named {name}")
        root = Path(spec.origin)
        if spec.submodule_search_locations:
            root = root.parent
        for path in sorted(root.rglob("*.py")) if root.is_dir() else [root]:
            below = path.relative_to(root).with_suffix("").parts if path != root else ()
            module = ".".join([name, *(part for part in below if part != "__init__")])
            modules[module] = ast.parse(path.read_text(encoding="utf-8"))
        for path in sorted(path for path in root.rglob("*") if path.suffix in DATA_FILES):
            data.update(path.relative_to(root).as_posix().encode() + b"\0")
            data.update(path.read_bytes() + b"\0")
    definitions = [each for name, tree in modules.items() for each in _definitions(name, tree)]
    imports = {name: _imports(name, tree) for name, tree in modules.items()}
    labels = sorted(_labels(definitions, imports))
    return hashlib.sha256("".join([*labels, data.hexdigest()]).encode()).hexdigest()


@dataclass(frozen=True)
class _Definition:
    """A function, class or constant of a module, or statements that belong together."""

    module: str
    names: tuple[str, ...]
    statements: tuple[ast.stmt, ...]


def _definitions(module: str, tree: ast.Module) -> Iterator[_Definition]:
    """Each definition by itself, and in one piece what depends on its order: statements that
    only do something, and those that bind a name which another binds too."""
    kept = [(each, tuple(_bound_at_top(each))) for each in tree.body if not _says_nothing(each)]
    count = Counter(name for _, names in kept for name in set(names))
    rest: list[ast.stmt] = []
    bound: dict[str, None] = {}
    for statement, names in kept:
        if names and all(count[name] == 1 for name in names):
            yield _Definition(module, names, (statement,))
        else:
            rest.append(statement)
            bound |= dict.fromkeys(names)
    if rest:
        yield _Definition(module, tuple(bound), tuple(rest))


def _bound_at_top(statement: ast.stmt) -> list[str]:
    """Names that a statement of a module binds there."""
    if isinstance(statement, _Defined):
        return [statement.name]
    scopes = (each for each in ast.walk(statement) if isinstance(each, _InnerScope))
    inner = {name for scope in scopes for name in _bound_in(scope)}
    return [name for name in _bound_in(statement) if name not in inner]


def _bound_in(node: ast.AST) -> Iterator[str]:
    """Names that the node binds in the scope it stands in; inner scopes of comprehensions count
    as that scope."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store):
            yield inner.id
        elif isinstance(inner, ast.arg):
            yield inner.arg
        elif isinstance(inner, _Named) and inner.name:
            yield inner.name


def _says_nothing(statement: ast.stmt) -> bool:
    """Whether a statement decides no result: a docstring, an import, a log line."""
    match statement:
        case ast.Import() | ast.ImportFrom() | ast.Pass() | ast.Expr(ast.Constant()):
            return True
        case ast.If(test=test, orelse=[]):
            return ast.unparse(test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")
        case ast.Assign(value=ast.Call(func=function)):
            return ast.unparse(function) == "logging.getLogger"
        case ast.Expr(ast.Call(func=ast.Attribute(ast.Name(name), level))):
            return name in LOGGERS and level in LEVELS
    return False


def _imports(module: str, tree: ast.Module) -> dict[str, str]:
    """Where the names that a module imports come from, as dotted paths."""
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                whole = alias.name if alias.asname else alias.name.partition(".")[0]
                found[alias.asname or whole] = whole
        elif isinstance(node, ast.ImportFrom):
            parent = module.rsplit(".", node.level)[0] if node.level else ""
            base = ".".join(filter(None, [parent, node.module]))
            found |= {alias.asname or alias.name: f"{base}.{alias.name}" for alias in node.names}
    return found


def _labels(
    definitions: Sequence[_Definition], imports: Mapping[str, Mapping[str, str]]
) -> list[str]:
    """A hash of each definition, in which those that it uses stand by their own hashes.

    They may use each other in circles. So a hash begins without them and is made again with the
    hashes of the round before, until no more definitions can be told apart (colour refinement,
    as in the Weisfeiler-Leman test).
    """
    owners = {
        (each.module, name): (number, place)
        for number, each in enumerate(definitions)
        for place, name in enumerate(each.names)
    }
    parts = [list(_Serialiser(each, owners, imports).parts()) for each in definitions]
    labels = [""] * len(definitions)
    while True:
        before = labels
        labels = []
        for texts in parts:
            digest = hashlib.sha256()
            for part in texts:
                if isinstance(part, tuple):
                    number, place = owners[part]
                    part = f"defined {before[number]}.{place};"
                digest.update(part.encode("utf-8", "surrogatepass"))
            labels.append(digest.hexdigest())
        if len(set(labels)) == len(set(before)):
            return labels


class _Serialiser:
    """Writes a definition as text of our own: `ast.dump` differs between Pythons."""

    def __init__(
        self,
        definition: _Definition,
        known: Container[tuple[str, str]],
        imports: Mapping[str, Mapping[str, str]],
    ) -> None:
        """`known` are modules and names of all hashed definitions."""
        self._definition = definition
        self._known = known
        self._imports = imports
        self._local: frozenset[str] = frozenset()
        self._scopes: list[ast.AST] = []

    def parts(self) -> Iterator[_Part]:
        """Its text, with references to hashed definitions in it."""
        yield from self._value(list(self._definition.statements))

    def _meaning(self, node: ast.expr) -> _Part | None:
        """A hashed definition, or the path of something imported; None of all other nodes."""
        module = self._definition.module
        attributes: list[str] = []
        while isinstance(node, ast.Attribute):
            attributes.insert(0, node.attr)
            node = node.value
        if not isinstance(node, ast.Name) or node.id in self._local:
            return None
        if (module, node.id) in self._known:
            return None if attributes else (module, node.id)
        source = self._imports[module].get(node.id)
        return None if source is None else self._imported(source, attributes)

    def _imported(self, source: str, attributes: list[str]) -> _Part | None:
        module, _, name = source.rpartition(".")
        if (module, name) in self._known:
            return None if attributes else (module, name)
        again = self._imports.get(module, {}).get(name)
        if again not in (None, source):  # imported by way of another hashed module
            return self._imported(again, attributes)
        if attributes and source in self._imports:  # a hashed module by itself
            return self._imported(f"{source}.{attributes[0]}", attributes[1:])
        # Our own modules may be moved and renamed; what they define is known by its name.
        own = source.partition(".")[0] == self._definition.module.partition(".")[0]
        return f"imported {'.'.join([name if own else source, *attributes])};"

    def _value(self, value: object) -> Iterator[_Part]:
        if isinstance(value, ast.AST):
            yield from self._node(value)
        elif isinstance(value, list):
            yield "["
            for each in value:
                yield from self._value(each)
            yield "]"
        else:
            text = str(value)
            yield f"{type(value).__name__} {len(text)} {text};"

    def _node(self, node: ast.AST) -> Iterator[_Part]:
        in_class = bool(self._scopes) and isinstance(self._scopes[-1], ast.ClassDef)
        if isinstance(node, ast.Name | ast.Attribute):
            meaning = self._meaning(node)
            if meaning is not None and not (in_class and isinstance(node.ctx, ast.Store)):
                yield self._own(meaning) or meaning
                return
        elif isinstance(node, ast.AnnAssign) and node.value and not in_class:
            node = ast.Assign([node.target], node.value)
        elif isinstance(node, ast.JoinedStr):
            node = _joined(node)
        outer, opens = self._local, isinstance(node, _Function | ast.ClassDef)
        yield f"{type(node).__name__}("
        for field in node._fields:
            value = self._content(node, field)
            if value is None and not isinstance(node, ast.Constant):
                continue
            yield f"{field}="
            if field == "name" and opens and not self._scopes:
                yield self._own((self._definition.module, str(value))) or str(value)
            elif field in ("args", "body") and opens:
                self._scopes.append(node)
                if isinstance(node, _Function):
                    self._local = outer | (set(_bound_in(node)) - {getattr(node, "name", "")})
                yield from self._value(value)
                self._scopes.pop()
                self._local = outer
            else:
                yield from self._value(value)
        yield ")"

    def _own(self, meaning: _Part) -> str | None:
        """How a definition calls itself."""
        names = self._definition.names
        if isinstance(meaning, str) or meaning[0] != self._definition.module:
            return None
        return f"itself {names.index(meaning[1])};" if meaning[1] in names else None

    def _content(self, node: ast.AST, field: str) -> object:
        """A field as far as it counts; None where it does not."""
        value = getattr(node, field, None)
        if field in UNCOUNTED or (isinstance(node, ast.arg) and field == "annotation"):
            return None
        if isinstance(node, ast.Raise) and isinstance(value, ast.expr):
            return _WithoutWords().visit(value)
        if isinstance(value, list):
            return [each for each in value if not _is_silent(each, node)] or None
        return value


def _is_silent(each: object, parent: ast.AST) -> bool:
    if not isinstance(each, ast.stmt):
        return False
    only_annotates = isinstance(each, ast.AnnAssign) and each.value is None
    return _says_nothing(each) or (only_annotates and not isinstance(parent, ast.ClassDef))


class _WithoutWords(ast.NodeTransformer):
    """Replaces strings, with all that is put into them."""

    def visit_Constant(self, node: ast.Constant) -> ast.Constant:
        return ast.Constant("words") if isinstance(node.value, str) else node

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.Constant:
        return ast.Constant("words")


def _joined(node: ast.JoinedStr) -> ast.JoinedStr:
    """The same with each stretch of constant text in one piece."""
    values: list[ast.expr] = []
    for each in node.values:
        last = values[-1] if values else None
        if isinstance(each, ast.Constant) and isinstance(last, ast.Constant):
            values[-1] = ast.Constant(str(last.value) + str(each.value))
        elif not (isinstance(each, ast.Constant) and each.value == ""):
            values.append(each)
    return ast.JoinedStr(values)
