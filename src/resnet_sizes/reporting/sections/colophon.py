"""How the document was made: rows of its last table, and the commands that repeat it."""

from dataclasses import dataclass

from resnet_sizes.reporting.render.engines import Engine
from resnet_sizes.reporting.text.escaping import Safe, code, escape_markdown
from resnet_sizes.reporting.text.printed import PrintedValues, named
from resnet_sizes.reporting.text.words import Words
from resnet_sizes.schemas.paths import StudyFolder
from resnet_sizes.schemas.study.study import Study

HASH_PART = 16
"""Of a hash, so many digits are shown at a time, so that a line can break between them."""


@dataclass(frozen=True)
class MakingRow:
    """One row: what, and its value."""

    label: Safe
    text: Safe


def making_rows(values: PrintedValues, words: Words, engine: Engine) -> list[MakingRow]:
    """Study, data, device, versions, times, code and engine; what is not known is left out."""

    def row(name: str, text: Safe) -> MakingRow:
        return MakingRow(words(f"making.{name}"), text)

    data = words(f"content-names.{values.text('data.content')}")
    if values.has("data.source_file"):
        data = words("making.from-file", content=data, file=values.code("data.source_file"))
    study = words(
        "making.study-runs",
        name=values.code("study.name"),
        finished=values.value("study.finished_runs"),
        runs=values.value("study.runs"),
    )
    rows = [row("study", study), row("data", data)]
    rows.append(row("identity", hash_text(values, "data.identity")))
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
            "making.period", first=values.time("made.started"), last=values.time("made.finished")
        )
        rows.append(row("times", period))
    if values.has("made.training_seconds"):
        rows.append(row("training", values.value("made.training_seconds")))
    if values.has("made.training_hash"):
        rows.append(row("code", hash_text(values, "made.training_hash")))
    if values.has("made.git_commit"):
        commit = hash_text(values, "made.git_commit")
        if values.number("made.runs_with_local_changes") > 0:
            commit = words("making.changed-commit", commit=commit)
        rows.append(row("commit", commit))
    parts = [
        Safe(f"{escape_markdown(name)} {named('engine', code(version))}")
        for name, version in engine.versions
    ]
    rows.append(row("engine", words.listed(parts)))
    return rows


def hash_text(values: PrintedValues, key: str) -> Safe:
    """A hash in pieces, one piece of code each, so that no line is wider than the page."""
    parts = []
    for number in values.texts(key):
        pieces = [number[i : i + HASH_PART] for i in range(0, len(number), HASH_PART)]
        parts.append(" ".join(code(piece) for piece in pieces))
    return values.followed(key, Safe("; ".join(parts)))


def repeat_command(study: Study) -> Safe:
    """The command that makes the study anew, from its data on."""
    command = "snakemake --cores all --resources gpu=1"
    overlay = "" if study.name == "article" else f" --configfile config/{study.name}.yaml"
    return Safe(command + overlay)


def report_command(study: Study, language: str, engine: str, partial: bool) -> Safe:
    """The command that renders this report again from the same results."""
    options = " --partial" if partial else ""
    path = StudyFolder.of(study.name).study.as_posix()
    return Safe(f"resnet-sizes report {path}{options} --language {language} --engine {engine}")
