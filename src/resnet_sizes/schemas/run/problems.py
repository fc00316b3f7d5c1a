"""What can be wrong with a file of results."""

from typing import Literal

from resnet_sizes.io.errors import UserError

Problem = Literal[
    "truncated",  # epochs are missing, or a file is cut off, damaged, or gone
    "other-schema",  # written by another version of this program
    "other-configuration",  # not the run that the study asks for
    "other-data",
    "inconsistent",  # the files of the run, or parts of one, contradict each other
    "not-finite",  # a loss or a logit is no finite number: the training has diverged
    "out-of-schema",  # a value is of a kind, or outside the bounds, that no result has
    "duplicated",  # another run has the same predictions, bit for bit
]


class RunProblem(UserError):
    """A file that is not used, with the kind of what is wrong with it."""

    def __init__(self, kind: Problem, message: str) -> None:
        super().__init__(message)
        self.kind: Problem = kind
