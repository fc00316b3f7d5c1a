"""Which of the minutes behind a verdict are computed, not measured, in words."""

from collections.abc import Sequence
from dataclasses import dataclass

from resnet_sizes.reporting.text.escaping import Safe
from resnet_sizes.reporting.text.printed import PrintedValues
from resnet_sizes.reporting.text.words import Words, model_name
from resnet_sizes.schemas.evidence.verdicts import Verdict
from resnet_sizes.schemas.study.protocol import LAYERS


@dataclass(frozen=True)
class ComputedMinutes:
    """Of one claim."""

    models: tuple[tuple[str, ...], ...] = ()
    """The models whose minutes are computed, of each reading that has minutes for it."""
    measured: bool = False
    """Whether any of its minutes are measured."""

    def __bool__(self) -> bool:
        return any(self.models)

    def clause(self, words: Words) -> Safe:
        """What is true of all its readings; only for a claim that has computed minutes."""
        if not self.measured:
            return words("computed.all")
        first = self.models[0]
        if any(models != first for models in self.models):
            return words(f"computed.readings.{'all' if all(self.models) else 'some'}")
        names = words.listed([model_name(model) for model in first])
        return words.counted("computed.some", len(first), models=names)


def computed_minutes(verdicts: Sequence[Verdict], values: PrintedValues) -> ComputedMinutes:
    """Of the verdicts on one claim, one a reading."""
    found = []
    measured = False
    for verdict in verdicts:
        keys = {model: f"{verdict.protocol}.{model}.minutes.mean" for model in LAYERS}
        of_reading = {m: key for m, key in keys.items() if key in verdict.values.values()}
        computed = tuple(m for m, key in of_reading.items() if values.is_computed_time(key))
        measured = measured or len(computed) < len(of_reading)
        if of_reading:
            found.append(computed)
    return ComputedMinutes(tuple(found), measured)
