"""Everything that the templates see."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from resnet_sizes.i18n.numbers import decimal, moment, plain_percent
from resnet_sizes.reporting.inputs import Inputs
from resnet_sizes.reporting.render.engines import Engine
from resnet_sizes.reporting.sections.audit import audit_view
from resnet_sizes.reporting.sections.colophon import making_rows, repeat_command, report_command
from resnet_sizes.reporting.sections.comparison import readings_table
from resnet_sizes.reporting.sections.computed import computed_minutes
from resnet_sizes.reporting.sections.confounds import confounds
from resnet_sizes.reporting.sections.criteria import criteria, same_tests, seed_effect
from resnet_sizes.reporting.sections.deviations import departures
from resnet_sizes.reporting.sections.distance import distance_table
from resnet_sizes.reporting.sections.figures import figure_file, figure_views
from resnet_sizes.reporting.sections.limits import limits
from resnet_sizes.reporting.sections.methods import method_rows
from resnet_sizes.reporting.sections.readings import ReadingWords
from resnet_sizes.reporting.sections.recommendations import (
    FEW_READINGS,
    outcomes_table,
    recommendations,
    recommendations_table,
)
from resnet_sizes.reporting.sections.results import Results, TableRow, cell_rows
from resnet_sizes.reporting.sections.shared_device import rests_on_shared_times
from resnet_sizes.reporting.sections.times import TimeRow
from resnet_sizes.reporting.sections.verdict_text import (
    Judged,
    Judgements,
    construction_count,
    nothing_tested,
    tally,
)
from resnet_sizes.reporting.text.escaping import Safe, code, yaml_text
from resnet_sizes.reporting.text.printed import Name, PrintedValues, from_article, plain
from resnet_sizes.reporting.text.words import Words, model_name
from resnet_sizes.schemas.study.protocol import LAYERS
from resnet_sizes.schemas.study.study import Study


@dataclass(frozen=True)
class ProtocolView:
    """What the report says of one protocol."""

    name: Name
    description: Safe
    rows: list[TableRow]
    times: list[TimeRow]
    """Of each network, where a time of this protocol is computed; else none."""
    ratios: Safe | None
    shared: Safe | None
    """The networks with runs that shared their device."""
    paragraphs: list[Safe]


def build_context(inputs: Inputs, words: Words, language: str, engine: Engine) -> dict[str, Any]:
    """The variables of the templates. Whatever they print is text, already formatted."""
    study, article = inputs.study, inputs.article
    values = PrintedValues(inputs.values, language)
    judged = _judged(inputs, values)
    judgements = Judgements(judged, values, words, language)
    first = study.protocols[0]
    readings = ReadingWords(study, values, words, language)
    results = {
        name: Results(values, words, name, [str(m) for m in study.models])
        for name in study.protocols
    }
    content = values.text("data.content")
    losses = results[first].losses()
    unfinished = [run for run in inputs.verdicts.runs if run.state != "finished"]
    alt = [words("results.figure-alt")]
    if losses:
        alt.append(words("results.figure-alt-losses", items=losses))
    figure_alt = " ".join(str(sentence) for sentence in alt)

    # Each of several readings has a section of its own, and their comparison another.
    few = len(study.protocols) <= FEW_READINGS
    after_results = len(study.protocols) + 2 if len(study.protocols) > 1 else 1

    def of_audit(place: str, text: Safe) -> Safe:
        return values.followed(f"audit.{place}", text)

    figures = figure_views(inputs.figures, values, words)
    confidence = values.value("method.confidence", digits=0)
    audited = audit_view(inputs.audit, words, language, of_audit, confidence, number=after_results)

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
        "article": article,
        "content": content,
        "title": _title(words, content, study.demo),
        "subtitle": str(words("subtitle", name=Safe(study.name))),
        "created": _creation(values),
        "language_link": has_language_link(study, language),
        "made_on": values.value("made.finished"),
        "repeated": _repeated(results, words),
        "seeds": words.listed(
            [values.value(f"study.seeds.{number}") for number in range(len(study.seeds))]
        ),
        "subset": _is_subset(values),
        "unfinished": unfinished,
        "seed_fixes": words(f"seed-fixes.{_weights_from_files(study)}"),
        "methods": method_rows(study, article, values, readings, words, language),
        "stated": [from_article(item.id, getattr(item.text, language)) for item in article.stated],
        "departures": departures(study, article, readings, words, language),
        "confounds": confounds(study, words),
        "criteria": criteria(article, language),
        "audit": audited,
        "same_tests": same_tests(article, words),
        "protocols": [
            ProtocolView(
                name=Name(name, "reading"),
                description=values.value(f"study.protocol.{name}.description.{language}"),
                rows=results[name].table(),
                times=results[name].times.rows(),
                ratios=results[name].times.ratios(),
                shared=results[name].times.shared(),
                paragraphs=results[name].paragraphs(in_short=number > 0 and not few),
            )
            for number, name in enumerate(study.protocols)
        ],
        "few_readings": few,
        "protocol_names": words.listed([code(name) for name in study.protocols]),
        "cells": cell_rows(article, {item.claim.id: item.first for item in judged}, values, words),
        "times_tables": _times_tables(results, words, loop_number),
        "shared_times": any(result.times.shared() for result in results.values()),
        "computed_ids": _computed_ids(judged),
        "readings_table": readings_table(
            values, words, {name: of.times for name, of in results.items()}, study.models
        ),
        "figure": figure_file("loss"),
        "figures": figures,
        "figure_alt": plain(figure_alt),
        "alternatives": [figure_alt, *(view.description for view in figures.values() if view)],
        "loss_sentences": [words("results.losses", items=losses)] if losses else [],
        "discussion_number": after_results + (1 if audited else 0),
        "claims": judgements.rows(),
        "shared_reasons": judgements.shared(),
        "findings": judgements.findings(),
        "numbers": judgements.numbers(),
        "by_reading": judgements.by_reading(),
        "changing": judgements.changing(),
        "undecided_in_part": judgements.undecided_in_part(),
        "distances": distance_table(inputs.verdicts, values, words, language),
        "seed_effect": seed_effect(article, values, words, language),
        "level": values.followed(
            "judging.level", Safe(plain_percent(article.judging.level, language))
        ),
        "confidence": confidence,
        "conclusions": judgements.conclusions(),
        "limits": limits(study, inputs.verdicts, values, words),
        "costs": results[first].costs(),
        "outcomes": outcomes_table(study, values, words),
        "recommendations": recommendations(study, inputs.verdicts, values, words),
        "choices": recommendations_table(study, inputs.verdicts, values, words),
        "tally": tally(values, words),
        "by_construction": construction_count(values, words),
        "nothing_tested": nothing_tested(judged),
        "making": making_rows(values, words, engine),
        "command": repeat_command(study),
        "report_command": report_command(study, language, engine.kind, partial=bool(unfinished)),
    }


def has_language_link(study: Study, language: str) -> bool:
    """Whether the page leads to the same report in the other language."""
    return set(study.report.languages) > {language}


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


def _judged(inputs: Inputs, values: PrintedValues) -> list[Judged]:
    found = []
    for claim, overall in zip(inputs.article.claims, inputs.verdicts.overall, strict=True):
        own = tuple(v for v in inputs.verdicts.verdicts if v.id == claim.id)
        computed, shared = computed_minutes(own, values), rests_on_shared_times(own, values)
        found.append(Judged(claim, overall, own, computed, shared))
    return found


def _times_tables(
    results: dict[str, Results], words: Words, number: Callable[[int], Safe]
) -> Safe | None:
    """`a @tbl-tempos traz`, of each reading that has computed times; None without any."""
    tables = [
        words(
            "times-tables.item",
            table=Safe("@tbl-tempos" if position == 1 else f"@tbl-tempos-{number(position)}"),
        )
        for position, result in enumerate(results.values(), start=1)
        if result.times.rows()
    ]
    return (
        words.counted("times-tables", len(tables), tables=words.listed(tables)) if tables else None
    )


def _computed_ids(judged: list[Judged]) -> list[str]:
    """The claims of the text that computed minutes help to decide, in any reading."""
    ids = [item.claim.id for item in judged if item.computed]
    return [name for name in ids if name.startswith("S")]


def _weights_from_files(study: Study) -> str:
    """Which runs start from given weights: `none`, `some` or `all`."""
    given = {
        study.protocol_definitions[name].recipe_for(model).weights != "none"
        for name in study.protocols
        for model in study.models
    }
    return "some" if len(given) > 1 else "all" if True in given else "none"
