"""The answer in short: how many claims hold, and which network to choose."""

from dataclasses import dataclass
from typing import get_args

from resnet_sizes.reporting.text.escaping import Safe, code
from resnet_sizes.reporting.text.printed import PrintedValues
from resnet_sizes.reporting.text.words import Words, model_name
from resnet_sizes.schemas.evidence.verdicts import OutcomeName, Recommendation, Verdicts
from resnet_sizes.schemas.study.study import Study

FEW_READINGS = 2
"""Up to so many readings have a list of sentences each; more are told in tables alone."""


@dataclass(frozen=True)
class OutcomesTable:
    """One column a reading, after one of all together where there are several."""

    columns: list[Safe]
    rows: list[tuple[Safe, list[Safe]]]


def outcomes_table(study: Study, values: PrintedValues, words: Words) -> OutcomesTable:
    """How many claims are supported, contradicted, and left open."""
    names = [str(name) for name in study.protocols]
    several = len(names) > 1
    columns = [code(name) for name in names] if several else [words("outcomes.one")]
    if several:
        names, columns = ["overall", *names], [words("outcomes.all"), *columns]
    rows = [
        (
            words(f"outcomes.{outcome}"),
            [values.value(f"outcome.{name}.{outcome}") for name in names],
        )
        for outcome in get_args(OutcomeName)
    ]
    return OutcomesTable(columns, rows)


@dataclass(frozen=True)
class RecommendationsOfReading:
    """One sentence a criterion, to stand in a list, without a full stop."""

    protocol: str
    sentences: list[Safe]


def recommendations(
    study: Study, verdicts: Verdicts, values: PrintedValues, words: Words
) -> list[RecommendationsOfReading]:
    """Which network each reading's results recommend; nothing of a demonstration, nor of more
    than a few readings, which have a table."""
    if study.demo or len(study.protocols) > FEW_READINGS:
        return []
    found = []
    for protocol in study.protocols:
        own = [item for item in verdicts.recommendations if item.protocol == protocol]
        if own:
            sentences = [_sentence(item, study, values, words) for item in own]
            found.append(RecommendationsOfReading(protocol, sentences))
    return found


@dataclass(frozen=True)
class RecommendationsTable:
    """One row a reading, one column a criterion: a list of many readings would be read by no
    one."""

    columns: list[Safe]
    rows: list[tuple[Safe, list[Safe]]]


def recommendations_table(
    study: Study, verdicts: Verdicts, values: PrintedValues, words: Words
) -> RecommendationsTable | None:
    """The same of more than a few readings."""
    if study.demo or len(study.protocols) <= FEW_READINGS or not verdicts.recommendations:
        return None
    criteria = list(dict.fromkeys(item.criterion for item in verdicts.recommendations))
    found = {(item.protocol, item.criterion): item for item in verdicts.recommendations}
    rows = []
    for protocol in study.protocols:
        items = [found.get((str(protocol), criterion)) for criterion in criteria]
        cells = [_cell(item, values, words) if item else words("none") for item in items]
        rows.append((code(protocol), cells))
    columns = [words(f"recommendations.columns.{name}") for name in ("reading", *criteria)]
    return RecommendationsTable(columns, rows)


def _cell(item: Recommendation, values: PrintedValues, words: Words) -> Safe:
    if item.model is None:
        return words("recommendations.cells.none")
    prefix = f"{item.protocol}.{item.model}"
    return words(
        f"recommendations.cells.{_form(item)}",
        choice=words(
            f"recommendations.choices.{item.criterion}",
            model=model_name(item.model),
            accuracy=values.value(f"{prefix}.accuracy.mean"),
            minutes=values.value(f"{prefix}.minutes.mean"),
        ),
    )


def _form(item: Recommendation) -> str:
    return "firm" if item.firm else "open" if item.tested else "untested"


def _sentence(item: Recommendation, study: Study, values: PrintedValues, words: Words) -> Safe:
    if item.model is None:
        return words(f"recommendations.{item.criterion}.none")
    prefix = f"{item.protocol}.{item.model}"
    others = [
        words("recommendations.other.item", model=model_name(model))
        for model in study.models
        if model != item.model and values.has(f"{item.protocol}.{model}.accuracy.mean")
    ]
    return words(
        f"recommendations.{item.criterion}.{_form(item)}",
        model=model_name(item.model),
        accuracy=values.value(f"{prefix}.accuracy.mean"),
        minutes=values.value(f"{prefix}.minutes.mean"),
        others=words.listed(others),
    )
