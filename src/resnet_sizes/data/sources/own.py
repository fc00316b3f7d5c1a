"""A source of the user's own: a function in a file of theirs that returns the images."""

import sys
from pathlib import Path
from runpy import run_path

from resnet_sizes.data.sources.source import PARTS, Part, Source
from resnet_sizes.io.errors import UserError
from resnet_sizes.io.messages import shown_text
from resnet_sizes.schemas.run.tensors import Int64Array, UInt8Array, check_part


class OwnSource(Source):
    """What the function gives for a path (a text, or None): the names of the classes, and for
    `train` and `test` images (uint8 `[N, 3, 32, 32]`, RGB) with labels (int64 `[N]`)."""

    def __init__(self, file: Path, function: str, path: str | None) -> None:
        """Runs the file. Raises UserError for one that fails or gives something else."""
        sys.path.append(str(file.absolute().parent))  # for what it imports
        images: dict[Part, UInt8Array] = {}
        labels: dict[Part, Int64Array] = {}
        try:
            names, parts = run_path(str(file))[function](path)
            for part in PARTS:
                images[part], labels[part] = parts[part]
                check_part(part, images[part], labels[part], len(images[part]), len(names))
        except Exception as error:  # it is somebody's code
            raise UserError(
                f"dataset.source: {file}, {function}: {type(error).__name__}: "
                f"{shown_text(str(error))}. Correct it: docs/extending.md says what it has to give."
            ) from error
        super().__init__(file, [str(name) for name in names], labels, images)
