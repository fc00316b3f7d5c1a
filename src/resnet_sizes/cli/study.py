"""`resnet-sizes study`: look at a study, write it and its run files, see what it can settle."""

from pathlib import Path
from typing import Annotated, Literal

import typer
import yaml

from resnet_sizes.cli.console import print_records, result, result_json, say
from resnet_sizes.schemas.paths import StudyFolder, clamp_future_mtimes
from resnet_sizes.schemas.run.run import CompileMode, Precision, RunSettings
from resnet_sizes.study.loading import check_files, find_study_file, load_study
from resnet_sizes.study.run_files import write_run_files, write_study

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
        return
    result(
        f"{found.study}: shares of {found.simulations} simulated studies in which a claim is "
        "supported / contradicted / left open, and\n"
        f"what decides it in {found.enough:.0%} of the studies or more. The article's table is "
        "the truth, and accuracies\n"
        f"have a standard deviation of {found.deviation_points:g} points between seeds.\n"
    )
    for reading in found.readings:
        title = reading.protocol or "All protocols together, and with one seed more of each"
        if (seeds := reading.seeds) is not None:
            title += f", {seeds} seed{'s' * (seeds > 1)}, and one more"
        if reading.fewest_seeds:
            title += f"; no claim is decided by fewer than {reading.fewest_seeds}"
        print_records(
            title,
            reading.claims,
            *("id", "now", "one_more"),
            decided_by=lambda claim: (
                "now"
                if claim.now.decided >= found.enough
                else "one more" * (claim.one_more.decided >= found.enough)
            ),
            what_it_says=lambda claim: texts[claim.id],
        )
        never = [f"{claim} ({reason})" for claim, reason in reading.never.items()]
        if never:
            result(f"Decided by no number of seeds: {', '.join(never)}.\n")
    for why, names in (
        (
            "Not heard of all together, since the article's minutes or memory exclude it",
            found.excluded,
        ),
        ("Not simulated, since the article's table has no losses", found.not_simulated),
        ("True or false without any run", found.by_construction),
    ):
        if names:
            result(f"{why}: {', '.join(names)}.")
