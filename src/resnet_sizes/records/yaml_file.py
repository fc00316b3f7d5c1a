"""Reading YAML, with errors that name the file and the line."""

from pathlib import Path
from typing import Any

import yaml

from resnet_sizes.records.errors import UserError
from resnet_sizes.records.files import read_bytes


def read_yaml(path: Path, remedy: str) -> Any:
    """Parse a YAML file. Raises UserError, ending in `remedy`, if it is missing or broken."""
    content = read_bytes(path, remedy)
    try:
        return yaml.safe_load(content.decode())
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        problem = " ".join(str(error).split())
        raise UserError(f"{path}: is not YAML: {problem}. {remedy}") from None
