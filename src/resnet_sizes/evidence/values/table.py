"""Table 1: the article's six columns from our runs, and the measured time."""

import csv
from collections.abc import Mapping
from io import StringIO
from pathlib import Path

from resnet_sizes.evidence.values.value_book import in_percent
from resnet_sizes.io.files import write_text
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


def write_table(study: Study, values: Mapping[str, Value], path: Path) -> None:
    """Write the table as CSV (UTF-8, comma, decimal point) atomically: one row per model of the
    study, from shallow to deep, from its first protocol.

    `values` are those of values.json. Accuracy (after the last epoch) is in percent, times are in
    minutes, increments in percent of the first row's number. The first row has no increments, and
    a model without a finished run has neither accuracy nor times: these cells are empty. Twelve
    significant digits: all that the numbers hold, without the noise of binary fractions.
    """

    def cell(model: str, quantity: str) -> str:
        value = values.get(f"{study.protocols[0]}.{model}.{quantity}")
        return "" if value is None else f"{in_percent(value):.12g}"

    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["Teste", *COLUMNS])
    for model in by_depth(study.models):
        writer.writerow([display_name(model), *(cell(model, of) for of in COLUMNS.values())])
    write_text(path, text.getvalue())
