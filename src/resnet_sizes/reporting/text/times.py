"""Training times in words: measured, computed where features were kept, or of shared devices."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from resnet_sizes.i18n.numbers import ratio_digits, rounded
from resnet_sizes.reporting.text.context import ReportContext
from resnet_sizes.reporting.text.escaping import Safe
from resnet_sizes.reporting.text.printed import PrintedValues
from resnet_sizes.reporting.text.words import Words
from resnet_sizes.schemas.evidence.verdicts import Verdict
from resnet_sizes.schemas.study.protocol import LAYERS, display_name


class Times:
    """The training times of one protocol's models."""

    def __init__(self, report: ReportContext, protocol: str) -> None:
        self._report = report
        self._values = report.values
        self._words = report.words
        self.protocol = protocol

    @property
    def finished(self) -> list[str]:
        """The models that have results, from shallow to deep."""
        return [model for model in self._report.models if self._has(model, "accuracy.mean")]

    def _key(self, model: str, quantity: str) -> str:
        return f"{self.protocol}.{model}.{quantity}"

    def _has(self, model: str, quantity: str) -> bool:
        return self._values.has(self._key(model, quantity))

    def _value(self, model: str, quantity: str, digits: int | None = None) -> Safe:
        return self._values.value(self._key(model, quantity), digits)

    def _number(self, model: str, quantity: str) -> float:
        return self._values.number(self._key(model, quantity))

    def are_computed(self, *models: str) -> bool:
        """Whether the times of any of these models are computed."""
        keys = [self._key(model, "minutes.mean") for model in models]
        return any(self._values.has(key) and self._values.is_computed_time(key) for key in keys)

    @property
    def has_computed(self) -> bool:
        """Whether the times of any model are computed."""
        return self.are_computed(*self._report.models)

    @property
    def shared(self) -> Safe | None:
        """The networks with runs that shared their device, and how many of them; None without."""
        items = [
            self._words.counted(
                "shared-device.item",
                int(self._number(model, "runs")),
                model=display_name(model),
                shared=self._value(model, "shared_runs"),
                runs=self._value(model, "runs"),
            )
            for model in self._report.models
            if self._has(model, "shared_runs")
        ]
        return self._words.listed(items) if items else None

    def of_model(self, model: str) -> Safe:
        """The end of a sentence on a finished model: how long its training took."""
        minutes = self._value(model, "minutes.mean")
        runs = int(self._number(model, "runs"))
        if not self.are_computed(model):
            return self._words.counted("results.trained.measured", runs, minutes=minutes)
        measured = self._value(model, "measured_minutes.mean")
        return self._words.counted(
            "results.trained.computed", runs, minutes=minutes, measured=measured
        )

    def of_pair(self, model: str, base: str) -> Safe:
        """The end of a sentence that sets a model against `base`."""
        if not self._has(model, "minutes_ratio"):  # times of different devices have no ratio
            return self._words("results.time.none")
        computed = [name for name in (base, model) if self.are_computed(name)]
        form = ("ratio", "one-computed", "computed")[len(computed)]
        return self._words(
            f"results.time.{form}",
            times=self._as_long_as(model, base),
            model=self._words.listed([display_name(name) for name in computed]),
        )

    def _as_long_as(self, model: str, base: str) -> Safe:
        """How many times as long as `base` a model takes, or that what is printed is the same."""
        ratio = self._number(model, "minutes_ratio")
        digits = ratio_digits(ratio, usual=1)
        if rounded(ratio, digits) == 1:
            return self._words("results.times.equal", base=display_name(base))
        number = self._value(model, "minutes_ratio", digits)
        return self._words("results.times.ratio", ratio=number, base=display_name(base))

    @property
    def ratios(self) -> Safe | None:
        """Our ratios of times beside the article's, where a time is computed.

        None where the article has none over the same network, or we have none.
        """
        base, *deeper = self._report.models
        # Ours are over the study's shallowest network, the article's over its first row.
        if not self.has_computed or self._article_ratio(base) != 1:
            return None
        items = [
            self._words(
                "results.ratio-item",
                model=display_name(model),
                article=self._values.value(f"article.{model}.minutes_ratio", digits=2),
                ours=self._value(
                    model, "minutes_ratio", ratio_digits(self._number(model, "minutes_ratio"), 2)
                ),
            )
            for model in deeper
            if self._article_ratio(model) is not None and self._has(model, "minutes_ratio")
        ]
        if not items:
            return None
        return self._words("results.ratios", base=display_name(base), items=Safe("; ".join(items)))

    def _article_ratio(self, model: str) -> float | None:
        key = f"article.{model}.minutes_ratio"
        return self._values.number(key) if self._values.has(key) else None


@dataclass(frozen=True)
class ComputedMinutes:
    """Which of the minutes behind the verdicts on one claim are computed, not measured."""

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
        names = words.listed([display_name(model) for model in first])
        return words.counted("computed.some", len(first), models=names)


def computed_minutes(verdicts: Sequence[Verdict], values: PrintedValues) -> ComputedMinutes:
    """What computed minutes the verdicts on one claim rest on; one verdict per reading."""
    found, measured = [], False
    for verdict in verdicts:
        of_reading = dict(_minutes_behind(verdict))
        computed = tuple(m for m, key in of_reading.items() if values.is_computed_time(key))
        measured = measured or len(computed) < len(of_reading)
        if of_reading:
            found.append(computed)
    return ComputedMinutes(tuple(found), measured)


def rests_on_shared_times(verdicts: Sequence[Verdict], values: PrintedValues) -> bool:
    """Whether minutes behind the verdicts on one claim are of runs that shared their device."""
    return any(
        values.is_shared_time(key) for verdict in verdicts for _, key in _minutes_behind(verdict)
    )


def _minutes_behind(verdict: Verdict) -> Iterator[tuple[str, str]]:
    """The models whose minutes a verdict rests on, with the keys of these."""
    keys = {model: f"{verdict.protocol}.{model}.minutes.mean" for model in LAYERS}
    return ((model, key) for model, key in keys.items() if key in verdict.values.values())
