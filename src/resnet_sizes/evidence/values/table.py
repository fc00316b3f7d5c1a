"""Table 1: the article's six columns from our runs, and the measured time."""

from collections.abc import Sequence
from pathlib import Path
from statistics import mean, stdev

import pandas as pd

from resnet_sizes.evidence.runs.measurements import (
    outcome,
    wholly_measured,
)
from resnet_sizes.evidence.runs.read import StudyRuns
from resnet_sizes.io.files import write_atomically
from resnet_sizes.schemas.article.claims.base import increment_percent
from resnet_sizes.schemas.study.protocol import LAYERS, by_depth, display_name

COLUMNS = (  # those of the article, what the clock showed, and the spread over the seeds
    "Teste",
    "Acurácia",
    "Camadas",
    "Tempo de treinamento (min)",
    "Acréscimo de camadas",
    "Acréscimo de acurácia",
    "Tempo medido (min)",
    "Desvio-padrão da acurácia (pontos)",
    "Desvio-padrão do tempo (min)",
)


def comparison_table(runs: StudyRuns) -> pd.DataFrame:
    """One row a model of the study, from shallow to deep, from its first protocol.

    Accuracy (after the last epoch) is in percent, times in minutes, all means over the finished
    seeds. The training time of a run with a feature cache is what it would have taken without,
    which is computed; a column of its own holds what was measured, over the runs that did all of
    their own work. The two deviations are those between seeds, missing with a
    single one. Increments are in percent of the first row's number, computed from unrounded
    means. Numbers are at full precision. The first row has no increments, and a model without a
    finished run has neither accuracy nor times: these cells are missing (NaN).
    """
    protocol = runs.study.protocols[0]
    models = by_depth(runs.study.models)
    accuracy: dict[str, float | None] = {}
    minutes: dict[str, float | None] = {}
    measured: dict[str, float | None] = {}
    deviations: dict[str, tuple[float | None, float | None]] = {}
    for model in models:
        finished = runs.of(protocol, model)
        outcomes = [outcome(run) for run in finished]
        seconds = [run.metrics.training_seconds for run in wholly_measured(finished)]
        accuracy[model] = mean([o.accuracy for o in outcomes]) if outcomes else None
        minutes[model] = mean([o.minutes for o in outcomes]) if outcomes else None
        measured[model] = mean(seconds) / 60 if seconds else None
        deviations[model] = (
            _deviation([o.accuracy for o in outcomes]),
            _deviation([o.minutes for o in outcomes]),
        )
    base = models[0]
    table = pd.DataFrame(
        [
            (
                display_name(model),
                _percent(accuracy[model]),
                LAYERS[model],
                minutes[model],
                None if model == base else increment_percent(LAYERS[model], LAYERS[base]),
                None if model == base else _increment(accuracy[model], accuracy[base]),
                measured[model],
                _percent(deviations[model][0]),
                deviations[model][1],
            )
            for model in models
        ],
        columns=list(COLUMNS),
    )
    numbers = [column for column in COLUMNS if column not in ("Teste", "Camadas")]
    return table.astype(dict.fromkeys(numbers, "float64"))


def write_table(table: pd.DataFrame, path: Path) -> None:
    """Write the table as CSV (UTF-8, comma, decimal point) atomically; missing cells are empty.

    Twelve significant digits: all that the numbers hold, without the noise of binary fractions.
    """
    write_atomically(
        path,
        lambda target: table.to_csv(
            target, index=False, float_format="%.12g", lineterminator="\n", encoding="utf-8"
        ),
    )


def _deviation(values: Sequence[float]) -> float | None:
    return stdev(values) if len(values) > 1 else None


def _increment(value: float | None, base: float | None) -> float | None:
    return increment_percent(value, base) if value is not None and base else None


def _percent(fraction: float | None) -> float | None:
    return None if fraction is None else fraction * 100
