"""Reading YAML, with errors that name the file and the line."""

from pathlib import Path
from typing import Any

import yaml

from resnet_sizes.records.errors import UserError


def read_yaml(path: Path, remedy: str) -> Any:
    """Parse a YAML file. Raises UserError, ending in `remedy`, if it is missing or broken."""
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path}: no such file (looked in {Path.cwd()}). {remedy}") from None
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}). {remedy}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        problem = " ".join(str(error).split())
        raise UserError(f"{path}: is not YAML: {problem}. {remedy}") from None
