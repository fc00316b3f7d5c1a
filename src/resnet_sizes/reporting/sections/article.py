"""Templates and what they print → the text of `article.qmd`."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePath
from typing import get_args

from jinja2 import FileSystemLoader

from resnet_sizes.i18n.numbers import places, plain_percent, ratio_digits, rounded
from resnet_sizes.reporting.render.engines import Engine
from resnet_sizes.reporting.sections import claims, methodology
from resnet_sizes.reporting.text.context import ReportContext, Results
from resnet_sizes.reporting.text.escaping import Safe, code, escape_markdown, unescaped, yaml_text
from resnet_sizes.reporting.text.printed import named, plain
from resnet_sizes.reporting.text.prose import check_prose
from resnet_sizes.reporting.text.verdict_sentences import sentence_key
from resnet_sizes.reporting.text.words import Sandbox, class_label, make_environment, rendered
from resnet_sizes.schemas.article.columns import COLUMNS, own_key
from resnet_sizes.schemas.base import one_of
from resnet_sizes.schemas.evidence.verdicts import VerdictName, outcome_of
from resnet_sizes.schemas.paths import StudyFolder
from resnet_sizes.schemas.run.weights import weights_version
from resnet_sizes.schemas.study.networks import NETWORKS
from resnet_sizes.schemas.study.protocol import TORCHVISION_WEIGHTS, by_depth, display_name

FEW_READINGS = 2
"""Up to so many readings have a list of sentences each; more have tables alone."""


@dataclass(frozen=True)
class RenderedArticle:
    """The `.qmd`, and what a check of the finished pages has to know of it."""

    text: str
    alternatives: dict[str, str]
    """Alternative texts of figures, each with its Markdown, which has the keys of its values."""
    commands: list[str]


def render_article(report: ReportContext, templates: Path, engine: Engine) -> RenderedArticle:
    """The `.qmd` of a study in one language. Raises UserError where a template lacks a name."""
    check_prose(report.article, report.folder, templates)
    alternatives: dict[str, str] = {}

    def alt(description: str) -> Safe:
        """A description for an attribute, which holds no markup."""
        text = plain(description)
        alternatives[unescaped(text)] = str(description)
        return text

    def checkable(claim_id: str, shown: Safe | None = None) -> Safe:
        """A claim's id, or what else is shown of it, that leads to how its verdict is checked."""
        shown = shown or escape_markdown(claim_id)
        return shown if report.unfinished else Safe(f"[{shown}](#confira-{claim_id})")

    commands = _commands(report, engine)
    study, verify = report.study.name, f"resnet-sizes verify results/{report.study.name}"
    then = f"\n{verify}\n{verify} --replay 5"
    ids = (claim.id for claim in report.article.claims)
    checks = {name: Safe(f"resnet-sizes trace {study} {name}{then}") for name in ids}
    names = _names(report) | {
        "alt": alt,
        "checkable": checkable,
        "checks": checks,
        "engine_versions": [
            Safe(f"{escape_markdown(name)} {named(code(version), 'engine')}")
            for name, version in engine.versions
        ],
        **commands,
    }
    environment, folder = report_templates(report, templates), templates / report.language
    text = rendered(environment, "article.qmd.j2", folder, report.words.folders[0], **names)
    return RenderedArticle(_tidy(text), alternatives, [*commands.values(), *checks.values()])


def report_templates(report: ReportContext, folder: Path) -> Sandbox:
    """The templates of one language, the article's own before the others, and those of `folder`
    itself, which both languages share.

    A template prints values by their keys, texts by theirs, and records that it is given through
    `network`, `name` and `code`; a bare number is refused.
    """

    def class_name(key: str) -> Safe:
        """The name of a class, which is a value, in the language of the report."""
        name, content = report.values.text(key), report.figures.content
        label = class_label(name, content, report.words)
        return report.values.followed(key, escape_markdown(label))

    environment = make_environment(loader=FileSystemLoader([*report.words.folders, folder]))
    tools: dict[str, object] = {
        "t": report.words,
        "value": report.values.value,
        "cell": report.cell,
        "in_points": report.in_points,
        "rounded": rounded,
        "ratio_digits": ratio_digits,
        "shared_mark": report.shared_mark,
        "has": report.values.has,
        "number": report.values.number,
        "from_article": report.from_article,
        "network": lambda name: display_name(one_of(name, NETWORKS)),
        "networks": NETWORKS,
        "torchvision_weights": TORCHVISION_WEIGHTS,
        "version_of": weights_version,
        "file_name": lambda path: PurePath(path).name,
        "grouped": partial(methodology.grouped, report),
        "weights_files": partial(methodology.weights_files, report),
        "name": named,
        "class_name": class_name,
        "code": code,
        "yaml": yaml_text,
        "verdict": report.verdict,
        "outcome_of": outcome_of,
        "listed": report.words.listed,
        "columns": COLUMNS,
        "own_key": own_key,
        "sentence_key": sentence_key,
        "article": report.article,
        "study": report.study,
        "report": report,
    }
    environment.globals |= tools
    environment.globals["values"] = report.values
    filters: dict[str, Callable[..., object]] = {
        "places": places,
        "by_text": _by_text,
        "each": lambda items, macro, *rest: [macro(item, *rest) for item in items],
        "text": lambda name, prefix: report.words(f"{prefix}.{name}"),
    }
    environment.filters |= filters
    return environment


def _by_text(items: Iterable[str], macro: Callable[[str], str]) -> dict[str, list[str]]:
    """The items by what a macro says of them; without those of which it says nothing."""
    found: dict[str, list[str]] = {}
    for item in items:
        if text := macro(item):
            found.setdefault(text, []).append(item)
    return found


def _names(report: ReportContext) -> dict[str, object]:
    """What the templates see by name, besides the tools of `report_templates`: records of the
    study, and sentences that its data choose."""
    study, article, words, values = report.study, report.article, report.words, report.values
    protocols = [Results(report, name) for name in report.protocols]
    finished = list({model for own in protocols for model in own.finished})
    judged = claims.claim_verdicts(report)
    concluding = [item for item in judged if item.claim.place == "conclusions"]
    by_id = {item.claim.id: item for item in judged}
    audit = report.audit
    prints_minutes = any(need.printed_minutes for costs in audit.protocols for need in costs.needs)
    audited = bool(audit.increments or audit.accuracies or prints_minutes)
    chapters = ["criteria", "verdicts", *(["audit"] if audited else []), "details", "colophon"]
    level = Safe(plain_percent(article.judging.level, report.language))
    return {
        # The study
        "appendix": dict(zip(chapters, "ABCDE", strict=False)),
        "prints_minutes": prints_minutes,
        "verdicts": report.verdicts,
        "models": report.models,
        "protocols": protocols,
        "few_readings": len(protocols) <= FEW_READINGS,
        "content": values.text("data.content"),
        "subtitle": str(words("subtitle", name=Safe(study.name))),
        "one_seed": max(len(study.seeds_of(name)) for name in report.protocols) == 1
        and not report.verdicts.pooled,
        "unfinished": report.unfinished,
        "level": values.followed("judging.level", level),
        "confidence": values.value("method.confidence", digits=0),
        # The summary
        "headline": [by_id[name] for name in article.headline] or concluding,
        # The methods
        "repeated": words.about("repeated", map(display_name, by_depth(finished)), "models"),
        "criteria": methodology.criteria(report),
        "possible_verdicts": [
            name
            for name in get_args(VerdictName)
            if len(protocols) > 1 or name not in claims.BY_READING
        ],
        "same_tests": methodology.same_tests(report),
        # The results
        "cells": [item for item in judged if item.claim.rule == "cell"],
        "computed_times": any(own.has_computed for own in protocols),
        "shared_times": any(own.shared_runs for own in protocols),
        "figures": report.figures,
        "audit": audit if audited else None,
        # The discussion and the conclusions
        "judged": claims.JudgedClaims(judged),
        "by_reading": claims.by_reading(judged),
        "changing": claims.changing(judged),
        "undecided_in_part": claims.undecided_in_part(judged),
        "conclusions": claims.JudgedClaims(concluding),
        "nothing_tested": all(item.is_undecided for item in judged if item.needs_data),
    }


def _commands(report: ReportContext, engine: Engine) -> dict[str, Safe]:
    """Those that repeat the study from its data on, and render this report again from the same
    results."""
    name, study = report.study.name, StudyFolder.of(report.study.name).study.as_posix()
    overlay = "" if name == "article" else f" --configfile config/{name}.yaml"
    partial = " --partial" if report.unfinished else ""
    options = f"{partial} --language {report.language} --engine {engine.kind}"
    return {
        "command": Safe(f"snakemake --cores all --resources gpu=1{overlay}"),
        "report_command": Safe(f"resnet-sizes report {study}{options}"),
    }


def _tidy(text: str) -> str:
    """At most one empty line in a row, no space at the end of a line."""
    lines = re.sub(r"[ \t]+\n", "\n", text)
    return re.sub(r"\n{3,}", "\n\n", lines).strip() + "\n"
