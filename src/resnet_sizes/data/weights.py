"""Initial weights: torchvision's files or the user's own, fetched and verified.

Names, addresses and reading are torchvision's own: `get_model_weights` says which file it is,
and its `get_state_dict` reads it. Only the transfer is not `torch.hub`'s, which has no
time-out, starts over after each interruption, and trusts whatever already lies in its folder.
The file is fetched as the archive of images is, under the name by which torchvision would find
it, so torchvision then reads it without a download.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from torch.hub import HASH_REGEX
from torchvision.models import WeightsEnum, get_model_weights

from resnet_sizes.data.fetch import OFFLINE_COMMAND, PublishedFile, fetch_published
from resnet_sizes.data.state_dict import NotAStateDict, differences, load_file, tensors_from
from resnet_sizes.io.errors import UserError
from resnet_sizes.io.files import write_json_if_changed
from resnet_sizes.io.hashes import file_hash
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
    problems: list[tuple[WantedWeights, _Problem]] = []
    for key in wanted if only is None else only:
        try:
            info = _fetch_one(wanted[key], study.downloads, catalogue)
        except _Problem as problem:
            problems.append((wanted[key], problem))
        else:
            write_json_if_changed(folder.weights(key), info)
            infos.append(info)
    if problems:
        raise UserError(_message(problems))
    return infos


@dataclass
class _Problem(Exception):
    """One file of weights that could not be fetched."""

    reasons: list[str]
    published: PublishedFile | None = None
    """The file that would help if it were put in place by hand."""


def _fetch_one(wanted: WantedWeights, downloads: Downloads, catalogue: Catalogue) -> WeightsInfo:
    if wanted.own_file:
        path = Path(wanted.weights)
        if not path.is_file():
            found = "is a folder" if path.is_dir() else f"does not exist (looked in {Path.cwd()})"
            raise _Problem([f"{path}: {found}. Put a state dict of {wanted.model} there."])
        _check(wanted, path, lambda: load_file(path))
        return _info(wanted, path, "file", None)
    weights = catalogue(wanted.model, weights_version(wanted.model, wanted.weights))
    file = _published_file(weights, downloads)
    try:
        failures = fetch_published(file)
    except UserError as error:  # the folder cannot be written
        raise _Problem([str(error)]) from error
    if failures:
        raise _Problem(failures, file)

    def load() -> object:
        return weights.get_state_dict(
            model_dir=str(file.target.parent),
            map_location="cpu",
            check_hash=True,
            weights_only=True,
        )

    _check(wanted, file.target, load)
    return _info(wanted, file.target, str(weights), weights.url)


def _check(wanted: WantedWeights, path: Path, load: Callable[[], object]) -> None:
    try:
        state = tensors_from(load)
    except NotAStateDict as error:
        raise _Problem([f"{path}: {error}"]) from error
    for stem in wanted.stems:
        different = differences(state, wanted.model, stem)
        if different:
            network = f"torchvision's {wanted.model} with stem {stem}"
            raise _Problem([f"{path}: is not a state dict of {network}:", *different])


def _published_file(weights: WeightsEnum, downloads: Downloads) -> PublishedFile:
    name = PurePosixPath(urlsplit(weights.url).path).name
    mirrors = (f"{folder.rstrip('/')}/{name}" for folder in downloads.weights.mirrors)
    mebibytes = weights.meta.get("_file_size")  # rounded
    return PublishedFile(
        what="the published file",
        target=Path(downloads.folder) / "weights" / name,
        addresses=(*mirrors, weights.url),
        algorithm="sha256",
        digest=_hash_prefix(name),
        size=None,
        most=int(mebibytes * 1.1 * 2**20) if mebibytes else _MOST_BYTES,
        timeout=downloads.timeout,
        allow_http=downloads.allow_http,
    )


def _hash_prefix(name: str) -> str:
    """The beginning of the SHA-256 that torch.hub's naming convention puts into a file's name."""
    found = HASH_REGEX.search(name)
    if found is None or len(found[1]) < 8:
        raise ValueError(f"{name}: its name does not hold the beginning of its SHA-256")
    return found[1]


def _info(wanted: WantedWeights, path: Path, name: str, source: str | None) -> WeightsInfo:
    return WeightsInfo(
        key=wanted.key,
        model=wanted.model,
        path=str(path),
        bytes=path.stat().st_size,
        source=source,
        initial=InitialWeights(name=name, file=path.name, sha256=file_hash(path)),
    )


def _message(problems: list[tuple[WantedWeights, _Problem]]) -> str:
    lines = ["Initial weights could not be fetched:"]
    for wanted, problem in problems:
        lines.append(f"  {wanted.key} ({', '.join(wanted.asked_by)}):")
        lines += [f"    {reason}" for reason in problem.reasons]
    lines.append("Do one of these, then run the same command again:")
    published = [problem.published for _, problem in problems if problem.published is not None]
    if published:
        lines.append(f"  - put by hand into {published[0].target.parent.absolute()}:")
        lines += [
            f"      {file.target.name} (SHA-256 begins with {file.digest}): {file.addresses[-1]}"
            for file in published
        ]
        lines.append("  - set downloads.weights.mirrors to a folder of them that can be reached")
    if any(wanted.own_file for wanted, _ in problems):
        lines.append("  - replace it with a valid file, or name another under its key")
    lines += [
        "  - leave protocols with initial weights out of `protocols:`",
        "  - or run the study that needs neither network nor weights:",
        f"    {OFFLINE_COMMAND}",
    ]
    return "\n".join(lines)
