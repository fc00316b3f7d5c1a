"""`resnet-sizes report`: print the article anew."""

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from resnet_sizes.cli.console import result, say
from resnet_sizes.cli.watch import INTERVAL, until_all_are_finished
from resnet_sizes.io.errors import UserError
from resnet_sizes.io.files import read_record
from resnet_sizes.schemas.paths import StudyFolder, clamp_future_mtimes
from resnet_sizes.schemas.run.run import StudyFile

if TYPE_CHECKING:
    from resnet_sizes.reporting.render.engines import EngineChoice, Format


class Language(StrEnum):
    """Languages that have templates."""

    pt = "pt"
    en = "en"


class EngineName(StrEnum):
    """As `report.engine` of the configuration."""

    auto = "auto"
    quarto = "quarto"
    pandoc = "pandoc"


class FormatName(StrEnum):
    """As `report.formats` of the configuration."""

    html = "html"
    pdf = "pdf"


def report(
    study: Annotated[Path, typer.Argument(help="results/<name>/study.json")],
    partial: Annotated[
        bool,
        typer.Option("--partial", help="Report on the runs that are finished, naming the others."),
    ] = False,
    watch: Annotated[
        bool,
        typer.Option(
            "--watch",
            help="As --partial, again whenever a run is finished, until all of them are.",
        ),
    ] = False,
    language: Annotated[
        list[Language] | None,
        typer.Option(help="Language; may stand twice. Otherwise as configured."),
    ] = None,
    engine: Annotated[
        EngineName | None, typer.Option(help="What renders it. Otherwise as configured.")
    ] = None,
    format: Annotated[
        list[FormatName] | None,
        typer.Option(help="Format; may stand twice. Otherwise as configured."),
    ] = None,
) -> None:
    """Render the report of a study; prints the paths of what was made."""
    if watch:
        again = partial_of(study, language, engine, format)
        try:
            until_all_are_finished(study, again, INTERVAL)
        except KeyboardInterrupt:
            say("The last report stays where it is.")
        return
    _render(study, partial, language, engine, format)


def partial_of(
    study: Path,
    language: list[Language] | None,
    engine: EngineName | None,
    format: list[FormatName] | None,
) -> Callable[[], None]:
    """What `--watch` does each time; before the first run is finished it only says so."""

    def again() -> None:
        try:
            _render(study, True, language, engine, format)
        except UserError as error:
            say(str(error))

    return again


def _render(
    study: Path,
    partial: bool,
    language: list[Language] | None,
    engine: EngineName | None,
    format: list[FormatName] | None,
) -> None:
    # Each run of a study starts this command line, and the reporting takes half a second to import.
    from resnet_sizes.reporting.build import build_report

    study_file = read_record(study, StudyFile, "Write it with: resnet-sizes study write <overlays>")
    asked = study_file.study.report
    folder = StudyFolder.of_file(study)
    languages = [choice.value for choice in language] if language else asked.languages
    formats: list[Format] = [choice.value for choice in format] if format else asked.formats
    chosen: EngineChoice = engine.value if engine else asked.engine
    evidence = folder.evidence
    if partial:
        # The report on an unfinished study brings its own evidence, outside of what the
        # workflow's rules write.
        from resnet_sizes.evidence.build import build_evidence

        evidence = folder.partial_evidence
        build_evidence(study, evidence, allow_partial=True)
    for name in languages:
        output = folder.partial_report(name) if partial else folder.report(name)
        made = build_report(study, evidence, output, name, formats, chosen)
        clamp_future_mtimes(folder, [evidence / "values.json", evidence / "verdicts.json"])
        say(f"{study_file.study.name}: report in {output}")
        for path in made:
            result(str(path))
