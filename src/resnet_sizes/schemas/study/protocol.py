"""A protocol: one complete reading of what the article did."""

from collections.abc import Sequence
from typing import Literal, get_args

from pydantic import Field, create_model, model_validator

from resnet_sizes.schemas.base import Number, Record

ModelName = Literal["resnet18", "resnet34", "resnet50", "resnet101", "resnet152"]

LAYERS: dict[str, int] = {name: int(name.removeprefix("resnet")) for name in get_args(ModelName)}
"""Depth as He et al. (2015) count it: convolutions of the main path and the last layer."""


def shallowest(models: Sequence[str]) -> str:
    """The model with the fewest layers, over which increments and ratios are."""
    return min(models, key=LAYERS.__getitem__)


def by_depth(models: Sequence[str]) -> list[str]:
    """Models from shallow to deep."""
    return sorted(models, key=LAYERS.__getitem__)


def display_name(model: str) -> str:
    """As a table or a legend names a model: `ResNet-18`."""
    return f"ResNet-{LAYERS[model]}"


WEIGHTS_VERSIONS: dict[str, tuple[str, ...]] = {
    name: ("V1", "V2") if layers >= 50 else ("V1",) for name, layers in LAYERS.items()
}
"""torchvision's ImageNet weights of each network, oldest first; `default` is the last."""

TORCHVISION_WEIGHTS = ("V1", "V2", "default")
"""Values of `weights` that mean torchvision's own files."""


class TrainingRecipe(Record):
    """How one model is initialised, prepared, and trained."""

    weights: str = Field("none", min_length=1)
    """Initial weights: `none` (random), torchvision's `V1`, `V2` or `default`, or the path of a
    state dict."""
    trainable: Literal["all", "head"] = "all"
    """What is trained: every parameter, or the last layer alone."""
    frozen_batch_norm: Literal["eval", "train"] = "eval"
    """Mode of the batch normalisation in a frozen backbone."""
    input_size: int = Field(32, ge=32, le=512)
    """Side in pixels to which the images are brought."""
    stem: Literal["imagenet", "cifar"] = "imagenet"
    """First layers: `imagenet` (7×7, stride 2, max-pool) or `cifar` (3×3, stride 1, no
    max-pool)."""
    normalisation: Literal["imagenet", "cifar10", "half"] = "cifar10"
    """Channel means and deviations: ImageNet's, CIFAR-10's, or 0.5 for all."""
    augmentation: Literal["none", "flip-crop"] = "none"
    """`flip-crop`: a random mirror image, a random crop after padding by 4 pixels."""
    optimizer: Literal["adam", "adamw", "sgd"] = Field("adam", description="Optimiser.")
    momentum: Number = Field(0.9, ge=0, lt=1)
    """Momentum of `sgd`; the others ignore it."""
    weight_decay: Number = Field(0.0, ge=0, description="Weight decay.")
    schedule: Literal["constant", "cosine"] = "constant"
    """Learning rate over the epochs."""
    precision: Literal["fp32", "tf32", "bf16", "fp16", "auto"] = "fp32"
    """Number format of the forward and backward passes. `fp32` uses no TF32; `tf32` multiplies
    numbers of fp32 in it, from NVIDIA's Ampere on. `auto` takes the fastest that the device
    computes in hardware, and `run.json` says which. Of several GPUs that a run may take, the one
    with the lowest compute capability decides for all runs; hide it with CUDA_VISIBLE_DEVICES to
    let another decide."""


RecipeChanges = create_model(  # type: ignore[call-overload]
    "RecipeChanges",
    __base__=Record,
    __doc__="What differs from the protocol for one model; keys left out stay as they are.",
    # The same fields with the same bounds, which may be left out.
    **{
        name: (field.rebuild_annotation() | None, Field(None, description=field.description))
        for name, field in TrainingRecipe.model_fields.items()
    },
)


Language = Literal["pt", "en"]


class Description(Record):
    """A text in each language of the report, or in one alone."""

    pt: str | None = Field(None, min_length=1, description="Portuguese.")
    en: str | None = Field(None, min_length=1, description="English.")


class Protocol(TrainingRecipe):
    """A recipe with a sentence that describes it and, where they differ, changes by model."""

    description: Description = Field(description="One sentence per language, for the report.")
    per_model: dict[ModelName, RecipeChanges] = Field(default_factory=dict)
    """Keys of this protocol that differ for one model."""

    def recipe_for(self, model: str) -> TrainingRecipe:
        """The complete recipe of one model."""
        recipe = self.model_dump(include=set(TrainingRecipe.model_fields))
        changes = self.per_model.get(model)  # type: ignore[call-overload]
        if changes is not None:
            recipe |= changes.model_dump(exclude_none=True)
        return TrainingRecipe.model_validate(recipe)

    @model_validator(mode="after")
    def _recipes_are_possible(self) -> "Protocol":
        for model in LAYERS:
            recipe = self.recipe_for(model)
            # A problem of all networks is reported once; one of a network's own recipe names it.
            where = f" (per_model.{model})" if model in self.per_model else ""
            if recipe.trainable == "head" and recipe.weights == "none":
                raise ValueError(
                    f"trainable is 'head' but weights is 'none'{where}: only the last layer of a "
                    "random network would learn. Set weights to V1, V2, default or a file, or "
                    "trainable to all"
                )
            if recipe.stem == "cifar" and recipe.weights in TORCHVISION_WEIGHTS:
                raise ValueError(
                    f"stem is 'cifar' but weights is {recipe.weights!r}{where}: torchvision's "
                    "weights are for the 'imagenet' stem (7×7). Set stem to imagenet, or weights "
                    "to none or a file of your own"
                )
        return self
