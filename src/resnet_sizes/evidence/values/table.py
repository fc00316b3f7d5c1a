"""Table 1: the article's columns from our runs, and the spread over the seeds."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from resnet_sizes.evidence.values.value_book import in_percent
from resnet_sizes.io.files import write_atomically
from resnet_sizes.schemas.article.article import Article
from resnet_sizes.schemas.article.columns import own_key
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
"""What heads the columns of an article in Portuguese, by the ends of their keys in values.json."""


def comparison_table(study: Study, values: Mapping[str, Value], article: Article) -> pd.DataFrame:
    """One row per model of the study, from shallow to deep, from its first protocol.

    Accuracy is in percent, times are in minutes, increments in percent of the first row's number,
    all at full precision. What has no value in `values` (those of values.json) is missing (NaN).
    Of an article in other languages it has the columns, by their names, and their deviations.
    """
    models, first, head = by_depth(study.models), study.protocols[0], "Teste"
    columns = {name: f"{first}.{{}}.{of}" for name, of in COLUMNS.items()}
    if "pt" not in article.languages:
        head, columns = "network", {name: own_key(name, first, "{}") for name in article.columns}
        means = [(name, key) for name, key in columns.items() if key.endswith(".mean")]
        columns |= {f"{name}_sd": key.replace(".mean", ".sd") for name, key in means}
    found = {name: [values.get(key.format(m)) for m in models] for name, key in columns.items()}
    numbers = {name: [it and in_percent(it) for it in column] for name, column in found.items()}
    table = pd.DataFrame(numbers, dtype="float64")
    table = table.astype({name: "int64" for name in table.columns if name == "Camadas"})
    table.insert(0, head, [display_name(model) for model in models])
    return table


def write_table(table: pd.DataFrame, path: Path) -> None:
    """Write the table as CSV (UTF-8, comma, decimal point) atomically; missing cells are empty.
    Twelve significant digits: all that the numbers hold, without the noise of binary fractions."""
    write_atomically(
        path,
        lambda target: table.to_csv(
            target, index=False, float_format="%.12g", lineterminator="\n", encoding="utf-8"
        ),
    )
