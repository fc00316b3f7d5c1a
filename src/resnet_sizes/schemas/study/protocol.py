"""A protocol: one complete reading of what the article did."""

from operator import not_
from typing import Annotated, Literal

from pydantic import Field, create_model, model_validator

from resnet_sizes.schemas.base import MOST, Distinct, Number, Record
from resnet_sizes.schemas.study.networks import NETWORKS, Stem
from resnet_sizes.schemas.study.networks import ModelName as ModelName  # noqa: PLC0414
from resnet_sizes.schemas.study.networks import by_depth as by_depth  # noqa: PLC0414
from resnet_sizes.schemas.study.networks import display_name as display_name  # noqa: PLC0414
from resnet_sizes.schemas.study.networks import shallowest as shallowest  # noqa: PLC0414
from resnet_sizes.schemas.study.schedules import SCHEDULES, ScheduleName, WarmUp

LAYERS = {name: network.depth for name, network in NETWORKS.items()}
"""Depths under the name by which values.json gives their source, in older results too."""

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
    stem: Stem = "imagenet"
    """First layers: `imagenet` (7×7, stride 2, max-pool) or `cifar` (3×3, stride 1, no max-pool),
    which the networks for CIFAR-10 have anyway. Networks of your own have theirs."""
    normalisation: Literal["imagenet", "cifar10", "half"] = "cifar10"
    """Channel means and deviations: ImageNet's, CIFAR-10's, or 0.5 for all."""
    augmentation: Literal["none", "flip-crop"] = "none"
    """`flip-crop`: a random mirror image, a random crop after padding by 4 pixels."""
    optimizer: Literal["adam", "adamw", "sgd"] = Field("adam", description="Optimiser.")
    momentum: Number = Field(0.9, ge=0, lt=1)
    """Momentum of `sgd`; the others ignore it."""
    weight_decay: Number = Field(0.0, ge=0, description="Weight decay.")
    schedule: ScheduleName = Field("constant", json_schema_extra={"enum": list(SCHEDULES)})
    """Learning rate over the training: `cosine` falls to zero from epoch to epoch; `steps` is
    multiplied by `factor` at each of `milestones`."""
    milestones: Distinct[Annotated[int, Field(ge=1, le=MOST)]] = Field([], exclude_if=not_)
    """Of `steps`: the epochs after which the learning rate changes; or iterations, where
    `training.iterations` is given."""
    factor: Number = Field(0.1, gt=0, le=1, exclude_if=lambda given: given == 0.1)
    """Of `steps`: by what the learning rate is multiplied."""
    warmup: WarmUp | None = Field(None, exclude_if=lambda given: given is None)
    """Another learning rate at the beginning."""
    precision: Literal["fp32", "tf32", "bf16", "fp16", "auto"] = "fp32"
    """Number format of the forward and backward passes. `fp32` uses no TF32; `tf32` multiplies
    numbers of fp32 in it, from NVIDIA's Ampere on. `auto` takes the fastest that the device
    computes in hardware, and `run.json` says which. Of several GPUs that a run may take, the one
    with the lowest compute capability decides for all runs; hide it with CUDA_VISIBLE_DEVICES to
    let another decide."""


def _absent(given: object) -> bool:
    return given is None


RecipeChanges = create_model(  # type: ignore[call-overload]
    "RecipeChanges",
    __base__=Record,
    __doc__="What differs from the protocol for one model; keys left out stay as they are.",
    # The same fields with the same bounds, which may be left out.
    **{
        name: (
            field.rebuild_annotation() | None,
            Field(None, description=field.description, exclude_if=field.exclude_if and _absent),
        )
        for name, field in TrainingRecipe.model_fields.items()
    },
)


Language = Literal["pt", "en"]


class Description(Record):
    """A text in each language of the report, or in one alone."""

    pt: str | None = Field(None, pattern=r"\S", description="Portuguese.")
    en: str | None = Field(None, pattern=r"\S", description="English.")


class Protocol(TrainingRecipe):
    """A recipe with a sentence that describes it and, where they differ, changes by model."""

    description: Description = Field(description="One sentence per language, for the report.")
    per_model: dict[ModelName, RecipeChanges] = Field(default_factory=dict)
    """Keys of this protocol that differ for one model."""

    def recipe_for(self, model: str) -> TrainingRecipe:
        """The complete recipe of one model."""
        recipe = self.model_dump(include=set(TrainingRecipe.model_fields))
        if (changes := self.per_model.get(model)) is not None:
            recipe |= changes.model_dump(exclude_none=True)
        return TrainingRecipe.model_validate(recipe)

    @model_validator(mode="after")
    def _recipes_are_possible(self) -> "Protocol":
        # A problem of all networks is reported once; one of a network's own recipe names it.
        for model in ("", *self.per_model):
            recipe = self.recipe_for(model)
            where = f" (per_model.{model})" if model else ""
            if recipe.trainable == "head" and recipe.weights == "none":
                raise ValueError(
                    f"trainable is 'head' but weights is 'none'{where}: only the last layer of a "
                    "random network would learn. Set weights to V1, V2, default or a file, or "
                    "trainable to all"
                )
            in_steps, steps = recipe.schedule == "steps", len(recipe.milestones)
            if in_steps != bool(steps) or (recipe.factor != 0.1 and not in_steps):
                raise ValueError(
                    f"schedule is {recipe.schedule!r} but milestones has {steps or 'none'}, and "
                    f"factor is {recipe.factor:g}{where}: they belong to 'steps'. Give milestones, "
                    "or set schedule to constant, milestones to [] and factor to 0.1"
                )
            if recipe.stem == "cifar" and recipe.weights in TORCHVISION_WEIGHTS:
                raise ValueError(
                    f"stem is 'cifar' but weights is {recipe.weights!r}{where}: torchvision's "
                    "weights are for the 'imagenet' stem (7×7). Set stem to imagenet, or weights "
                    "to none or a file of your own"
                )
        return self
