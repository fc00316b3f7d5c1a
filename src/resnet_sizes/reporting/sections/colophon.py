"""How the document was made: rows of its last table, and the commands that repeat it."""

from dataclasses import dataclass

from resnet_sizes.reporting.render.engines import Engine
from resnet_sizes.reporting.text.context import ReportContext
from resnet_sizes.reporting.text.escaping import Safe, code, escape_markdown
from resnet_sizes.reporting.text.printed import named
from resnet_sizes.schemas.paths import StudyFolder
from resnet_sizes.schemas.study.study import Study


@dataclass(frozen=True)
class ColophonRow:
    """One row: what, and its value."""

    label: Safe
    text: Safe


def colophon_rows(report: ReportContext, engine: Engine) -> list[ColophonRow]:
    """Study, data, device, versions, times, code and engine; what is not known is left out."""
    values, words = report.values, report.words

    def row(name: str, text: Safe) -> ColophonRow:
        return ColophonRow(words(f"colophon.{name}"), text)

    data = words(f"content-names.{values.text('data.content')}")
    if values.has("data.source_file"):
        data = words("colophon.from-file", content=data, file=values.code("data.source_file"))
    study = words(
        "colophon.study-runs",
        name=values.code("study.name"),
        finished=values.value("study.finished_runs"),
        runs=values.value("study.runs"),
    )
    rows = [row("study", study), row("data", data)]
    rows.append(row("identity", values.hash("data.identity")))
    if values.has("hardware.device"):
        kinds = values.texts("hardware.kind")
        kind = words.listed([words(f"devices.{kind}") for kind in kinds])
        rows.append(row("device", Safe(f"{values.value('hardware.device')}; {kind}")))
        rows.append(row("threads", values.value("hardware.threads")))
    versions = [
        Safe(f"{escape_markdown(package)} {values.code(f'versions.{package}')}")
        for package in values.below("versions.")
    ]
    if versions:
        rows.append(row("versions", Safe(", ".join(versions))))
    if values.has("made.started", "made.finished"):
        period = words(
            "colophon.period", first=values.time("made.started"), last=values.time("made.finished")
        )
        rows.append(row("times", period))
    if values.has("made.training_seconds"):
        rows.append(row("training", values.value("made.training_seconds")))
    if values.has("made.training_hash"):
        rows.append(row("code", values.hash("made.training_hash")))
    if values.has("made.git_commit"):
        commit = values.hash("made.git_commit")
        if values.number("made.runs_with_local_changes") > 0:
            commit = words("colophon.changed-commit", commit=commit)
        rows.append(row("commit", commit))
    parts = [
        Safe(f"{escape_markdown(name)} {named('engine', code(version))}")
        for name, version in engine.versions
    ]
    rows.append(row("engine", words.listed(parts)))
    return rows


def repeat_command(study: Study) -> Safe:
    """The command that repeats the study, from its data on."""
    command = "snakemake --cores all --resources gpu=1"
    overlay = "" if study.name == "article" else f" --configfile config/{study.name}.yaml"
    return Safe(command + overlay)


def report_command(report: ReportContext, engine: Engine) -> Safe:
    """The command that renders this report again from the same results."""
    path = StudyFolder.of(report.study.name).study.as_posix()
    partial = " --partial" if report.is_partial else ""
    options = f"{partial} --language {report.language} --engine {engine.kind}"
    return Safe(f"resnet-sizes report {path}{options}")
