"""Whether minutes behind a verdict are of runs that had no device to themselves."""

from collections.abc import Sequence

from resnet_sizes.reporting.text.printed import PrintedValues
from resnet_sizes.schemas.evidence.verdicts import Verdict
from resnet_sizes.schemas.study.protocol import LAYERS


def rests_on_shared_times(verdicts: Sequence[Verdict], values: PrintedValues) -> bool:
    """Of the verdicts on one claim, one a reading."""
    keys = (
        f"{verdict.protocol}.{model}.minutes.mean"
        for verdict in verdicts
        for model in LAYERS
        if f"{verdict.protocol}.{model}.minutes.mean" in verdict.values.values()
    )
    return any(values.is_shared_time(key) for key in keys)
