"""Initial weights: torchvision's files or the user's own, fetched and verified.

Names and addresses are torchvision's own: `get_model_weights` says which file it is. Only the
transfer is not `torch.hub`'s, which has no time-out, starts over after each interruption, and
trusts whatever already lies in its folder.
"""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from torch.hub import HASH_REGEX
from torchvision.models import WeightsEnum, get_model_weights

from resnet_sizes.data.fetch import PublishedFile, fetch_published, not_fetched
from resnet_sizes.data.state_dict import NotAStateDict, differences, load_tensors
from resnet_sizes.io.files import write_json_if_changed
from resnet_sizes.io.hashes import file_hash
from resnet_sizes.io.messages import looked_in
from resnet_sizes.schemas.paths import StudyFolder
from resnet_sizes.schemas.run.weights import (
    InitialWeights,
    WantedWeights,
    WeightsInfo,
    wanted_weights,
    weights_version,
)
from resnet_sizes.schemas.study.sources import Downloads
from resnet_sizes.schemas.study.study import Study

_MOST_BYTES = 2**30
"""The limit of a file whose size is not published; torchvision's largest ResNet has 230 MiB."""

OWN_REMEDY = "replace the file with a valid one, or name another under its key"

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
            network = f"torchvision's {wanted.model} with stem {stem}"
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
