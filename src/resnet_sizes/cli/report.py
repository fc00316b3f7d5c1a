"""`resnet-sizes report`: print the article again from fresh results."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated

import typer

from resnet_sizes.cli.console import Languages, result, say
from resnet_sizes.cli.study import StudyPath
from resnet_sizes.io.errors import UserError
from resnet_sizes.schemas.paths import StudyFolder, clamp_future_mtimes
from resnet_sizes.schemas.run.run import read_study
from resnet_sizes.schemas.study.study import REPORT_FILES, EngineChoice, ReportFormat
from resnet_sizes.status.run_state import watch_results

INTERVAL = 2.0
"""Seconds between two looks of `--watch` at the study's folder."""


class Format(StrEnum):
    """As `report.formats` of the configuration."""

    html = "html"
    pdf = "pdf"
    docx = "docx"
    latex = "latex"
    jats = "jats"


def report(
    study: StudyPath,
    partial: Annotated[
        bool, typer.Option("--partial", help="Report on the finished runs, naming the others.")
    ] = False,
    watch: Annotated[
        bool,
        typer.Option(
            "--watch", help="As --partial, again whenever a run is finished, until all of them are."
        ),
    ] = False,
    language: Languages = None,
    engine: Annotated[
        EngineChoice | None, typer.Option(help="What renders it. Otherwise as configured.")
    ] = None,
    format: Annotated[
        list[Format] | None,
        typer.Option(help="Format; may be given several times. Otherwise as configured."),
    ] = None,
) -> None:
    """Render the report of a study; prints the paths of what was made."""

    def render(partial: bool) -> None:
        # Each run of a study starts this command line, and the reporting takes half a second to
        # import.
        from resnet_sizes.reporting.build import build_report

        resolved = read_study(study).study
        asked = resolved.report
        # Once each, also where one is given twice.
        languages = dict.fromkeys(each.value for each in language or []) or asked.languages
        formats: Sequence[ReportFormat] = asked.formats
        if format:
            formats = [each for each in REPORT_FILES if each in format]
        folder = StudyFolder.of_file(study)
        evidence = folder.evidence
        if partial:
            # The report on an unfinished study brings its own evidence, outside of what the
            # workflow's rules write.
            from resnet_sizes.evidence.build import build_evidence

            evidence = folder.partial_evidence
            build_evidence(study, evidence, allow_partial=True)
        for name in languages:
            output = folder.partial_report(name) if partial else folder.report(name)
            made = build_report(study, evidence, output, name, formats, engine or asked.engine)
            clamp_future_mtimes(folder, [evidence / "values.json", evidence / "verdicts.json"])
            say(f"{resolved.name}: report in {output}")
            for path in made:
                result(str(path))

    if not watch:
        render(partial)
        return
    try:
        for missing, runs in watch_results(study, INTERVAL):
            try:
                render(partial=True)
            except UserError as error:  # no run is finished yet
                say(str(error))
            waiting = f"Waiting for {missing} of {runs} runs; Ctrl-C ends it."
            say(waiting if missing else "All runs are finished.")
    except KeyboardInterrupt:
        say("The last report stays where it is.")
