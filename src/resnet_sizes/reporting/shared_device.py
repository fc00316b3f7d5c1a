"""Whether minutes behind a verdict are of runs that had no device to themselves."""

from collections.abc import Sequence

from resnet_sizes.records.protocol import LAYERS
from resnet_sizes.records.verdicts import Verdict
from resnet_sizes.reporting.printed import PrintedValues


def rests_on_shared_times(verdicts: Sequence[Verdict], values: PrintedValues) -> bool:
    """Of the verdicts on one statement, one a reading."""
    keys = (
        f"{verdict.protocol}.{model}.minutes.mean"
        for verdict in verdicts
        for model in LAYERS
        if f"{verdict.protocol}.{model}.minutes.mean" in verdict.values.values()
    )
    return any(values.is_shared_time(key) for key in keys)
