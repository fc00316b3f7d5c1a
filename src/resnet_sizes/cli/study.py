"""`resnet-sizes study`: look at a study, write it and its run files, see what it can settle."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
import yaml
from rich.console import Group, RenderableType
from rich.table import Column

from resnet_sizes.cli.console import print_rich, result, result_json, ruled_table, say
from resnet_sizes.schemas.paths import StudyFolder, clamp_future_mtimes
from resnet_sizes.schemas.run.run import CompileMode, Precision, RunSettings
from resnet_sizes.study.loading import check_files, find_study_file, load_study
from resnet_sizes.study.run_files import write_run_files, write_study

if TYPE_CHECKING:
    from resnet_sizes.forecast.power import Power, ReadingPower

app = typer.Typer(
    no_args_is_help=True,
    help="Look at a study, write it and its run files, see what its seeds can settle.",
)

Overlays = Annotated[
    list[Path] | None,
    typer.Argument(help="Overlays over config/config.yaml, in order.", show_default=False),
]

StudyPath = Annotated[
    Path,
    typer.Argument(
        parser=find_study_file,
        metavar="STUDY",
        help="The study's name, its overlay (config/demo.yaml), or results/<name>/study.json.",
    ),
]


@app.command()
def show(overlays: Overlays = None) -> None:
    """Print the resolved and checked study as YAML."""
    study = load_study(overlays or [])
    result(yaml.safe_dump(study.model_dump(mode="json"), sort_keys=False, allow_unicode=True))


@app.command()
def write(overlays: Overlays = None) -> None:
    """Write results/<name>/study.json."""
    study = load_study(overlays or [])
    check_files(study)
    result(str(write_study(study)))


@app.command()
def runs(
    study: StudyPath,
    names: Annotated[
        list[str] | None,
        typer.Argument(help="protocol/model/seed-n; otherwise all runs.", show_default=False),
    ] = None,
) -> None:
    """Write the run.json of each run of a study whose dataset is there."""
    paths = write_run_files(study, _resolve, names)
    folder = StudyFolder.of_file(study)
    clamp_future_mtimes(folder, [folder.dataset_info])
    say(f"{len(paths)} run file(s) below {study.parent / 'runs'}")


def _resolve(settings: RunSettings, device_name: str) -> tuple[Precision, CompileMode]:
    # torch takes seconds to load, and most studies leave nothing to the device.
    from resnet_sizes.training.capabilities import resolve_auto

    return resolve_auto(settings, device_name)


@app.command()
def power(
    overlays: Overlays = None,
    deviation: Annotated[
        float | None,
        typer.Option(
            help="Standard deviation of accuracies between seeds, in percentage points; otherwise "
            "judging.seed_deviation of the article file.",
            show_default=False,
        ),
    ] = None,
    simulations: Annotated[
        int, typer.Option(min=1, max=100_000, help="Studies to draw; 100 take about 15 seconds.")
    ] = 100,  # a share is then known to 5 points (one standard error)
    format: Annotated[Literal["text", "json"], typer.Option(help="What is printed.")] = "text",
) -> None:
    """Say which claims of the article so many seeds can settle, before any training.

    Studies are drawn in memory, with the article's own accuracies and minutes as the truth, and
    judged as real ones are: with the study's seeds, and with one more of each protocol. Claims on
    losses are not simulated. It trains nothing, writes nothing, and always gives the same answer.
    """
    from resnet_sizes.forecast.power import study_power
    from resnet_sizes.schemas.article.article import load_article

    study = load_study(overlays or [])
    check_files(study)
    texts = {claim.id: claim.text.en for claim in load_article(Path(study.article)).claims}
    say(f"{study.name}: drawing and judging {simulations} studies…")
    found = study_power(study, simulations, deviation)
    if format == "json":
        result_json(found)
    else:
        print_rich(Group(*_power_parts(found, texts)))


def _power_parts(found: "Power", texts: dict[str, str]) -> Iterator[RenderableType]:
    yield (
        f"{found.study}: shares of {found.simulations} simulated studies in which a claim is "
        "supported / contradicted / left open."
    )
    yield (
        "The article's table is the truth, and accuracies have a standard deviation of "
        f"{found.deviation_points:g} points between seeds."
    )
    for reading in found.readings:
        yield ""
        yield reading.protocol or "All protocols together"
        if reading.claims:
            yield _power_table(reading, texts)
            yield _sentence(reading, found.enough)
        if reading.never:
            by_reason: dict[str, list[str]] = {}
            for claim, reason in reading.never.items():
                by_reason.setdefault(reason, []).append(claim)
            items = [f"{', '.join(claims)} ({reason})" for reason, claims in by_reason.items()]
            yield f"Decided by no number of seeds: {'; '.join(items)}."
        if reading.protocol is None and found.excluded:
            excluded = ", ".join(found.excluded)
            yield f"Not heard, since the article's minutes or memory exclude it: {excluded}."
    yield ""
    if found.not_simulated:
        names = ", ".join(found.not_simulated)
        yield f"Not simulated, since the article's table has no losses: {names}."
    if found.by_construction:
        yield f"True or false without any run: {', '.join(found.by_construction)}."


def _power_table(reading: "ReadingPower", texts: dict[str, str]) -> RenderableType:
    heads = ["seeds as they are", "one more of each"]
    if reading.seeds is not None:
        heads = [_seeds(reading.seeds), _seeds(reading.seeds + 1)]
    table = ruled_table("claim", *(Column(head, justify="right") for head in heads), "what it says")
    for claim in reading.claims:
        cells = [
            f"{each.supported:4.0%} / {each.contradicted:4.0%} / {each.open:4.0%}"
            for each in (claim.now, claim.one_more)
        ]
        table.add_row(claim.id, *cells, texts[claim.id])
    return table


def _sentence(reading: "ReadingPower", enough: float) -> str:
    """Which claims are settled now, which with one seed more, and which then are not."""
    seeds = reading.seeds
    now = [each.id for each in reading.claims if each.now.decided >= enough]
    with_more = [each.id for each in reading.claims if each.one_more.decided >= enough]
    more = [name for name in with_more if name not in now]
    never = [each.id for each in reading.claims if each.id not in now + more]
    who = "Together they decide"
    if seeds is not None:
        who = f"{_seeds(seeds)} decide{'s' * (seeds == 1)}"
    parts = [f"{who} {', '.join(now) or 'nothing'} in {enough:.0%} of the studies or more."]
    if more:
        parts.append(f"One seed more decides {', '.join(more)}{' too' if now else ''}.")
    if seeds is not None and seeds < reading.fewest_seeds:
        parts.append(f"No claim is decided by fewer than {reading.fewest_seeds} seeds.")
    if never and with_more:
        parts.append(f"Neither is enough for {', '.join(never)}.")
    return " ".join(parts)


def _seeds(number: int) -> str:
    return f"{number} seed{'s' * (number > 1)}"
