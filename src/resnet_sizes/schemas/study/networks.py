"""The networks: all that depends on which network it is asks its entry, in `networks.yaml` or, of
one of the user's own, in the configuration."""

import sys
from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from pathlib import Path
from runpy import run_path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from resnet_sizes.io.errors import UserError
from resnet_sizes.io.hashes import file_hash
from resnet_sizes.io.messages import looked_in
from resnet_sizes.io.own_code import explained, missing_in
from resnet_sizes.io.yaml import parse_yaml
from resnet_sizes.schemas.base import Record, Sha256, all_different, one_of

Stem = Literal["imagenet", "cifar"]


class Network(Record):
    """What is known of a network."""

    label: str = Field(max_length=40, pattern=r"^[^\W\d_]((?: ?[\w.,+×()-])* ?[\w)])?$")
    """Its name in tables and figures, a letter first: letters, digits, blanks and `.,+×()-_`."""
    depth: int = Field(ge=1, le=100_000)
    """Its layers, as He et al. (2015) count them: convolutions of the main path and the last layer.
    Networks are sorted by it; several may have the same."""
    build: str = Field(pattern=r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*$")
    """`module:function`, the module of your own in the working directory: `config.mine:build` is
    in `config/mine.py`. Called with `num_classes`, it gives a torch module that takes float images
    `[N, 3, S, S]` and gives logits `[N, num_classes]`."""
    head: str = Field("fc", pattern=r"^[A-Za-z_]\w*$")
    """Name of its last layer, a `torch.nn.Linear`: what `trainable: head` trains."""
    weights: list[Literal["V1", "V2"]] = Field([], description="torchvision's, oldest first.")
    stems: list[Stem] = Field([], description="What `stem` may be; none where it has no effect.")
    sha256: Sha256 | None = None
    """Of the file of a network of your own, set when it is read: another content trains again.
    What the file imports is not in it."""

    @property
    def file(self) -> Path:
        """The module of a network of the user's own."""
        return Path(*self.build.partition(":")[0].split(".")).with_suffix(".py")

    def builder(self) -> Callable[..., Any]:
        """What builds it; its module is imported now. Raises UserError for one of the user's own
        that is missing, not that of the run, or fails."""
        (module, _, function), file = self.build.partition(":"), self.file
        if not self.sha256:
            return getattr(import_module(module), function)  # type: ignore[no-any-return]
        if not file.is_file() or file_hash(file) != self.sha256:
            raise UserError(
                f"networks: {file} is not there, or not what it was when the run was planned "
                f"({looked_in()}). Run snakemake again"
            )
        sys.path.append(str(file.absolute().parent))  # for what it imports
        with explained(file, "networks"):
            return partial(_built, run_path(str(file))[function])


def _built(build: Callable[..., Any], num_classes: int) -> Any:
    """A network of the user's own. Images, weights and maps lie in memory as PyTorch makes them,
    whatever is fastest for ours: `view` refuses another order."""
    network = build(num_classes=num_classes)
    if next(network.parameters(), None) is None:
        raise ValueError("it has no parameters, so there is nothing to train")
    network.register_forward_pre_hook(lambda _, given: tuple(each.contiguous() for each in given))
    for layer in network.modules():
        if type(layer).__name__ == "Conv2d":  # which has shorter forms with other maps
            layer.register_forward_hook(lambda _, given, maps: maps.contiguous())
    move = network.to
    network.to = lambda *to, memory_format=None, **how: move(*to, **how) if to or how else network
    return network


NETWORKS: dict[str, Network] = {
    name: Network.model_validate(entry)
    for name, entry in parse_yaml(Path(__file__).with_suffix(".yaml").read_text("utf-8")).items()
}
"""By their names: those that come along, and those of studies that have been read."""


def _registered(networks: dict[str, Network]) -> dict[str, Network]:
    """Networks of the user's own, known by their names from now on, each with its file's hash."""
    found = {}
    for name, own in networks.items():
        if name in _SHIPPED or own.label in _SHIPPED.values():
            raise ValueError(f"{name}: name or label is that of another network. Choose another")
        NETWORKS[name] = own  # what names it elsewhere is no second mistake
        if not own.sha256 and not own.file.is_file():
            raise ValueError(
                f"{name}.build: there is no {own.file} ({looked_in()}). Put it there, or change it"
            )
        if not own.sha256 and (problem := missing_in(own.file, own.build.partition(":")[2])):
            raise ValueError(f"{name}.build: {problem} Correct the file, or change build")
        digest = own.sha256 or file_hash(own.file)
        found[name] = own.model_copy(update={"sha256": digest})
    all_different([own.label for own in found.values()])
    NETWORKS.update(found)
    return found


_SHIPPED = {name: network.label for name, network in NETWORKS.items()}

ModelName = Annotated[str, AfterValidator(lambda name: one_of(name, NETWORKS))]
"""The name of a network: of one that comes along, or of one of a study that has been read."""

NetworkName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,39}$")]

OwnNetworks = Annotated[dict[NetworkName, Network], AfterValidator(_registered)]


def depth_of(model: str) -> int:
    """The layers of a network."""
    return NETWORKS[model].depth


def by_depth(models: Sequence[str]) -> list[str]:
    """Models from shallow to deep, those of the same depth by their names."""
    return sorted(models, key=lambda model: (depth_of(model), model))


def shallowest(models: Sequence[str]) -> str:
    """The model with the fewest layers, over which increments and ratios are."""
    return by_depth(models)[0]


def display_name(model: str) -> str:
    """As a table or a legend names a model: `ResNet-18`."""
    return NETWORKS[model].label
