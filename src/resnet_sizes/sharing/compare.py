"""Whether two studies found the same, and if not, what is recorded that may explain it."""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from statistics import mean
from typing import Any, Literal

from resnet_sizes.evidence.runs.read import read_runs
from resnet_sizes.evidence.runs.validate import FinishedRun
from resnet_sizes.evidence.statistics.tests import Contrast, Sample, contrast, holm
from resnet_sizes.io.files import read_record
from resnet_sizes.schemas.comparison import (
    Cause,
    ChangedVerdict,
    Comparison,
    Outcome,
    Quantity,
    QuantityComparison,
    StudyComparison,
)
from resnet_sizes.schemas.evidence.verdicts import VerdictName, Verdicts
from resnet_sizes.schemas.paths import StudyFolder
from resnet_sizes.schemas.run.run import read_study
from resnet_sizes.sharing.open_archive import opened_as_listed

LEVEL = 0.05
"""How often two studies of the same truth are told apart, at most, over all that is compared."""

_QUANTITIES: tuple[Quantity, ...] = ("accuracy", "final_loss", "minutes")

Cell = tuple[str, str]
"""A reading and a network."""

# What can change a result or a time, the weightiest first.
_WEIGHTS: dict[Literal["results", "times"], tuple[str, ...]] = {
    "results": (
        "dataset_identity", "reading", "epochs", "batch_size", "learning_rate", "initial_weights",
        "precision", "training_hash", "gradient_accumulation", "versions.torch", "device.kind",
        "device.name", "compile_mode", "deterministic", "device.threads", "versions",
    ),
    "times": (
        "device.kind", "device.name", "device.threads", "sharing", "precision", "compile_mode",
        "reading", "epochs", "dataset_identity", "versions.torch", "batch_size", "training_hash",
        "deterministic", "versions",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class _Side:
    """One study, read and checked."""

    label: str
    languages: Sequence[str]
    cells: Mapping[Cell, Sequence[FinishedRun]]
    verdicts: Mapping[tuple[str, str | None], VerdictName]
    """By claim and reading; of all readings together by None."""
    trainings: set[tuple[str, bytes, str]]
    """What tells each training from a repetition of it."""


def compare(paths: Sequence[Path], margin_points: float = 1.0) -> Comparison:
    """Compare the first of some results folders or archives with each of the others.

    Each quantity is tested over the seeds: pairwise where both have them, since the order of the
    images depends on the seed alone, otherwise by Welch's test; Holm's correction is over all
    tests of a pair of studies. Raises UserError where one cannot be read or has no finished run.
    """
    first, *others = (_read(path) for path in paths)
    return Comparison(
        margin_points=margin_points,
        languages=list(first.languages),
        studies=[_compared(first, other, margin_points) for other in others],
    )


def _read(path: Path) -> _Side:
    with opened_as_listed(path) as result:
        study_file = read_study(result.study_file)
        folder = StudyFolder.of_file(result.study_file)
        runs = read_runs(study_file, folder, allow_partial=True).own
        cells: defaultdict[Cell, list[FinishedRun]] = defaultdict(list)
        for run in runs.finished:
            cells[run.settings.protocol, run.settings.model].append(run)
        file = folder.evidence / "verdicts.json"
        verdicts: dict[tuple[str, str | None], VerdictName] = {}
        if file.is_file():
            found = read_record(file, Verdicts, "")
            verdicts |= {(each.id, None): each.verdict for each in found.overall}
            verdicts |= {(each.id, each.protocol): each.verdict for each in found.verdicts}
        done = {(run.settings.name, run.logits_hash, run.metrics.finished) for run in runs.finished}
    return _Side(str(path), study_file.study.report.languages, cells, verdicts, done)


def _compared(first: _Side, second: _Side, margin: float) -> StudyComparison:
    tested = [
        QuantityTest(cell, quantity, runs, second.cells[cell])
        for cell, runs in first.cells.items()
        for quantity in _QUANTITIES
        if cell in second.cells
    ]
    p_values = {i: each.p_value for i, each in enumerate(tested) if each.p_value is not None}
    adjusted = holm(p_values)
    quantities = [each.decided(adjusted.get(i), margin) for i, each in enumerate(tested)]
    judged = [key for key in first.verdicts if key in second.verdicts]
    return StudyComparison(
        first=first.label,
        second=second.label,
        quantities=quantities,
        causes=_causes("results", first, second, quantities)
        + _causes("times", first, second, quantities),
        verdicts=[
            ChangedVerdict(id=claim, protocol=protocol, first=ours, second=theirs)
            for claim, protocol in judged
            if (ours := first.verdicts[claim, protocol])
            != (theirs := second.verdicts[claim, protocol])
        ],
        verdicts_compared=len(judged),
        same_runs=len(first.trainings & second.trainings),
        only_first=[" ".join(cell) for cell in first.cells if cell not in second.cells],
        only_second=[" ".join(cell) for cell in second.cells if cell not in first.cells],
    )


@dataclass(frozen=True)
class QuantityTest:
    """A quantity of one cell in both studies."""

    cell: Cell
    quantity: Quantity
    first: Sequence[FinishedRun]
    second: Sequence[FinishedRun]

    @cached_property
    def _pairs(self) -> list[tuple[FinishedRun, FinishedRun]]:
        by_seed = {run.settings.seed: run for run in self.first}
        common = [run for run in self.second if run.settings.seed in by_seed]
        return [(by_seed[run.settings.seed], run) for run in common]

    @cached_property
    def _contrast(self) -> Contrast | None:
        if self._paired:
            differences = [self._value(other) - self._value(one) for one, other in self._pairs]
            samples, count = [Sample(1.0, differences)], self._paired
        else:
            weighted = ((1.0, self.second), (-1.0, self.first))
            samples = [Sample(weight, [*map(self._value, runs)]) for weight, runs in weighted]
            count = min(len(self.first), len(self.second))
        if count < 2:
            return None
        # A few numbers that happen to be equal are no proof: an accuracy is a number of images.
        step = 100 / len(self.first[0].correct) if self.quantity == "accuracy" else 0.0
        rounding = 2 * step**2 / 12 / count
        return contrast(samples, further=[(rounding, count - 1.0)] if rounding else [])

    @property
    def _paired(self) -> int:
        """Fewer pairs than seeds would leave out what the others say."""
        return len(self._pairs) if len(self._pairs) >= 2 else 0

    @property
    def p_value(self) -> float | None:
        """Two-sided; None where nothing is tested, or where nothing can differ."""
        found = self._contrast
        if found is None or self._is_identical:
            return None
        return min(1.0, 2 * min(found.p_positive, found.p_negative))

    def decided(self, p_adjusted: float | None, margin: float) -> QuantityComparison:
        """What it comes to, once all tests are known."""
        found, shown = self._contrast, math.exp if self.quantity == "minutes" else float
        first, second = (mean(map(self._value, runs)) for runs in (self.first, self.second))
        low, high = map(self._as_difference, found.interval()) if found else (None, None)
        return QuantityComparison(
            protocol=self.cell[0],
            model=self.cell[1],
            quantity=self.quantity,
            first_seeds=len(self.first),
            second_seeds=len(self.second),
            paired=self._paired,
            first=shown(first),
            second=shown(second),
            difference=self._as_difference(found.estimate if found else second - first),
            low=low,
            high=high,
            p_value=self.p_value,
            p_adjusted=p_adjusted,
            outcome=self._outcome(p_adjusted, margin),
        )

    def _outcome(self, p_adjusted: float | None, margin: float) -> Outcome:
        if self._is_identical:
            return "identical"
        if self._contrast is None or p_adjusted is None:
            return "not-tested"
        if p_adjusted < LEVEL:
            return "differs"
        # Two one-sided tests at the level are an interval at twice the level (Schuirmann, 1987).
        low, high = self._contrast.interval(1 - 2 * LEVEL)
        within = self.quantity == "accuracy" and -margin < low and high < margin
        return "equivalent" if within else "undecided"

    @property
    def _is_identical(self) -> bool:
        """Whether all seeds are common ones, the same in each bit of predictions or number."""
        if len(self._pairs) < max(len(self.first), len(self.second)):
            return False
        if self.quantity == "accuracy":
            return all(one.logits_hash == other.logits_hash for one, other in self._pairs)
        return all(self._value(one) == self._value(other) for one, other in self._pairs)

    def _value(self, run: FinishedRun) -> float:
        """Percentage points, nats, or the natural logarithm of minutes."""
        outcome = run.outcome
        if self.quantity == "accuracy":
            return 100 * outcome.accuracy
        return outcome.log_minutes if self.quantity == "minutes" else outcome.final_loss

    def _as_difference(self, value: float) -> float:
        return 100 * math.expm1(min(value, 700.0)) if self.quantity == "minutes" else value


def _causes(
    of: Literal["results", "times"],
    first: _Side,
    second: _Side,
    quantities: Sequence[QuantityComparison],
) -> list[Cause]:
    """What is recorded and not the same, by how well the cells that it concerns are those that
    differ, then by how much it can change."""
    told = ("minutes",) if of == "times" else ("accuracy", "final_loss")
    differing = {
        (each.protocol, each.model)
        for each in quantities
        if each.outcome == "differs" and each.quantity in told
    }
    concerned: defaultdict[str, dict[Cell, tuple[str, str]]] = defaultdict(dict)
    for cell in first.cells.keys() & second.cells.keys():
        ours, theirs = _recorded(first.cells[cell]), _recorded(second.cells[cell])
        for what in ours | theirs:
            pair = ours.get(what, "none"), theirs.get(what, "none")
            if pair[0] != pair[1]:
                concerned[what][cell] = pair
    ranked = {}
    for what, pairs in concerned.items():
        names = enumerate(_WEIGHTS[of])
        places = [place for place, name in names if f"{what}.".startswith(f"{name}.")]
        if places:  # else it explains nothing
            hits = pairs.keys() & differing
            fit = len(hits) / len(pairs.keys() | differing)
            ranked[-fit, places[0], what] = Cause(
                of=of,
                what=what,
                first=_listed(ours for ours, _ in pairs.values()),
                second=_listed(theirs for _, theirs in pairs.values()),
                differing=len(hits),
                compared=len(pairs),
            )
    return [ranked[rank] for rank in sorted(ranked)]


def _recorded(runs: Sequence[FinishedRun]) -> dict[str, str]:
    """What the results of a cell's runs rest on, by its key; several values are joined."""
    found: dict[str, set[str]] = {}
    for run in runs:
        metrics = run.metrics
        settings = metrics.run.model_dump(mode="json", exclude={"seed", "protocol", "model"})
        weights = metrics.run.initial_weights
        facts: dict[str, Any] = settings | {
            "initial_weights": weights and f"{weights.name} ({weights.sha256[:12]}…)",
            "dataset_identity": metrics.dataset_identity[:12],
            "training_hash": metrics.code.training_hash[:12],
            "versions": metrics.versions,
            "device": metrics.device.model_dump(include={"kind", "name", "threads"}),
            "sharing": metrics.shared_device,
        }
        for what, value in _flat(facts):
            found.setdefault(what, set()).add(str(value))
    return {what: _listed(values) for what, values in found.items()}


def _flat(facts: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in facts.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{above}{name}.")
        else:
            yield above + name, value


def _listed(values: Iterable[str]) -> str:
    return ", ".join(sorted(set(values)))
