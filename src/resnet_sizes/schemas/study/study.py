"""The study: the whole configuration, resolved and checked."""

from typing import Annotated, Any, Final, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from resnet_sizes.io.messages import did_you_mean, shown_text
from resnet_sizes.schemas.base import MOST, Distinct, Number, Record
from resnet_sizes.schemas.study.networks import NETWORKS, ModelName, OwnNetworks
from resnet_sizes.schemas.study.protocol import TORCHVISION_WEIGHTS, Language, Protocol
from resnet_sizes.schemas.study.sources import DatasetSpec, Downloads

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
"""Letters, digits, `.`, `_`, `-`: a name that is safe in a path and on a command line."""

Seed = Annotated[int, Field(ge=0, lt=2**32)]

SeedList = Annotated[Distinct[Seed], Field(min_length=1)]

DEFAULT: Final = "default"
"""Whose seeds are those of each protocol that is not named."""

Seeds = Annotated[
    Annotated[SeedList, Tag("list[int]")] | Annotated[dict[str, SeedList], Tag("dict[str,list]")],
    # Told apart by their shape, so that an error is about the one that was written.
    Discriminator(lambda seeds: "dict[str,list]" if isinstance(seeds, dict) else "list[int]"),
]

RESERVED_NAMES = frozenset({
    "study", "data", "hardware", "versions", "made", "article", "verdict", "outcome", "layers",
    "parameters", "audit", "distances", "judging", "method", "reading", "pool",
})  # fmt: skip
"""Beginnings of the keys of values.json, which no protocol may have as its name."""

EngineChoice = Literal["auto", "quarto", "pandoc"]
ReportFormat = Literal["html", "pdf", "docx", "latex", "jats"]


class TrainingSpec(Record):
    """What is the same for every run of the study."""

    epochs: int | None = Field(50, ge=1, le=MOST)
    """Passes over the training images; null where `iterations` says how long."""
    iterations: int | None = Field(None, ge=1, le=MOST, exclude_if=lambda given: given is None)
    """Steps of the optimiser, in place of `epochs`: the last epoch may be a part of one.
    `milestones` are in the same unit."""
    validation: int = Field(0, ge=0, le=MOST, exclude_if=lambda given: given == 0)
    """Training images that are held out: as many of each class, drawn by `dataset.subset_seed`.
    They are not trained on, and decide nothing; each run tells its accuracy on them."""
    batch_size: int = Field(256, ge=2, le=MOST, description="Images a step.")
    learning_rate: Number = Field(0.0005, gt=0, description="Learning rate of the optimiser.")
    evaluation_batch_size: int = Field(1000, ge=1, le=MOST)
    """Images a step of the evaluation at 32 pixels, and fewer at larger sizes: decides speed and
    memory, and results to rounding."""
    gradient_accumulation: int = Field(1, ge=1, le=MOST)
    """Parts into which each batch is split where memory is short. The gradient is that of the
    whole batch, to rounding; batch normalisation in train mode sees the parts."""
    feature_cache: bool = True
    """Whether the features of a frozen backbone are computed once and kept, where that is exact."""
    compile: Literal["none", "cuda-graph", "default", "reduce-overhead", "auto"] = "none"
    """`cuda-graph` records the training step and replays it, on a GPU, for steps whose kernels
    take no longer than launching them; it compiles nothing. `default` and `reduce-overhead` are
    modes of `torch.compile`. `auto` is `cuda-graph` where that helps on the device, and
    `run.json` says what it was."""
    deterministic: bool = True
    """Whether only deterministic kernels are used: equal seed, device and versions, and on a CPU
    equal `threads`, then give equal results, bit by bit."""
    device: str = Field("auto", pattern=r"^(auto|cpu|mps|cuda|cuda:\d+)$")
    """`auto` takes CUDA, then MPS, then the CPU; or `cpu`, `mps`, `cuda`. Each run takes the
    first free of the GPUs that it may use; `cuda:1` means the second of them."""
    threads: Annotated[int, Field(ge=1, le=4096)] | Literal["auto"] = "auto"
    """CPU threads of a run; `auto` takes its share of `--cores`, so that another `--cores` gives
    other last digits on a CPU. `metrics.json` and the report name them."""
    checkpoint_minutes: Number = Field(10.0, ge=0, le=1440)
    """Minutes between two checkpoints within an epoch: what a kill costs at most. Decides no
    result."""
    keep_weights: bool = False
    """Whether the trained weights are kept beside each run's results, with a model card. Runs whose
    results are there without them are trained again."""
    watchdog_minutes: Number = Field(30.0, ge=0.1, le=10080)
    """Minutes without a finished step after which a run is taken to hang and is ended. Decides
    no result."""

    @model_validator(mode="before")
    @classmethod
    def _has_one_length(cls, data: Any) -> Any:
        if isinstance(data, dict) and data.get("iterations") is not None:
            if data.get("epochs") is not None:
                raise ValueError("epochs: are given, and iterations too. Delete one of them")
            return data | {"epochs": None}
        if isinstance(data, dict) and data.get("epochs", 1) is None:
            raise ValueError("epochs: is null, and there are no iterations. Give one of them")
        return data


REPORT_FILES: dict[ReportFormat, str] = {
    "html": "report.html", "pdf": "report.pdf", "docx": "report.docx",
    "latex": "report-latex.zip", "jats": "report.xml",
}  # fmt: skip
"""The file of each format."""


class ReportSpec(Record):
    """What the report should be."""

    languages: Distinct[Language] = Field([])
    """Languages of the report, `pt` and `en`; where there are both, each page leads to the other.
    Without any they are those of the article's file."""
    formats: Distinct[ReportFormat] = Field(["html", "pdf"], min_length=1)
    """Formats of the report. For a submission there are `docx`, for word processors; `latex`, a zip
    with a LaTeX project and the `metadata.yaml` of ReScience C; and `jats`, XML for journals."""
    engine: EngineChoice = "auto"
    """`quarto`, or `pandoc` (the embedded engine: pandoc and typst from PyPI); `auto` takes
    Quarto where it runs, and the embedded engine where it fails."""


class Study(Record):
    """The whole configuration of a study."""

    name: Name = Field("article", description="Name of the study; results go to `results/<name>/`.")
    demo: bool = False
    """Whether this study only shows that the pipeline works: its report says so on its first
    screen and draws no conclusion on the article."""
    article: str = Field("articles/santos-2024/article.yaml", min_length=1)
    """The article file: what the article printed, said, and left open."""
    devices: str = Field("config/devices.yaml", min_length=1)
    """Speeds and memory of GPUs, for the audit of the article's minutes."""
    dataset: DatasetSpec = Field(default_factory=DatasetSpec, description="The images.")
    networks: OwnNetworks = Field({}, exclude_if=lambda own: not own)
    """Networks of your own, by the names that `models` may then have."""
    models: Distinct[ModelName] = Field(
        ["resnet18", "resnet50", "resnet152"],
        min_length=1,
        description=f"The networks to compare: of {', '.join(NETWORKS)}, and of `networks`.",
    )
    protocols: Distinct[str] = Field(min_length=1)
    """Names from `protocol_definitions`; the first gives Table 1 and Figure 1."""
    seeds: Seeds = Field([0, 1, 2])
    """One run per model and protocol for each seed. A mapping from names of protocols to lists
    gives some of them seeds of their own; `default` holds those of the others."""
    pool: Distinct[str] = Field([])
    """Archives of others (`resnet-sizes archive`), each verified first. Their runs of equal
    settings and equal images count as further seeds, except where the seed is there already."""
    training: TrainingSpec = Field(default_factory=TrainingSpec)
    """What is the same for every run."""
    protocol_definitions: dict[Name, Protocol]
    """The readings of what the article did, by name."""
    downloads: Downloads = Field(default_factory=Downloads)
    """What is fetched, and where it is put."""
    report: ReportSpec = Field(default_factory=ReportSpec, description="What the report should be.")

    @model_validator(mode="after")
    def _graphs_take_whole_batches(self) -> "Study":
        training = self.training
        if training.compile == "reduce-overhead" and training.gradient_accumulation > 1:
            raise ValueError(
                "training.compile is 'reduce-overhead' and training.gradient_accumulation is "
                f"{training.gradient_accumulation}: a recorded CUDA graph loses the gradients of "
                "one part when the next begins. Set compile to none, default or auto, or "
                "gradient_accumulation to 1"
            )
        return self

    @model_validator(mode="after")
    def _protocols_are_defined(self) -> "Study":
        if taken := sorted(RESERVED_NAMES & set(self.protocol_definitions)):
            raise ValueError(
                f"protocol_definitions: {', '.join(taken)} cannot be the name of a protocol, "
                f"since values.json uses it. Taken: {', '.join(sorted(RESERVED_NAMES))}"
            )
        for name in self.protocols:
            if name not in self.protocol_definitions:
                raise ValueError(
                    f"protocols: {name!r} is not defined; allowed: "
                    f"{', '.join(sorted(self.protocol_definitions))}. Name one of these, or "
                    "define it under protocol_definitions"
                )
        return self

    @model_validator(mode="after")
    def _seeds_are_of_its_protocols(self) -> "Study":
        if isinstance(self.seeds, list):
            return self
        allowed = [DEFAULT, *self.protocols]
        for name in (each for each in self.seeds if each not in allowed):
            if name in self.protocol_definitions:
                raise ValueError(
                    f"seeds.{name}: the study does not train this protocol; it trains: "
                    f"{', '.join(self.protocols)}. Add {name} to protocols, or delete seeds.{name}"
                )
            raise ValueError(
                f"seeds: {shown_text(repr(name))} is no protocol; allowed: {', '.join(allowed)}."
                f"{did_you_mean(name, allowed)} Name one of these"
            )
        without = [name for name in self.protocols if name not in self.seeds]
        if without and DEFAULT not in self.seeds:
            raise ValueError(
                f"seeds: has none for {', '.join(without)}, and no {DEFAULT}. Set "
                f"seeds.{without[0]}, or seeds.{DEFAULT} for all that are not named"
            )
        return self

    def seeds_of(self, protocol: str) -> list[int]:
        """The seeds of a protocol that the study trains, in the study's order."""
        if isinstance(self.seeds, list):
            return self.seeds
        return self.seeds.get(protocol) or self.seeds[DEFAULT]

    @property
    def has_same_seeds(self) -> bool:
        """Whether all of its protocols have the same ones."""
        return len({tuple(self.seeds_of(name)) for name in self.protocols}) == 1

    @model_validator(mode="after")
    def _networks_can_be_so(self) -> "Study":
        for name in self.protocols:
            for model in self.models:
                recipe, known = self.protocol_definitions[name].recipe_for(model), NETWORKS[model]
                weights, versions = recipe.weights, known.weights or ("none",)
                is_there = weights in versions or (weights == "default" and known.weights)
                if weights in TORCHVISION_WEIGHTS and not is_there:
                    raise ValueError(
                        f"protocol_definitions.{name}.weights: is {weights!r}, but torchvision "
                        f"has no such weights for {model}; it has: {', '.join(versions)}. Set "
                        f"weights to {'default' if known.weights else 'none'}, or "
                        f"per_model.{model}.weights to {versions[-1]}"
                    )
                length = self.training.iterations or self.training.epochs or 0
                warm = recipe.warmup and self.training.iterations and recipe.warmup.steps
                for key, given in (
                    ("milestones", recipe.milestones),
                    ("warmup.steps", [warm or 0]),
                ):
                    if late := [str(each) for each in given if each >= length]:
                        raise ValueError(
                            f"protocol_definitions.{name}.{key}: {', '.join(late)} is not before "
                            f"the end, {length}. Change it, or training"
                        )
                if known.stems and recipe.stem not in known.stems:
                    raise ValueError(
                        f"protocol_definitions.{name}.stem: is {recipe.stem!r}, but {model} has "
                        f"{known.stems[0]!r} alone. Set stem to it, or per_model.{model}.stem"
                    )
        return self
