"""Table 1: the article's columns from our runs, and the spread over the seeds."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from resnet_sizes.evidence.values.value_book import in_percent
from resnet_sizes.io.files import write_atomically
from resnet_sizes.schemas.article.article import Article
from resnet_sizes.schemas.article.columns import COLUMNS, own_key
from resnet_sizes.schemas.evidence.values import Value
from resnet_sizes.schemas.study.protocol import by_depth, display_name
from resnet_sizes.schemas.study.study import Study

HEADS = {
    "accuracy": "Acurácia", "error": "Erro", "train_error": "Erro no treinamento",
    "layers": "Camadas", "parameters": "Parâmetros (milhões)",
    "minutes": "Tempo de treinamento (min)", "measured_minutes": "Tempo medido (min)",
    "layers_increment": "Acréscimo de camadas", "accuracy_increment": "Acréscimo de acurácia",
    "accuracy_sd": "Desvio-padrão da acurácia (pontos)",
    "error_sd": "Desvio-padrão do erro (pontos)", "minutes_sd": "Desvio-padrão do tempo (min)",
    "train_error_sd": "Desvio-padrão do erro no treinamento (pontos)",
}  # fmt: skip
"""What heads the columns of an article in Portuguese; of others, and of more, it is their name."""


def comparison_table(study: Study, values: Mapping[str, Value], article: Article) -> pd.DataFrame:
    """One row per model of the study, from shallow to deep, from its first protocol.

    The article's columns, the measured time where it has times, and the deviations. Accuracy is in
    percent, times are in minutes, increments in percent of the first row's number, all at full
    precision. What has no value in `values` (those of values.json) is missing (NaN).
    """
    models, first = by_depth(study.models), study.protocols[0]
    keys = {
        name: f"{first}.{{}}.{name}" if COLUMNS[name].over_base else own_key(name, first, "{}")
        for name in article.columns
    }
    means = [(name, key) for name, key in keys.items() if key.endswith(".mean")]
    if "minutes" in keys:
        keys["measured_minutes"] = f"{first}.{{}}.measured_minutes.mean"
    keys |= {f"{name}_sd": key.replace(".mean", ".sd") for name, key in means}
    heads = HEADS if "pt" in article.languages else {}
    columns = {heads.get(name, name): key for name, key in keys.items()}
    found = {name: [values.get(key.format(m)) for m in models] for name, key in columns.items()}
    numbers = {name: [it and in_percent(it) for it in column] for name, column in found.items()}
    table = pd.DataFrame(numbers, dtype="float64")
    whole = heads.get("layers", "layers")
    table = table.astype({name: "int64" for name in table.columns if name == whole})
    table.insert(0, "Teste" if heads else "network", [display_name(model) for model in models])
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
