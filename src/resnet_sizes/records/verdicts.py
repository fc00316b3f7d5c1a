"""Verdicts: what our data say of the article's statements."""

from typing import Literal

from pydantic import Field

from resnet_sizes.records.base import SCHEMA_VERSION, Record

VerdictName = Literal[
    "supported", "contradicted", "not-comparable", "not-enough-runs", "true-by-construction"
]

Reason = Literal[
    "demo",  # the study says of itself that it is no test of the article
    "rule-holds",  # in every seed
    "rule-fails",  # in every seed
    "seeds-disagree",
    "inside-interval",
    "outside-interval",
    "interval-too-wide",  # the value is inside, but so would be others far from it
    "other-data",  # the content of the dataset is not one that the statement accepts
    "subset",  # not all images
    "other-epochs",
    "other-batch-size",
    "other-learning-rate",
    "other-device",  # the article names no device, so minutes cannot be compared
    "mixed-devices",  # minutes of several devices, or numbers of threads, would be compared
    "mixed-code",  # the runs come from several versions of the training code or of torch
    "models-missing",  # a model of the statement is not in the study
    "runs-missing",  # a run of the study is not finished or not valid
    "few-seeds",
    "construction",
]


class Verdict(Record):
    """The verdict on one statement from the runs of one protocol."""

    id: str = Field(description="The statement's id in the ledger.")
    rule: str
    protocol: str
    verdict: VerdictName
    reasons: list[Reason] = Field(min_length=1, description="Why, the weightiest first.")
    observed: bool | None = Field(
        None,
        description="Whether the rule happens to hold in our data, also where that is no test of "
        "the article (not comparable, not enough runs); null where it cannot be computed, the "
        "seeds disagree, the interval is too wide, or the minutes are of several devices.",
    )
    values: dict[str, str] = Field(
        default_factory=dict,
        description="The numbers that led to the verdict: role → key in values.json. A printed "
        "number has the roles `ours`, `article`, `low` and `high`; the other rules have "
        "`<model>.<quantity>` for each number that they compare.",
    )


class RunState(Record):
    """What became of one run of the study."""

    run: str = Field(description="protocol/model/seed-n")
    protocol: str
    model: str
    seed: int
    state: Literal["finished", "missing", "invalid"]
    problem: str | None = Field(None, description="Why an invalid run is not used.")


class Verdicts(Record):
    """`verdicts.json`."""

    schema_version: Literal[1] = SCHEMA_VERSION
    study: str
    study_hash: str
    ledger_hash: str = Field(
        pattern=r"^[0-9a-f]{64}$", description="Content hash of the ledger that was judged by."
    )
    demo: bool
    verdicts: list[Verdict]
    runs: list[RunState]
