"""What became of each run of a study."""

from typing import Literal

from pydantic import Field

from resnet_sizes.schemas.base import Record

State = Literal[
    "finished",
    "missing",  # not begun, as far as its folder shows
    "failed",  # begun, and no results
    "invalid",  # results that are not used
]

Problem = Literal[
    "truncated",  # epochs are missing, or a file is cut off, damaged, or gone
    "other-schema",  # written by another version of this program
    "other-configuration",  # not the run that the study asks for
    "other-data",
    "inconsistent",  # the files of the run contradict each other
    "duplicated",  # another run has the same predictions, bit for bit, or the same hash
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
