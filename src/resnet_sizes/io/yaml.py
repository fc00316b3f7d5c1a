"""Reading YAML, with errors that name the file and the line.

A file may come from a stranger: only plain data are made of it, and its size, depth, numbers
and repetitions (anchors) are bounded. A key that stands twice is an error, as which one counts
would depend on the reader.
"""

from pathlib import Path
from typing import Any

import yaml
from yaml.composer import Composer
from yaml.constructor import SafeConstructor
from yaml.nodes import MappingNode, Node, ScalarNode
from yaml.resolver import Resolver

from resnet_sizes.io.errors import UserError
from resnet_sizes.io.files import read_bytes

MAX_BYTES = 1024**2
MAX_DEPTH = 40
MAX_VALUES = 20_000
"""Keys and values in one file, those of an anchor counted each time that it is named."""
MAX_DIGITS = 100
"""Characters of one number."""


def read_yaml(path: Path, remedy: str) -> Any:
    """Parse a YAML file. Raises UserError, ending in `remedy`, if it is missing, broken, or
    goes beyond the bounds above."""
    content = read_bytes(path, remedy, MAX_BYTES)
    try:
        return parse_yaml(content.decode())
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        problem = " ".join(str(error).split())
        raise UserError(f"{path}: is not YAML: {_printable(problem)}. {remedy}") from None


def parse_yaml(text: str) -> Any:
    """Parse YAML text. Raises yaml.YAMLError, and nothing else."""
    try:
        loader = _Loader(text)
        try:
            return loader.get_single_data()
        finally:
            loader.dispose()
    except yaml.YAMLError:
        raise
    # PyYAML's constructors take for granted that a value is what its tag says. (`!!int ''`)
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError) as error:
        raise yaml.YAMLError(f"a value is not what its tag says ({error})") from None


if yaml.__with_libyaml__:
    from yaml.cyaml import CParser  # type: ignore[attr-defined]

    class _Events(CParser):
        """libyaml's parser, ten times as quick."""
else:
    from yaml.parser import Parser
    from yaml.reader import Reader
    from yaml.scanner import Scanner

    class _Events(Reader, Scanner, Parser):  # type: ignore[no-redef]
        """PyYAML's own parser, where it was built without libyaml."""

        def __init__(self, text: str) -> None:
            Reader.__init__(self, text)
            Scanner.__init__(self)
            Parser.__init__(self)

        def dispose(self) -> None:
            """As CParser's."""
            Parser.dispose(self)


class _Loader(Composer, _Events, SafeConstructor, Resolver):
    # Composer stands before libyaml's parser, which has a composer without bounds of its own.

    def __init__(self, text: str) -> None:
        _Events.__init__(self, text)
        Composer.__init__(self)
        SafeConstructor.__init__(self)
        Resolver.__init__(self)
        self._depth = 0
        self._values = 0
        self._sizes: dict[int, int] = {}

    def compose_node(self, parent: Node | None, index: Any) -> Node | None:
        """As Composer's, with bounds."""
        if self.check_event(yaml.AliasEvent):
            alias = self.peek_event()
            node = super().compose_node(parent, index)
            # What is still being composed has no size yet.
            self._count(self._sizes.get(id(node), MAX_VALUES + 1), alias)
            return node
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self._refusal(f"lies more than {MAX_DEPTH} levels deep", self.peek_event())
        before = self._values
        node = super().compose_node(parent, index)
        self._count(1, node)
        self._sizes[id(node)] = self._values - before
        self._depth -= 1
        return node

    def _count(self, values: int, place: Any) -> None:
        self._values += values
        if self._values > MAX_VALUES:
            raise self._refusal(f"more than {MAX_VALUES} values, or an anchor inside itself", place)

    def compose_mapping_node(self, anchor: Any) -> MappingNode:
        """As Composer's; keys must differ."""
        node: MappingNode = super().compose_mapping_node(anchor)
        seen: set[tuple[str, str]] = set()
        for key, _ in node.value:
            if isinstance(key, ScalarNode):
                if (key.tag, key.value) in seen:
                    raise self._refusal(f"key {_short(key.value)} stands twice", key)
                seen.add((key.tag, key.value))
        return node

    def construct_yaml_int(self, node: ScalarNode) -> Any:
        """As SafeConstructor's, of numbers that are no longer than can be meant."""
        self._check_length(node)
        return super().construct_yaml_int(node)

    def construct_yaml_float(self, node: ScalarNode) -> Any:
        """As SafeConstructor's, of numbers that are no longer than can be meant."""
        self._check_length(node)
        return super().construct_yaml_float(node)

    def _check_length(self, node: Node) -> None:
        if isinstance(node, ScalarNode) and len(node.value) > MAX_DIGITS:
            raise self._refusal(f"a number of more than {MAX_DIGITS} characters", node)

    @staticmethod
    def _refusal(problem: str, place: Any) -> yaml.MarkedYAMLError:
        return yaml.MarkedYAMLError(problem=problem, problem_mark=place.start_mark)


# The stubs know only PyYAML's own loaders.
_Loader.add_constructor("tag:yaml.org,2002:int", _Loader.construct_yaml_int)  # type: ignore[type-var]
_Loader.add_constructor("tag:yaml.org,2002:float", _Loader.construct_yaml_float)  # type: ignore[type-var]


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:59] + "…")


def _printable(text: str) -> str:
    shown = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text[:500])
    return shown + "…" * (len(text) > 500)
