"""Reading YAML, with errors that name the file and the line.

A file may come from a stranger: only plain data is built from it, and its size, depth, numbers
and repetitions (anchors) are bounded. A key that appears twice is an error, as which one counts
would depend on the reader. PyYAML stays, as Snakemake reads the same files with it: YAML 1.2, as
ruamel.yaml reads it, gives other values for the same text.
"""

from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError
from yaml.nodes import MappingNode, ScalarNode

if yaml.__with_libyaml__:  # ten times as quick
    from yaml import CSafeLoader as _Base
else:
    from yaml import SafeLoader as _Base  # type: ignore[assignment]

from resnet_sizes.io.errors import UserError
from resnet_sizes.io.files import read_bytes
from resnet_sizes.io.messages import explain, shown, shown_text

R = TypeVar("R", bound=BaseModel)

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


def read_yaml_record(path: Path, kind: type[R], name: str, remedy: str) -> R:
    """Read and check a record. Raises UserError, ending in `remedy`, with every problem; `name` is
    what such a file is called."""
    data = read_yaml(path, remedy)
    try:
        return kind.model_validate(data)
    except ValidationError as error:
        lines = "\n".join(f"  {line}" for line in explain(error, kind).values())
        raise UserError(f"{path}: is not a valid {name}:\n{lines}\n{remedy}") from None


def parse_yaml(text: str) -> Any:
    """Parse YAML text. Raises yaml.YAMLError, and nothing else."""
    try:
        _check_bounds(text)
        return yaml.load(text, _Loader)
    except yaml.YAMLError:
        raise
    # PyYAML's constructors take for granted that a value is what its tag says. (`!!int ''`)
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError) as error:
        raise yaml.YAMLError(f"a value is not what its tag says ({error})") from None


def _check_bounds(text: str) -> None:
    """Raise yaml.YAMLError for text that would become too much, before anything is made of it."""
    values = 0
    opened: list[tuple[str | None, int]] = []
    sizes: dict[str | None, int] = {}
    for event in yaml.parse(text, _Base):
        if isinstance(event, yaml.AliasEvent):
            # What is still open has no size yet.
            values += sizes.get(event.anchor, MAX_VALUES + 1)
        elif isinstance(event, yaml.CollectionStartEvent):
            opened.append((event.anchor, values))
            values += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, before = opened.pop()
            sizes[anchor] = values - before
        elif isinstance(event, yaml.ScalarEvent):
            values += 1
            sizes[event.anchor] = 1
        if len(opened) > MAX_DEPTH:
            raise _refusal(f"nested more than {MAX_DEPTH} levels deep", event)
        if values > MAX_VALUES:
            raise _refusal(f"more than {MAX_VALUES} values, or an anchor inside itself", event)


class _Loader(_Base):
    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._flattened: set[MappingNode] = set()

    def flatten_mapping(self, node: MappingNode) -> None:
        """As SafeConstructor's, which calls it first for each mapping; keys must differ."""
        seen: set[tuple[str, str]] = set()
        for key, _ in () if node in self._flattened else node.value:
            if isinstance(key, ScalarNode):
                if (key.tag, key.value) in seen:
                    raise _refusal(f"key {shown(key.value)} appears twice", key)
                seen.add((key.tag, key.value))
        self._flattened.add(node)
        super().flatten_mapping(node)

    def construct_scalar(self, node: Any) -> Any:
        """As SafeConstructor's; the length of a number is bounded."""
        if node.tag in _NUMBERS and len(node.value) > MAX_DIGITS:
            raise _refusal(f"a number of more than {MAX_DIGITS} characters", node)
        return super().construct_scalar(node)


def _refusal(problem: str, place: Any) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=place.start_mark)
