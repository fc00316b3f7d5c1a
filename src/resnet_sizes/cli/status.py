"""`resnet-sizes status`: how far each run of a study is."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.live import Live

from resnet_sizes.cli.console import result, say
from resnet_sizes.cli.status_table import fitted, plain
from resnet_sizes.io.errors import UserError
from resnet_sizes.schemas.paths import StudyFolder
from resnet_sizes.schemas.status import StudyStatus
from resnet_sizes.status.status import StudyWatch
from resnet_sizes.status.status_summary import is_at_rest, last_sentence
from resnet_sizes.study.loading import load_study

REDRAW_EVERY = 3.0
"""Seconds between two looks of `--watch`, at least."""

REST = 4
"""How many times as long as a look takes it then rests: hundreds of runs lie on a slow disk."""

PIPED_WIDTH = 2000
"""Characters of a line in a pipe or a file: a line a run, however long."""


def status(
    study: Annotated[
        str,
        typer.Argument(
            help="results/<name>/study.json, the study's name, or its overlay (config/demo.yaml)"
        ),
    ],
    watch: Annotated[
        bool,
        typer.Option(
            "--watch", help="Look again every few seconds, while there is anything to wait for."
        ),
    ] = False,
    json: Annotated[
        bool,
        typer.Option("--json", help="One JSON object: workflow/schemas/status.schema.json."),
    ] = False,
) -> None:
    """Show each run of a study: waiting, queued, running, done, failed, stale, outdated, invalid.

    It only reads, so it may be asked at any time and from any terminal: while Snakemake runs,
    and after it died. Queued runs are known of Slurm. Exit status 0 whatever the runs do; 1 if
    the study cannot be read.
    """
    if watch and json:
        raise UserError("--watch and --json: give one of them; --json prints one object.")
    looks = StudyWatch(_file_of(study))
    if json:
        result(looks.look().model_dump_json(indent=2))
    elif watch:
        try:
            _watch(looks)
        except KeyboardInterrupt:
            say("The runs go on.")
    else:
        _print(_console(), looks.look())


def _watch(looks: StudyWatch) -> None:
    console = _console()
    if not console.is_terminal:
        _watch_in_lines(looks, console)
        return
    all_looks = _while_it_works(looks)
    now = next(all_looks)
    with Live(fitted(now, console.height), console=console, auto_refresh=False) as live:
        for now in all_looks:
            live.update(fitted(now, console.height), refresh=True)
    say(last_sentence(now))


def _watch_in_lines(looks: StudyWatch, console: Console) -> None:
    """In a pipe or a file nothing can be drawn over: the whole once, then what has changed."""
    all_looks = _while_it_works(looks)
    now = next(all_looks)
    _print(console, now)
    told = now.counts
    for now in all_looks:
        if now.counts != told:
            result(now.summary)
            told = now.counts
    say(last_sentence(now))


def _print(console: Console, now: StudyStatus) -> None:
    if console.is_terminal:
        console.print(plain(now))
        return
    with console.capture() as printed:
        console.print(plain(now))
    result("\n".join(line.rstrip() for line in printed.get().splitlines()))


def _while_it_works(looks: StudyWatch) -> Iterator[StudyStatus]:
    """Look again and again, the last time when all runs are done, or when twice in a row nothing
    was under way and something had failed: between two jobs nothing is for a moment."""
    rested = False
    while True:
        start = time.monotonic()
        now = looks.look()
        took = time.monotonic() - start
        yield now
        rests = is_at_rest(now)
        if now.counts["done"] == len(now.runs) or (rests and rested):
            return
        rested = rests
        time.sleep(max(REDRAW_EVERY, REST * took))


def _console() -> Console:
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=PIPED_WIDTH)


def _file_of(study: str) -> Path:
    """The `study.json` that is meant. Raises UserError, with what to do next, if it is not
    there."""
    path = Path(study)
    if path.suffix in (".yaml", ".yml"):
        found = StudyFolder.of(load_study([path]).name).study
    elif path.suffix == ".json":
        found = path
    elif (path / "study.json").is_file():
        found = path / "study.json"
    else:
        found = StudyFolder.of(study).study
    if found.is_file():
        return found
    overlay = path if path.suffix in (".yaml", ".yml") else "CONFIG.yaml"
    others = sorted(each.parent.name for each in Path("results").glob("*/study.json"))
    there = f" Studies that have begun here: {', '.join(others)}." if others else ""
    raise UserError(
        f"{found}: no such file (looked in {Path.cwd()}); the study has not begun.{there} "
        f"Snakemake writes it when it begins, or: resnet-sizes study write {overlay}"
    )
