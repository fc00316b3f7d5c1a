"""How the document was made: with what programs, and the commands that repeat it."""

from resnet_sizes.reporting.render.engines import Engine
from resnet_sizes.reporting.text.context import ReportContext
from resnet_sizes.reporting.text.escaping import Safe, code, escape_markdown
from resnet_sizes.reporting.text.printed import named
from resnet_sizes.schemas.paths import StudyFolder
from resnet_sizes.schemas.study.study import Study


def engine_versions(engine: Engine) -> list[Safe]:
    """What renders the document: names of programs, each with its version."""
    return [
        Safe(f"{escape_markdown(name)} {named('engine', code(version))}")
        for name, version in engine.versions
    ]


def repeat_command(study: Study) -> Safe:
    """The command that repeats the study, from its data on."""
    command = "snakemake --cores all --resources gpu=1"
    overlay = "" if study.name == "article" else f" --configfile config/{study.name}.yaml"
    return Safe(command + overlay)


def report_command(report: ReportContext, engine: Engine) -> Safe:
    """The command that renders this report again from the same results."""
    path = StudyFolder.of(report.study.name).study.as_posix()
    partial = " --partial" if report.unfinished else ""
    options = f"{partial} --language {report.language} --engine {engine.kind}"
    return Safe(f"resnet-sizes report {path}{options}")
