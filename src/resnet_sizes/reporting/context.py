"""Everything that the templates see."""

from dataclasses import dataclass
from typing import Any

from resnet_sizes.records.protocol import LAYERS
from resnet_sizes.reporting.criteria import criteria, same_tests
from resnet_sizes.reporting.departures import departures
from resnet_sizes.reporting.engines import Engine
from resnet_sizes.reporting.escaping import Safe, code, escape_markdown, yaml_text
from resnet_sizes.reporting.inputs import Inputs
from resnet_sizes.reporting.judgements import (
    Judged,
    Judgements,
    StatementRow,
    conclusions,
    construction_count,
    nothing_tested,
    tally,
)
from resnet_sizes.reporting.making import making_rows, repeat_command, report_command
from resnet_sizes.reporting.methods import method_rows
from resnet_sizes.reporting.numbers import decimal, moment
from resnet_sizes.reporting.printed import PrintedValues
from resnet_sizes.reporting.results import Results, TableRow, cell_rows
from resnet_sizes.reporting.words import Words, model_name


@dataclass(frozen=True)
class ProtocolView:
    """What the report says of one protocol."""

    name: str
    description: Safe
    rows: list[TableRow]
    paragraphs: list[Safe]
    statements: list[StatementRow]
    shared_reasons: Safe | None
    findings: list[Safe]


def build_context(inputs: Inputs, words: Words, language: str, engine: Engine) -> dict[str, Any]:
    """The variables of the templates. Whatever they print is text, already formatted."""
    study, ledger = inputs.study, inputs.ledger
    values = PrintedValues(inputs.values, language)
    judged = {name: _judged(inputs, name) for name in study.protocols}
    first = study.protocols[0]
    results = {
        name: Results(values, words, name, [str(m) for m in study.models])
        for name in study.protocols
    }
    judgements = {name: Judgements(judged[name], words, language) for name in study.protocols}
    content = values.text("data.content")
    losses = results[first].losses()
    unfinished = [run for run in inputs.verdicts.runs if run.state != "finished"]
    alt = [words("results.figure-alt")]
    if losses:
        alt.append(words("results.figure-alt-losses", items=losses))

    def loop_number(number: int) -> Safe:
        """The number of a heading or of an id, not a result."""
        return Safe(decimal(number, 0, language))

    return {
        "t": words,
        "value": values.value,
        "number": values.number,
        "has": values.has,
        "listed": words.listed,
        "code": code,
        "yaml": yaml_text,
        "loop_number": loop_number,
        "study": study,
        "ledger": ledger,
        "content": content,
        "title": _title(words, content, study.demo),
        "subtitle": str(words("subtitle", name=Safe(study.name))),
        "created": _creation(values),
        "made_on": values.value("made.finished"),
        "repeated": _repeated(results, words),
        "seeds": words.listed([loop_number(seed) for seed in study.seeds]),
        "subset": _is_subset(values),
        "unfinished": unfinished,
        "methods": method_rows(study, ledger, values, words, language),
        "stated": [getattr(item.text, language) for item in ledger.stated],
        "departures": departures(study, ledger, words, language),
        "criteria": criteria(ledger, language),
        "same_tests": same_tests(ledger, words),
        "protocols": [
            ProtocolView(
                name=name,
                description=escape_markdown(
                    getattr(study.protocol_definitions[name].description, language)
                ),
                rows=results[name].table(),
                paragraphs=results[name].paragraphs(),
                statements=judgements[name].rows(),
                shared_reasons=judgements[name].shared(),
                findings=judgements[name].findings(with_cells=name == first),
            )
            for name in study.protocols
        ],
        "cells": cell_rows(
            ledger, {item.statement.id: item.verdict for item in judged[first]}, values, words
        ),
        "figure": Safe(figure_name(language)),
        "figure_alt": Safe(" ".join(str(sentence) for sentence in alt)),
        "loss_sentences": [words("results.losses", items=losses)] if losses else [],
        "discussion_number": len(study.protocols) + 1 if len(study.protocols) > 1 else 1,
        "conclusions": conclusions(judgements, words),
        "tally": tally(values, words),
        "by_construction": construction_count(values, words),
        "nothing_tested": nothing_tested([item for items in judged.values() for item in items]),
        "making": making_rows(values, words, engine),
        "command": repeat_command(study),
        "report_command": report_command(study, language, engine.kind, partial=bool(unfinished)),
    }


def figure_name(language: str) -> str:
    """The file of Figure 1 in the folder of the evidence."""
    return f"figure-loss.{language}.svg"


def _title(words: Words, content: str, demo: bool) -> str:
    return str(words("demo-title" if demo else f"titles.{content}"))


def _creation(values: PrintedValues) -> str:
    """When the results were finished: equal results give equal documents."""
    return moment(values.text("made.finished")).strftime("%Y-%m-%dT%H:%M:%SZ")


def _repeated(results: dict[str, Results], words: Words) -> Safe:
    """Which networks have results, in any reading."""
    with_results = {model for of_reading in results.values() for model in of_reading.finished()}
    models = [model_name(model) for model in sorted(with_results, key=LAYERS.__getitem__)]
    return words.counted("repeated", len(models), models=words.listed(models))


def _is_subset(values: PrintedValues) -> bool:
    return any(
        values.number(f"data.{part}_images") < values.number(f"data.full_{part}_images")
        for part in ("train", "test")
    )


def _judged(inputs: Inputs, protocol: str) -> list[Judged]:
    statements = {statement.id: statement for statement in inputs.ledger.statements}
    return [
        Judged(statements[verdict.id], verdict)
        for verdict in inputs.verdicts.verdicts
        if verdict.protocol == protocol
    ]
