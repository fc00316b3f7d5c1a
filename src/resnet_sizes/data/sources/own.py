"""A source of the user's own: a function in a file of theirs that returns the images."""

import sys
from inspect import getdoc
from pathlib import Path
from runpy import run_path

from resnet_sizes.data.sources.source import PARTS, Part, Source
from resnet_sizes.io.messages import shown
from resnet_sizes.io.own_code import explained
from resnet_sizes.schemas.run.tensors import Int64Array, UInt8Array, check_part


class OwnSource(Source):
    """What the function gives for a path (a text, or None): the names of the classes, two or more
    and all different, and {'train': (images, labels), 'test': (images, labels)}, none of them
    empty: images uint8 [N, 3, 32, 32], RGB; labels int64 [N], counted from 0."""

    def __init__(self, file: Path, function: str, path: str | None) -> None:
        """Runs the file. Raises UserError for one that fails or gives something else."""
        sys.path.append(str(file.absolute().parent))  # for what it imports
        images: dict[Part, UInt8Array] = {}
        labels: dict[Part, Int64Array] = {}
        with explained(file, "dataset.source", getdoc(OwnSource)):
            given, parts = run_path(str(file))[function](path)
            names = [str(name).strip() for name in given]
            if len(names) < 2 or len(set(names)) < len(names) or "" in names:
                raise ValueError(f"names of classes are {shown(names)}")
            for part in PARTS:
                images[part], labels[part] = parts[part]
                check_part(part, images[part], labels[part], len(images[part]), len(names))
        super().__init__(file, names, labels, images)
