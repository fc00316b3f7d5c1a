"""Initial weights: torchvision's files or the user's own, fetched and verified.

Names and addresses are torchvision's own: `get_model_weights` says which file it is. Only the
transfer is not `torch.hub`'s, which has no time-out, starts over after each interruption, and
trusts whatever already lies in its folder.
"""

import warnings
from collections.abc import Iterable, Iterator, Mapping
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
from resnet_sizes.io.own_code import explained
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

MOST_LINES = 3
"""How many differences a message shows."""

_SAVE = (
    "Save the tensors alone: torch.save(network.state_dict(), PATH), or "
    "safetensors.torch.save_file for a .safetensors."
)


def torchvision_weights(model: str, version: str) -> WeightsEnum:
    """torchvision's ImageNet weights of a network; `version` is `V1` or `V2`."""
    weights: WeightsEnum = get_model_weights(model)[f"IMAGENET1K_{version}"]
    return weights


def fetch_weights(study: Study, folder: StudyFolder, keys: Iterable[str]) -> list[WeightsInfo]:
    """Make sure that initial weights lie on this machine, by their keys in `wanted_weights`;
    describe each file.

    `weights/<key>.json` is written for each file that is there and fits its network, and left
    alone where it says the same. Every file is tried. Raises UserError that lists all that could
    not be fetched.
    """
    infos: list[WeightsInfo] = []
    failures: list[str] = []
    remedies: list[str] = []
    for each in map(wanted_weights(study).__getitem__, keys):
        path, reasons, published, by_hand = Path(each.weights), [], None, OWN_REMEDY
        if not each.own_file:
            published = torchvision_weights(each.model, weights_version(each.model, each.weights))
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
        if different := differences(state, wanted.model, stem):
            yield f"{path}: is not a state dict of {wanted.model} with stem {stem}:"
            yield from different


def _published_file(weights: WeightsEnum, downloads: Downloads) -> PublishedFile:
    name = PurePosixPath(urlsplit(weights.url).path).name
    found = HASH_REGEX.search(name)
    if found is None or len(found[1]) < 8:
        raise ValueError(f"{name}: its name does not hold the beginning of its SHA-256")
    mirrors = (f"{folder.rstrip('/')}/{name}" for folder in downloads.weights.mirrors)
    mebibytes = weights.meta.get("_file_size")  # rounded
    return PublishedFile(
        target=Path(downloads.folder) / "weights" / name,
        addresses=(*mirrors, weights.url),
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
        with warnings.catch_warnings(action="ignore"):  # of a pickle that torch.save did not write
            content = torch.load(path, map_location="cpu", weights_only=True)
        others = [name for name, each in content.items() if not isinstance(each, torch.Tensor)]
        if not others:
            return dict(content)
        reason = f"it holds {', '.join(map(str, others))}"
    except UnpicklingError:  # its own words advise to load the file all the same
        reason = "it holds Python objects, and loading these could run any program"
    except Exception as error:  # a damaged file makes the libraries raise nearly anything
        reason = getattr(error, "strerror", None) or str(error)
    raise NotAStateDict(f"is not a file of tensors by name alone ({shown_text(reason)}). {_SAVE}")


def differences(state: Mapping[str, torch.Tensor], model: str, stem: str) -> list[str]:
    """How the tensors differ from those of the network without its last layer, in torch's words.

    `stem` is `imagenet` or `cifar`, whose first convolution is 3×3. The network has no storage, so
    this costs nothing.
    """
    known, head = NETWORKS[model], f"{NETWORKS[model].head}."
    own = known.file if known.sha256 else None
    with explained(own, "networks"), torch.device("cpu" if own else "meta"):
        network = known.builder()(num_classes=2)
        if stem == "cifar" and "imagenet" in known.stems:
            network.conv1 = torch.nn.Conv2d(3, 64, 3, bias=False)
    of_head = {name: each for name, each in network.state_dict().items() if name.startswith(head)}
    body = {name: tensor for name, tensor in state.items() if not name.startswith(head)}
    try:
        network.load_state_dict(body | of_head, assign=True)
    except RuntimeError as error:  # a headline, and then a line for each kind of difference
        lines = str(error).splitlines()[1:][:MOST_LINES]
        return [f"  {shown_text(line.strip())}" for line in lines]
    return []
