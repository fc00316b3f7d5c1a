"""`resnet-sizes status`: how far each run of a study is."""

import socket
from collections.abc import Iterable
from typing import Annotated

import typer
from rich.console import Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from resnet_sizes.cli.console import print_rich, result, say, wide_console
from resnet_sizes.cli.study import StudyPath
from resnet_sizes.io.errors import UserError
from resnet_sizes.io.messages import duration
from resnet_sizes.schemas.operations import RunStage, RunStatus, StudyStatus
from resnet_sizes.schemas.run.progress import RunProgress
from resnet_sizes.status.status import StudyWatch, last_sentence

STYLES: dict[RunStage, str] = {
    "failed": "bold red",
    "stale": "red",
    "invalid": "red",
    "running": "cyan",
    "queued": "yellow",
    "outdated": "yellow",
    "waiting": "dim",
    "done": "green",
}
"""Colours only repeat what the words say. `--watch` shows the states in this order."""


def status(
    study: StudyPath,
    watch: Annotated[
        bool, typer.Option("--watch", help="Look every few seconds, while something is to come.")
    ] = False,
    json: Annotated[
        bool, typer.Option("--json", help="One JSON object: workflow/schemas/status.schema.json.")
    ] = False,
) -> None:
    """Show each run of a study: waiting, queued, running, done, failed, stale, outdated, invalid.

    It only reads, so it may be asked at any time and from any terminal: while Snakemake runs,
    and after it died. Queued runs are shown only under Slurm. Exit status 0 whatever
    the runs do; 1 if the study cannot be read.
    """
    if watch and json:
        raise UserError("--watch and --json: give one of them; --json prints one object.")
    study_watch = StudyWatch(study)
    if json:
        result(study_watch.look().model_dump_json(indent=2))
    elif watch:
        try:
            _watch(study_watch)
        except KeyboardInterrupt:
            say("The runs go on.")
    else:
        print_rich(plain(study_watch.look()))


def _watch(study: StudyWatch) -> None:
    console = wide_console()
    looks = study.looks()
    now = next(looks)
    if console.is_terminal:  # where there is too little room, the last rows are left out
        with Live(plain(now, STYLES), console=console, auto_refresh=False) as live:
            for now in looks:
                live.update(plain(now, STYLES), refresh=True)
    else:  # in a pipe or a file nothing can be drawn over: the whole once, then what changes
        print_rich(plain(now))
        shown = now.counts
        for now in looks:
            if now.counts != shown:
                result(now.summary)
                shown = now.counts
    say(last_sentence(now))


def plain(status: StudyStatus, order: Iterable[RunStage] = ()) -> RenderableType:
    """All runs, by their states in this order or else in the study's, then the last lines and logs
    of those that failed."""
    places = {state: place for place, state in enumerate(order)}
    runs = sorted(status.runs, key=lambda run: places.get(run.state, 0))
    head = [status.summary, status.snakemake.note]
    head += [f"warning: {warning}" for warning in status.warnings]
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for title in ("run", "state", "how far", "left", "where"):
        table.add_column(title, overflow="fold", justify="right" if title == "left" else "left")
    troubles = []
    for run in runs:
        left = "" if run.remaining_seconds is None else duration(run.remaining_seconds)
        state = Text(run.state, style=STYLES[run.state])
        table.add_row(run.run, state, _how_far(run), left, _where(run))
        if run.state in ("failed", "stale"):
            lines = [f"\n{run.run}: {run.state}", *(f"  {line}" for line in run.last_lines)]
            lines += [f"  log: {run.log}"] if run.log else []
            troubles.append("\n".join(lines))
    return Group("\n".join(head) + "\n", table, *troubles)


def _how_far(run: RunStatus) -> str:
    if run.state == "done" and run.test_accuracy is not None:
        took = duration(run.training_seconds or 0.0)
        return f"test accuracy {run.test_accuracy:.4f}, trained for {took}"
    parts = [run.note]
    progress = run.progress
    if run.state == "running" and progress and not progress.ended:
        parts.insert(0, _position(progress))
    elif run.goes_on_from:
        place = run.goes_on_from
        step = f" after step {place.step}" if place.step else ""
        parts.append(f"goes on in epoch {place.epoch}{step}")
    elif run.state in ("failed", "stale") and progress and progress.epoch:
        parts.insert(0, f"in epoch {progress.epoch}/{progress.epochs}")
    return "; ".join(filter(None, parts))


def _position(progress: RunProgress) -> str:
    if progress.phase == "features" and progress.images:
        return f"features of {progress.images}/{progress.all_images} images"
    if progress.epoch is None or progress.phase not in ("training", "evaluation"):
        return progress.phase
    parts = [f"epoch {progress.epoch}/{progress.epochs}"]
    if progress.phase == "evaluation":
        parts.append("evaluation")
    elif progress.steps:
        parts.append(f"step {progress.step}/{progress.steps}")
    if progress.loss is not None:
        parts.append(f"loss {progress.loss:.4f}")
    return ", ".join(parts)


def _where(run: RunStatus) -> str:
    progress, parts = run.progress, []
    if run.state == "running" and progress:
        if device := progress.device:
            numbered = f"{device.kind} {device.index} ({device.name})"
            parts.append(device.kind if device.index is None else numbered)
        elsewhere = "" if progress.host == socket.gethostname() else f" on {progress.host}"
        parts.append(f"process {progress.process}{elsewhere}")
    if run.job:
        parts.append(f"Slurm job {run.job.id}")
    return ", ".join(parts)
