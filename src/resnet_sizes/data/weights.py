"""Initial weights: torchvision's files or the user's own, fetched and verified.

Names and addresses are torchvision's own: `get_model_weights` says which file it is. Only the
transfer is not `torch.hub`'s, which has no time-out, starts over after each interruption, and
trusts whatever already lies in its folder.
"""

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from pickle import UnpicklingError
from urllib.parse import urlsplit

import safetensors.torch
import torch
from torch.hub import HASH_REGEX
from torchvision.models import WeightsEnum, get_model_weights

from resnet_sizes.data.fetch import PublishedFile, fetch_published, not_fetched
from resnet_sizes.io.files import write_json_if_changed
from resnet_sizes.io.hashes import file_hash
from resnet_sizes.io.messages import looked_in, shown_text
from resnet_sizes.schemas.paths import StudyFolder
from resnet_sizes.schemas.run.weights import (
    InitialWeights,
    WantedWeights,
    WeightsInfo,
    wanted_weights,
    weights_version,
)
from resnet_sizes.schemas.study.networks import NETWORKS
from resnet_sizes.schemas.study.sources import Downloads
from resnet_sizes.schemas.study.study import Study

_MOST_BYTES = 2**30
"""The limit of a file whose size is not published; torchvision's largest ResNet has 230 MiB."""

OWN_REMEDY = "replace the file with a valid one, or name another under its key"

SHOWN = 3
"""How many names of each kind of difference a message shows."""

_SAVE = (
    "Save the tensors alone: torch.save(network.state_dict(), PATH), or "
    "safetensors.torch.save_file for a .safetensors."
)

Catalogue = Callable[[str, str], WeightsEnum]
"""Model and `V1` or `V2` → the published weights."""


def torchvision_weights(model: str, version: str) -> WeightsEnum:
    """torchvision's ImageNet weights of a network; `version` is `V1` or `V2`."""
    weights: WeightsEnum = get_model_weights(model)[f"IMAGENET1K_{version}"]
    return weights


def fetch_weights(
    study: Study,
    folder: StudyFolder,
    only: Iterable[str] | None = None,
    catalogue: Catalogue = torchvision_weights,
) -> list[WeightsInfo]:
    """Make sure that the study's initial weights lie on this machine; describe each file.

    `weights/<key>.json` is written for each file that is there and fits its network, and left
    alone where it says the same. `only` names keys of `wanted_weights`; otherwise it is all of
    them. Every file is tried. Raises UserError that lists all that could not be fetched.
    """
    wanted = wanted_weights(study)
    infos: list[WeightsInfo] = []
    failures: list[str] = []
    remedies: list[str] = []
    for each in wanted.values() if only is None else map(wanted.__getitem__, only):
        path, reasons, published, by_hand = Path(each.weights), [], None, OWN_REMEDY
        if not each.own_file:
            published = catalogue(each.model, weights_version(each.model, each.weights))
            file = _published_file(published, study.downloads)
            path, reasons = file.target, fetch_published(file, study.downloads)
            known = f"its SHA-256 begins with {file.digest}"
            by_hand = f"put {published.url} by hand at {path.absolute()} ({known})"
        reasons = reasons or list(_problems(each, path))
        if reasons:
            failures.append(f"{each.key} ({', '.join(each.asked_by)}):")
            failures += [f"  {reason}" for reason in reasons]
            remedies.append(by_hand)
            continue
        name = str(published) if published else "file"
        info = WeightsInfo(
            key=each.key,
            model=each.model,
            path=str(path),
            bytes=path.stat().st_size,
            source=published.url if published else None,
            initial=InitialWeights(name=name, file=path.name, sha256=file_hash(path)),
        )
        write_json_if_changed(folder.weights(each.key), info)
        infos.append(info)
    if failures:
        if set(remedies) != {OWN_REMEDY}:
            remedies.append("set downloads.weights.mirrors to a folder of them that can be reached")
        remedies.append("leave protocols with initial weights out of `protocols:`")
        raise not_fetched("Initial weights", failures, dict.fromkeys(remedies))
    return infos


def _problems(wanted: WantedWeights, path: Path) -> Iterator[str]:
    """What keeps a file from being read as weights of the network."""
    if not path.is_file():
        found = "is a folder" if path.is_dir() else f"does not exist ({looked_in()})"
        yield f"{path}: {found}. Put a state dict of {wanted.model} there."
        return
    try:
        state = load_tensors(path)
    except NotAStateDict as error:
        yield f"{path}: {error}"
        return
    for stem in wanted.stems:
        different = differences(state, wanted.model, stem)
        if different:
            network = f"{wanted.model} with stem {stem}"
            yield f"{path}: is not a state dict of {network}:"
            yield from different


def _published_file(weights: WeightsEnum, downloads: Downloads) -> PublishedFile:
    name = PurePosixPath(urlsplit(weights.url).path).name
    found = HASH_REGEX.search(name)
    if found is None or len(found[1]) < 8:
        raise ValueError(f"{name}: its name does not hold the beginning of its SHA-256")
    mebibytes = weights.meta.get("_file_size")  # rounded
    return PublishedFile(
        target=Path(downloads.folder) / "weights" / name,
        addresses=(
            *(f"{folder.rstrip('/')}/{name}" for folder in downloads.weights.mirrors),
            weights.url,
        ),
        digest=found[1],
        most=int(mebibytes * 1.1 * 2**20) if mebibytes else _MOST_BYTES,
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
    known, head = NETWORKS[model], f"{NETWORKS[model].head}."
    with torch.device("cpu" if known.sha256 else "meta"):
        network = known.builder()(num_classes=2)
        if stem == "cifar" and "imagenet" in known.stems:
            network.conv1 = torch.nn.Conv2d(3, 64, 3, bias=False)
    body = {name: tensor for name, tensor in state.items() if not name.startswith(head)}
    try:
        missing, unexpected = network.load_state_dict(body, strict=False, assign=True)
    except RuntimeError as error:  # a headline, and a line for each that has another shape
        return [_some([line.strip() for line in str(error).splitlines()[1:]])]
    missing = [name for name in missing if not name.startswith(head)]
    found = {"missing": missing, "unexpected": unexpected}
    return [f"{kind}: {_some(names)}" for kind, names in found.items() if names]


def _some(names: list[str]) -> str:
    rest = len(names) - SHOWN
    return ", ".join(shown_text(name) for name in names[:SHOWN]) + (
        f" and {rest} more" if rest > 0 else ""
    )
