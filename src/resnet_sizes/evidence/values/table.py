"""Table 1: the article's six columns from our runs, and the measured time."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from resnet_sizes.evidence.values.value_book import in_percent
from resnet_sizes.io.files import write_atomically
from resnet_sizes.schemas.evidence.values import Value
from resnet_sizes.schemas.study.protocol import by_depth, display_name
from resnet_sizes.schemas.study.study import Study

COLUMNS = {
    "Acurácia": "accuracy.mean",
    "Camadas": "layers",
    "Tempo de treinamento (min)": "minutes.mean",
    "Acréscimo de camadas": "layers_increment",
    "Acréscimo de acurácia": "accuracy_increment",
    "Tempo medido (min)": "measured_minutes.mean",
    "Desvio-padrão da acurácia (pontos)": "accuracy.sd",
    "Desvio-padrão do tempo (min)": "minutes.sd",
}
"""The article's columns, what the clock showed, and the spread over the seeds; with the ends of
their keys in values.json."""


def comparison_table(study: Study, values: Mapping[str, Value]) -> pd.DataFrame:
    """One row per model of the study, from shallow to deep, from its first protocol.

    `values` are those of values.json. Accuracy is in percent, times are in minutes, increments in
    percent of the first row's number, all at full precision. What has no value, as the first row's
    increments and the numbers of a model without a finished run, is missing (NaN).
    """
    models = by_depth(study.models)

    def number(model: str, quantity: str) -> float | None:
        value = values.get(f"{study.protocols[0]}.{model}.{quantity}")
        return None if value is None else in_percent(value)

    table = pd.DataFrame(
        {column: [number(model, of) for model in models] for column, of in COLUMNS.items()},
        dtype="float64",
    )
    table["Camadas"] = table["Camadas"].astype("int64")
    table.insert(0, "Teste", [display_name(model) for model in models])
    return table


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
