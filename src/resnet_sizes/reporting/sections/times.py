"""Training times of one reading in words: measured, or computed where features were kept."""

from collections.abc import Sequence
from dataclasses import dataclass

from resnet_sizes.reporting.text.escaping import Safe
from resnet_sizes.reporting.text.printed import PrintedValues
from resnet_sizes.reporting.text.words import Words, model_name

MARK = Safe("\\*")
"""Beside each computed time of a table; a note below says what it means."""

SHARED = Safe("†")
"""Beside each time of a table of which a part was measured on a device with other work on it."""


@dataclass(frozen=True)
class TimeRow:
    """One network: a pass over the images, the measured and the computed time, in minutes."""

    model: Safe
    forward: Safe
    measured: Safe
    computed: Safe


class Times:
    """The training times of one protocol's models, given from shallow to deep."""

    def __init__(
        self, values: PrintedValues, words: Words, protocol: str, models: Sequence[str]
    ) -> None:
        self._values = values
        self._t = words
        self._protocol = protocol
        self._models = models

    def _key(self, model: str, quantity: str) -> str:
        return f"{self._protocol}.{model}.{quantity}"

    def are_computed(self, *models: str) -> bool:
        """Whether the times of any of these models are computed."""
        keys = [self._key(model, "minutes.mean") for model in models]
        return any(self._values.has(key) and self._values.is_computed_time(key) for key in keys)

    def cell(self, model: str) -> Safe:
        """The minutes for a table, with the mark where they are computed."""
        key = self._key(model, "minutes.mean")
        return marked(self._values, key) if self._values.has(key) else self._t("missing")

    def shared(self) -> Safe | None:
        """The networks with runs that shared their device, and how many of them; None without."""
        items = [
            self._t.counted(
                "shared-device.item",
                int(self._values.number(self._key(model, "runs"))),
                model=model_name(model),
                shared=self._values.value(key),
                runs=self._values.value(self._key(model, "runs")),
            )
            for model in self._models
            if self._values.has(key := self._key(model, "shared_runs"))
        ]
        return self._t.listed(items) if items else None

    def cell_with_spread(self, model: str) -> Safe:
        """The same with the deviation between seeds, where there are several."""
        deviation = self._key(model, "minutes.sd")
        if not self._values.has(deviation):
            return self.cell(model)
        spread = self._values.value(deviation)
        return self._t("results.spread", mean=self.cell(model), deviation=spread)

    def of_model(self, model: str) -> Safe:
        """The end of a sentence on a finished model: how long its training took."""
        minutes = self._values.value(self._key(model, "minutes.mean"))
        runs = int(self._values.number(self._key(model, "runs")))
        if not self.are_computed(model):
            return self._t.counted("results.trained.measured", runs, minutes=minutes)
        measured = self._values.value(self._key(model, "measured_minutes.mean"))
        return self._t.counted("results.trained.computed", runs, minutes=minutes, measured=measured)

    def of_pair(self, model: str, base: str) -> Safe:
        """The end of a sentence that sets a model against `base`."""
        key = self._key(model, "minutes_ratio")
        if not self._values.has(key):  # times of different devices have no ratio
            return self._t("results.time.none")
        computed = [name for name in (base, model) if self.are_computed(name)]
        form = ("ratio", "one-computed", "computed")[len(computed)]
        return self._t(
            f"results.time.{form}",
            ratio=self._values.value(key, digits=1),
            base=model_name(base),
            model=self._t.listed([model_name(name) for name in computed]),
        )

    def rows(self) -> list[TimeRow]:
        """All finished models where a time is computed, else none."""
        if not self.are_computed(*self._models):
            return []
        finished = [m for m in self._models if self._values.has(self._key(m, "minutes.mean"))]
        return [self._row(model) for model in finished]

    def _row(self, model: str) -> TimeRow:
        computed, none = self.are_computed(model), self._t("none")
        forward, minutes = (
            self._key(model, "forward_minutes.mean"),
            self._key(model, "minutes.mean"),
        )
        return TimeRow(
            model=model_name(model),
            forward=self._values.value(forward) if computed else none,
            measured=with_shared_mark(self._values, self._key(model, "measured_minutes.mean")),
            computed=with_shared_mark(self._values, minutes) if computed else none,
        )

    def ratios(self) -> Safe | None:
        """Our ratios of times beside the article's, where a time is computed.

        None where the article has none over the same network, or we have none.
        """
        base, *deeper = self._models
        # Ours are over the study's shallowest network, the article's over its first row.
        if not self.rows() or self._article_ratio(base) != 1:
            return None
        items = [
            self._t(
                "results.ratio-item",
                model=model_name(model),
                article=self._values.value(f"article.{model}.minutes_ratio", digits=2),
                ours=self._values.value(self._key(model, "minutes_ratio"), digits=2),
            )
            for model in deeper
            if self._article_ratio(model) is not None
            and self._values.has(self._key(model, "minutes_ratio"))
        ]
        if not items:
            return None
        return self._t("results.ratios", base=model_name(base), items=Safe("; ".join(items)))

    def _article_ratio(self, model: str) -> float | None:
        key = f"article.{model}.minutes_ratio"
        return self._values.number(key) if self._values.has(key) else None


def marked(values: PrintedValues, key: str, digits: int | None = None) -> Safe:
    """A value, with its marks where it is a time that is computed, or of a shared device."""
    text = values.value(key, digits)
    text = Safe(text + MARK) if values.is_computed_time(key) else text
    return Safe(text + SHARED) if values.is_shared_time(key) else text


def with_shared_mark(values: PrintedValues, key: str) -> Safe:
    """A value of a table that says by itself which times are computed."""
    text = values.value(key)
    return Safe(text + SHARED) if values.is_shared_time(key) else text
