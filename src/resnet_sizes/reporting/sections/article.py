"""Templates and what they print → the text of `article.qmd`."""

import re
from dataclasses import dataclass
from pathlib import Path

from jinja2 import TemplateNotFound, UndefinedError

from resnet_sizes.i18n.numbers import plain_percent
from resnet_sizes.io.errors import UserError
from resnet_sizes.reporting.render.engines import Engine
from resnet_sizes.reporting.sections import (
    conclusions,
    discussion,
    methodology,
    results,
    summary,
)
from resnet_sizes.reporting.sections.audit import AuditTexts
from resnet_sizes.reporting.text.context import ReportContext
from resnet_sizes.reporting.text.escaping import Safe, code, escape_markdown, unescaped
from resnet_sizes.reporting.text.printed import named, plain
from resnet_sizes.reporting.text.templates import report_templates
from resnet_sizes.schemas.article.claims import Cell
from resnet_sizes.schemas.paths import StudyFolder
from resnet_sizes.schemas.study.study import Study


@dataclass(frozen=True)
class RenderedArticle:
    """The `.qmd`, and what a check of the finished pages has to know of it."""

    text: str
    alternatives: dict[str, str]
    """Alternative texts of figures, each with its Markdown, which has the keys of its values."""
    commands: list[str]


def render_article(report: ReportContext, templates: Path, engine: Engine) -> RenderedArticle:
    """The `.qmd` of a study in one language. Raises UserError where a template lacks a name."""
    _check_reference(report, templates / "assets" / "references.bib")
    environment = report_templates(report, templates)
    alternatives: dict[str, str] = {}

    def alt(description: str) -> Safe:
        """A description for an attribute, which holds no markup."""
        text = plain(description)
        alternatives[unescaped(text)] = str(description)
        return text

    repeat, again = _repeat_command(report.study), _report_command(report, engine)
    try:
        template = environment.get_template("article.qmd.j2")
        text = template.render(
            _names(report, engine),
            alt=alt,
            command=repeat,
            report_command=again,
        )
    except TemplateNotFound as error:
        raise UserError(
            f"{templates / report.language / str(error)}: no such template. "
            "Run the command in the project's folder."
        ) from None
    except UndefinedError as error:
        raise UserError(
            f"{templates}: a template uses a name that is not defined: {error}"
        ) from None
    return RenderedArticle(_tidy(text), alternatives, [str(repeat), str(again)])


def _names(report: ReportContext, engine: Engine) -> dict[str, object]:
    """What the templates see by name, besides the tools of `text/templates.py`: records of the
    study, and sentences that its data choose."""
    study, article, words, values = report.study, report.article, report.words, report.values
    by_protocol = [results.Results(report, name) for name in report.protocols]
    claims = discussion.claim_verdicts(report)
    concluding = [item for item in claims if item.claim.place == "conclusions"]
    few = len(by_protocol) <= conclusions.FEW_READINGS
    audit_texts = AuditTexts(report)
    audited = None if audit_texts.is_empty else report.audit

    chapters = ["criteria", "verdicts", *(["audit"] if audited else []), "details", "colophon"]
    of_study = {
        "appendix": dict(zip(chapters, "ABCDE", strict=False)),
        "report": report,
        "study": study,
        "article": article,
        "content": values.text("data.content"),
        "subtitle": str(words("subtitle", name=Safe(study.name))),
        "seeds": methodology.seeds_of_study(report),
        "one_seed": max(len(study.seeds_of(name)) for name in report.protocols) == 1,
        "unfinished": report.unfinished,
        "level": values.followed(
            "judging.level", Safe(plain_percent(article.judging.level, report.language))
        ),
        "confidence": values.value("method.confidence", digits=0),
        "few_readings": few,
        "engine_versions": _engine_versions(engine),
    }
    of_summary = {
        "headline": summary.headline(report, claims),
        "tally": summary.tally(report),
        "not_counted": summary.not_counted(report),
    }
    of_methodology = {
        "seed_fixes": methodology.seed_fixes(report),
        "method_texts": methodology.MethodTexts(report),
        "deviations": methodology.deviations(report),
        "confounds": methodology.confounds(report),
        "criteria": methodology.criteria(report),
        "possible_verdicts": summary.possible_verdicts(report),
        "same_tests": methodology.same_tests(report),
        "seed_deviation": methodology.seed_deviation(report),
    }
    of_results = {
        "repeated": results.repeated(report, by_protocol),
        "models": report.models,
        "protocols": by_protocol,
        "cells": [item for item in claims if isinstance(item.claim, Cell)],
        "times_tables": results.times_tables(report, by_protocol),
        "shared_times": any(own.shared for own in by_protocol),
        "figures": report.figures,
        "figure_texts": results.FigureTexts(report),
        "audit": audited,
        "audit_texts": audit_texts,
    }
    of_discussion = {
        "verdicts": report.verdicts,
        "verdict_texts": discussion.VerdictTexts(report, claims),
        "by_reading": discussion.by_reading(claims),
        "changing": discussion.changing(claims),
        "undecided_in_part": discussion.undecided_in_part(claims),
        "nearest": discussion.nearest(report),
    }
    of_conclusions = {
        "conclusions": discussion.VerdictTexts(report, concluding),
        "limits": conclusions.limits(report),
        "choices": conclusions.Recommendations(report),
        "nothing_tested": conclusions.nothing_tested(claims),
    }
    return of_study | of_summary | of_methodology | of_results | of_discussion | of_conclusions


def _engine_versions(engine: Engine) -> list[Safe]:
    """What renders the document: names of programs, each with its version."""
    return [
        Safe(f"{escape_markdown(name)} {named('engine', code(version))}")
        for name, version in engine.versions
    ]


def _repeat_command(study: Study) -> Safe:
    """The command that repeats the study, from its data on."""
    command = "snakemake --cores all --resources gpu=1"
    overlay = "" if study.name == "article" else f" --configfile config/{study.name}.yaml"
    return Safe(command + overlay)


def _report_command(report: ReportContext, engine: Engine) -> Safe:
    """The command that renders this report again from the same results."""
    path = StudyFolder.of(report.study.name).study.as_posix()
    partial = " --partial" if report.unfinished else ""
    options = f"{partial} --language {report.language} --engine {engine.kind}"
    return Safe(f"resnet-sizes report {path}{options}")


def _check_reference(report: ReportContext, bibliography: Path) -> None:
    """What the article file cites is in the bibliography: pandoc would not say who asked for it."""
    effect = report.article.judging.seed_deviation
    key = effect.reference if effect else None
    if key and f"{{{key}," not in bibliography.read_text(encoding="utf-8"):
        raise UserError(
            f"{report.study.article}: judging.seed_deviation.reference is {key!r}, which is no key "
            f"of {bibliography}. Add the entry there, or leave the reference out."
        )


def _tidy(text: str) -> str:
    """At most one empty line in a row, no space at the end of a line."""
    lines = re.sub(r"[ \t]+\n", "\n", text)
    return re.sub(r"\n{3,}", "\n\n", lines).strip() + "\n"
