"""Whether a file holds a state dict of one of torchvision's ResNets."""

import pickletools
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from io import BytesIO
from pathlib import Path
from pickle import UnpicklingError
from typing import BinaryIO

import safetensors.torch
import torch
from torchvision.models import get_model

from resnet_sizes.io.messages import shown_text
from resnet_sizes.schemas.run.weights import HEAD

_LONGEST_NAME = 200
_LARGEST_PICKLE = 32 * 1024**2
SHOWN = 3
"""How many names of each kind of difference a message shows."""

_SAVE = (
    "Save the tensors alone: torch.save(network.state_dict(), PATH), or "
    "safetensors.torch.save_file for a .safetensors."
)


class NotAStateDict(Exception):
    """The message says what the file holds instead, and what to do."""


def load_tensors(path: Path) -> dict[str, torch.Tensor]:
    """The tensors by name in a file that safetensors (`.safetensors`) or `torch.save` wrote.

    They lie in main memory; no code in the file is run. Raises NotAStateDict.
    """
    try:
        if path.suffix == ".safetensors":
            return safetensors.torch.load_file(path)
        _check_names(path)
        with warnings.catch_warnings():
            # Said of a pickle that torch.save did not write; what is wrong with it is said below.
            warnings.filterwarnings("ignore", "Detected pickle protocol")
            return _only_tensors(torch.load(path, map_location="cpu", weights_only=True))
    except NotAStateDict:
        raise
    except UnpicklingError:  # its own words advise to load the file all the same
        raise NotAStateDict(
            "was not written by torch.save, or holds Python objects besides tensors (a whole "
            "network, or other code). They are not loaded, since loading them could run any "
            f"program. {_SAVE}"
        ) from None
    except Exception as error:  # a damaged file makes the libraries raise nearly anything
        reason = shown_text(getattr(error, "strerror", None) or str(error))
        raise NotAStateDict(
            f"is damaged, or was not written by torch.save or safetensors ({reason}). {_SAVE}"
        ) from None


def _check_names(path: Path) -> None:
    # torch looks through the names that it refuses for several patterns, which takes hours for
    # one of a megabyte.
    for stream in _pickles(path):
        for operation, argument, _ in pickletools.genops(stream):
            if operation.name == "GLOBAL" and len(str(argument)) > _LONGEST_NAME:
                raise UnpicklingError(f"has a name of more than {_LONGEST_NAME} characters")


def _pickles(path: Path) -> Iterator[BinaryIO]:
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                if member.filename.endswith("/data.pkl") and member.file_size <= _LARGEST_PICKLE:
                    yield BytesIO(archive.read(member))
    else:  # as torch.save wrote before 1.6: magic number, version, system, tensors, their keys
        with path.open("rb") as file:
            for _ in range(5):
                yield file


def _only_tensors(content: object) -> dict[str, torch.Tensor]:
    if not isinstance(content, Mapping):
        raise NotAStateDict(f"holds a {type(content).__name__}, not names with tensors. {_SAVE}")
    others = [str(name) for name, value in content.items() if not isinstance(value, torch.Tensor)]
    if others:
        raise NotAStateDict(
            f"holds more than tensors: {_some(others)}. If one of them is the state dict, save "
            f"that one alone. {_SAVE}"
        )
    return {str(name): tensor for name, tensor in content.items()}


def differences(state: Mapping[str, torch.Tensor], model: str, stem: str) -> list[str]:
    """How the tensors differ from those of the network, apart from its last layer.

    One text a kind of difference: missing, unexpected, other shapes. `stem` is `imagenet` or
    `cifar`, whose first convolution is 3×3. The network has no storage, so this costs nothing.
    """
    with torch.device("meta"):
        network = get_model(model, weights=None)
        if stem == "cifar":
            network.conv1 = torch.nn.Conv2d(3, 64, 3, bias=False)
    body = {name: tensor for name, tensor in state.items() if not name.startswith(HEAD)}
    try:
        missing, unexpected = network.load_state_dict(body, strict=False, assign=True)
    except RuntimeError as error:  # a headline, and a line for each that has another shape
        return [_some([line.strip() for line in str(error).splitlines()[1:]])]
    missing = [name for name in missing if not name.startswith(HEAD)]
    found = {"missing": missing, "unexpected": unexpected}
    return [f"{kind}: {_some(names)}" for kind, names in found.items() if names]


def _some(names: list[str]) -> str:
    rest = len(names) - SHOWN
    return ", ".join(shown_text(name) for name in names[:SHOWN]) + (
        f" and {rest} more" if rest > 0 else ""
    )
