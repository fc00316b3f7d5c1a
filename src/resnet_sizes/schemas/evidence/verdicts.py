"""Verdicts: what our data say of the article's claims."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from resnet_sizes.io.code_hash import evidence_code_hash
from resnet_sizes.io.hashes import canonical_json, content_hash
from resnet_sizes.io.plugins import LOADED
from resnet_sizes.schemas.article.claims.base import MOST_SEEDS, ConditionKind
from resnet_sizes.schemas.base import Record, Sealed, Sha256, Versioned
from resnet_sizes.schemas.hardware import load_devices
from resnet_sizes.schemas.run.run import Problem
from resnet_sizes.schemas.verification import PooledOrigin

VerdictName = Literal[
    "supported",
    "direction-only",  # what is said to be larger is, but not by as much as printed
    "contradicted",
    "within-noise",  # enough runs, and the difference is no larger than chance explains
    "not-enough-runs",
    "depends-on-the-yardstick",  # it holds by one way of measuring and fails by another
    "depends-on-the-reading",  # only of several readings together: they decide differently
    "decided-in-part",  # the same: some decide, alike, and others do not
    "not-comparable",  # other data, a part of them, or another protocol than the claim needs
    "not-testable",  # what a test would take is not in the article, so that no data can be one
    "true-by-construction",
    "not-run",
]

CONFIDENCE = 0.95
"""The level of every interval around numbers of ours."""

OutcomeName = Literal["supported", "contradicted", "open"]


def outcome_of(verdict: VerdictName) -> OutcomeName:
    """What a verdict comes to, for a count: what is supported in direction only is supported,
    and what decides nothing is open."""
    if verdict in ("supported", "direction-only"):
        return "supported"
    return "contradicted" if verdict == "contradicted" else "open"


Agreement = Literal[
    "readings-agree",
    "readings-heard-agree",  # all that are heard; others stand aside
    "readings-differ",
    "readings-open",  # some decide, alike, and the others do not
    "readings-undecided",  # none decides, each for a reason of its own
    "reading-excluded",  # by the article's minutes or memory, and there is no other
]
"""How several readings agree."""

Reason = Literal[
    "demo",  # the study says of itself that it is no test of the article
    "rule-holds",
    "rule-fails",
    "indistinct",  # neither the claim nor its opposite is beyond chance
    "inside-interval",
    "outside-interval",
    "outside-not-significant",  # outside the interval, as one of so many values may be
    "same-direction",  # outside the interval, on the side that the article says
    "interval-too-wide",  # the value is inside, but so would be others far from it
    "ratios-agree",
    "ratios-differ",
    "ratios-unclear",  # the interval of a ratio reaches across the tolerance
    "yardsticks-differ",
    "other-data",  # the content of the dataset is not one that the claim accepts
    "other-protocol",  # the protocol is not one that the claim accepts
    "subset",  # not all images
    "other-epochs",
    "other-iterations",
    "other-batch-size",
    "other-learning-rate",
    "device-not-stated",  # the article names no device, so minutes cannot be compared
    "other-device",
    "mixed-devices",  # minutes of several devices, or numbers of threads, would be compared
    "mixed-code",  # the runs come from several versions of the training code or of torch
    "computed-minutes",  # minutes that no device needed would be held against printed ones
    "models-missing",  # a model of the claim is not in the study
    "runs-missing",  # a run of the study is not finished or not valid
    "few-seeds",
    "no-increment",  # over an accuracy of zero there is none
    "construction",
    Agreement,
]

State = Literal[
    "finished",
    "missing",  # not begun, as far as its folder shows
    "failed",  # begun, and no results
    "invalid",  # results that are not used
]


class RunState(Record):
    """What became of one run of the study."""

    run: str = Field(description="protocol/model/seed-n")
    protocol: str
    model: str
    seed: int
    state: State
    kind: Problem | None = Field(None, description="Of an invalid run.")
    problem: str | None = Field(None, description="Why a failed or invalid run is not used.")


class Pairing(Record):
    """Two models of one seed on the same test images: McNemar's exact test."""

    seed: int
    first: str
    second: str
    only_first: int = Field(ge=0, description="Images that only the first model gets right.")
    only_second: int = Field(ge=0)
    p_value: float = Field(ge=0, le=1, description="Two-sided.")


class Comparison(Record):
    """One condition of a claim: a weighted sum of means over the seeds above a threshold."""

    kind: ConditionKind
    models: list[str] = Field(description="In the order in which the condition names them.")
    quantity: str = Field(description="`log_minutes` are natural logarithms.")
    weights: dict[str, float] = Field(description="By model.")
    threshold: float
    estimate: float = Field(description="The sum less the threshold; above 0 where it holds.")
    low: float | None
    """95 % interval of the estimate (Welch; of accuracies with the variance of the test images),
    not corrected for the number of tests; null of one run."""
    high: float | None
    p_value: float | None = Field(ge=0, le=1)
    """One-sided, against `at most zero`; null of one run."""
    pairings: list[Pairing] = Field(default_factory=list)
    """Of accuracies of two models, one per seed."""


class Prediction(Record):
    """A printed number beside ours, in its unit (percent, minutes)."""

    printed: str
    mean: float
    low: float | None = Field(description="95 % interval for one further run; null of one run.")
    high: float | None
    sampling_low: float | None
    """Wilson's 95 % interval of an accuracy, from the number of test images alone."""
    sampling_high: float | None


class RatioTest(Record):
    """A ratio of training times beside the printed one."""

    model: str
    base: str
    printed: float
    ours: float
    low: float | None = Field(description="95 % interval over the seeds; null of one run.")
    high: float | None
    by_macs: float = Field(description="The ratio of multiply-accumulates of one image.")


class Basis(Record):
    """The numbers that led to a verdict."""

    seeds: int = Field(ge=1, description="Of the model that has the fewest.")
    comparisons: list[Comparison] = Field(default_factory=list)
    prediction: Prediction | None = None
    ratios: list[RatioTest] = Field(default_factory=list)
    origins: list[int] = Field(default_factory=list)
    """How many of the seeds come from each origin, ours first; empty where all are ours."""
    seeds_holding: int | None = Field(None, ge=0)
    """In how many of the seeds that all of the models have the rule holds by itself: how stable
    an order, a Pareto front or a knee is; null of printed numbers."""
    probability: float | None = Field(None, ge=0, le=1)
    """Share of the bootstrap in which the rule holds."""
    p_value: float | None = Field(None, ge=0, le=1)
    """Two-sided, of the decision before the correction."""
    p_adjusted: float | None = Field(None, ge=0, le=1, description="After Holm's correction.")
    tests: int | None = Field(None, ge=1, description="How many tests were corrected together.")
    seeds_needed: int | None = Field(None, ge=2, le=MOST_SEEDS)
    """Seeds a model that would settle it; null where `MOST_SEEDS` would not."""
    needed_from: Literal["observed", "assumed", "minimum", "origins"] | None = None
    """Whether that number comes from the spread of these runs, from the article's, or is no more
    than what the claim asks for; or that more origins would settle it, not more seeds; null where
    more seeds are no matter."""


class Verdict(Record):
    """The verdict on one claim from the runs of one protocol."""

    id: str = Field(description="The claim's id in the article file.")
    rule: str
    protocol: str
    verdict: VerdictName
    reasons: list[Reason] = Field(min_length=1, description="Why, the weightiest first.")
    observed: bool | None = None
    """Whether the rule happens to hold in our data, also where that is no test of the article;
    null where it cannot be computed, the seeds disagree, the interval is too wide, or the
    minutes are of several devices."""
    values: dict[str, str] = Field(default_factory=dict)
    """The numbers that led to the verdict: role → key in values.json. A printed number has the
    roles `ours`, `article`, `low` and `high`; the other rules have `<model>.<quantity>` for each
    number that they compare."""
    basis: Basis | None = Field(None, description="Null where nothing could be computed.")


class Overall(Record):
    """The verdict on one claim from all readings of the study together."""

    id: str
    same_test_as: str | None = None
    """The id of an earlier claim that the same test decides; the two count once."""
    verdict: VerdictName
    reasons: list[Reason] = Field(min_length=1)
    agreement: Agreement | None
    """How the readings that take part agree; null where they say the same of the same numbers,
    so that the first of them speaks for all."""
    taking_part: list[str] = Field(min_length=1)
    """The readings that are heard, in the study's order."""
    excluded: list[str] = Field(default_factory=list)
    """Readings that would be heard, were they not excluded by the article's own minutes, or the
    memory of every device known."""
    readings: dict[str, VerdictName] = Field(description="By protocol, in the study's order.")


class Distance(Record):
    """How far one reading's results are from the article's; what cannot be compared is null."""

    protocol: str
    accuracy_points: float | None
    """Root mean square over the models, percentage points."""
    time_ratio: float | None
    """Root mean square of the natural logarithms of (our ratio of times to the first model / the
    printed one); 0.1 is about 10 %."""
    loss_order: int | None
    """How many of the claims on an order of losses do not hold on the means."""
    loss_claims: int = Field(ge=0, description="How many such claims there are.")
    rank_sum: float | None
    """Sum of the reading's ranks in the three; ties share the mean rank."""


Criterion = Literal["accuracy", "minutes", "trade-off"]


class Recommendation(Record):
    """The network that one reading's results recommend by one criterion."""

    protocol: str
    criterion: Criterion
    model: str | None = Field(description="Null where no network is the knee of the front.")
    firm: bool = Field(description="Whether it is the best beyond chance.")
    tested: bool = True
    """Whether there are as many seeds as a test asks for, and no run is missing."""
    rivals: list[str] = Field([], exclude_if=lambda rivals: not rivals)
    """The networks over which its lead cannot be told from chance, where these can be told from
    the others."""


FileName = Annotated[str, Field(pattern=r"^\w[\w.-]*$")]
"""The name of a file in the folder of the evidence: no path, which could lead out of it."""


class Verdicts(Versioned, Sealed):
    """`verdicts.json`, the last file of the evidence to be written."""

    study: str
    study_hash: str
    article_hash: Sha256 = Field(description="Content hash of the article file that was judged by.")
    made_from: Sha256 | None = None
    """Hash of the code and of the table of GPUs; null in older evidence."""
    demo: bool
    verdicts: list[Verdict]
    overall: list[Overall] = Field(description="One for each claim, in the article file's order.")
    distances: list[Distance] = Field(description="One for each reading; empty of a single one.")
    nearest: list[str]
    """The readings with the smallest sum of ranks; empty of a single reading."""
    recommendations: list[Recommendation] = Field(default_factory=list)
    """Of each reading, by accuracy, by time, and by both."""
    runs: list[RunState]
    unrequested: list[str]
    """Runs with results in the study's folder that it does not ask for."""
    pooled: list[PooledOrigin] = Field(default_factory=list)
    """Archives of others, in the order of the key `pool`, and what became of their runs."""
    outliers: list[str] = Field(default_factory=list)
    """Runs whose accuracy lies so far from those of their network's other seeds that a normal
    distribution, which intervals and tests suppose, does not explain it."""
    files: dict[FileName, Sha256]
    """Every other file of this evidence, by its name, with the SHA-256 of its bytes."""


def evidence_inputs(devices: Path) -> str:
    """`Verdicts.made_from` as it is now, with the table of GPUs in `devices`. Raises UserError."""
    made_from = [evidence_code_hash(), canonical_json(load_devices(devices))]
    return content_hash([*made_from, LOADED] if LOADED else made_from)
