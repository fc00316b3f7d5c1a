"""Reading YAML, with errors that name the file and the line.

A file may come from a stranger: only plain data is built from it, and its size, depth, numbers
and repetitions (anchors) are bounded. A key that appears twice is an error, as which one counts
would depend on the reader. PyYAML stays, as Snakemake reads the same files with it: YAML 1.2, as
ruamel.yaml reads it, gives other values for the same text.
"""

from pathlib import Path
from typing import Any

import yaml
from yaml.composer import Composer
from yaml.nodes import MappingNode, Node, ScalarNode

from resnet_sizes.io.errors import UserError
from resnet_sizes.io.files import read_bytes
from resnet_sizes.io.messages import shown, shown_text

MAX_BYTES = 1024**2
MAX_DEPTH = 40
MAX_VALUES = 20_000
"""Keys and values in one file, those of an anchor counted each time that it is named."""
MAX_DIGITS = 100
"""Characters of one number."""
_NUMBERS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")


def read_yaml(path: Path, remedy: str) -> Any:
    """Parse a YAML file. Raises UserError, ending in `remedy`, if it is missing, broken, or
    exceeds the bounds above."""
    content = read_bytes(path, remedy, MAX_BYTES)
    try:
        return parse_yaml(content.decode())
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        problem = shown_text(" ".join(str(error).split()), 500)
        raise UserError(f"{path}: is not YAML: {problem}. {remedy}") from None


def parse_yaml(text: str) -> Any:
    """Parse YAML text. Raises yaml.YAMLError, and nothing else."""
    try:
        return yaml.load(text, _Loader)
    except yaml.YAMLError:
        raise
    # PyYAML's constructors take for granted that a value is what its tag says. (`!!int ''`)
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError) as error:
        raise yaml.YAMLError(f"a value is not what its tag says ({error})") from None


if yaml.__with_libyaml__:

    class _Base(Composer, yaml.CSafeLoader):
        """libyaml's parser, ten times as quick, with PyYAML's composer, which can be bounded."""

        def __init__(self, text: str) -> None:
            yaml.CSafeLoader.__init__(self, text)
            Composer.__init__(self)
else:
    _Base = yaml.SafeLoader  # type: ignore[misc,assignment]


class _Loader(_Base):
    def __init__(self, text: str) -> None:
        super().__init__(text)
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
            raise _refusal(f"nested more than {MAX_DEPTH} levels deep", self.peek_event())
        before = self._values
        node = super().compose_node(parent, index)
        self._count(1, node)
        self._sizes[id(node)] = self._values - before
        self._depth -= 1
        return node

    def _count(self, values: int, place: Any) -> None:
        self._values += values
        if self._values > MAX_VALUES:
            raise _refusal(f"more than {MAX_VALUES} values, or an anchor inside itself", place)

    def compose_mapping_node(self, anchor: Any) -> MappingNode:
        """As Composer's; keys must differ."""
        node: MappingNode = super().compose_mapping_node(anchor)
        seen: set[tuple[str, str]] = set()
        for key, _ in node.value:
            if isinstance(key, ScalarNode):
                if (key.tag, key.value) in seen:
                    raise _refusal(f"key {shown(key.value)} appears twice", key)
                seen.add((key.tag, key.value))
        return node

    def construct_scalar(self, node: Any) -> Any:
        """As SafeConstructor's; the length of a number is bounded."""
        if node.tag in _NUMBERS and len(node.value) > MAX_DIGITS:
            raise _refusal(f"a number of more than {MAX_DIGITS} characters", node)
        return super().construct_scalar(node)


def _refusal(problem: str, place: Any) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=place.start_mark)
