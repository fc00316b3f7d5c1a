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
    from resnet_sizes.reporting.text.prose import check_article

    study = load_study(overlays or [])
    check_files(study)
    check_article(Path(study.article))
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
def pool(
    study: Annotated[Path, typer.Argument(help="Its name, its overlay, or its study.json.")],
) -> None:
    """Verify the archives that a study names under pool, and take over their runs that fit."""
    from resnet_sizes.sharing.pool import import_pool

    if study.suffix in (".yaml", ".yml"):
        write([study])
    for origin in import_pool(find_study_file(str(study))):
        result(f"{origin.path}: verified and taken over (digest {origin.digest})")


@app.command()
def power(
    overlays: Overlays = None,
    deviation: Annotated[
        float | None,
        typer.Option(
            help="Standard deviation of accuracies between seeds, in percentage points; otherwise "
            "judging.seed_deviation of the article file.",
            show_default=False,
            min=0.001,
            max=25,
        ),
    ] = None,
    format: Annotated[Literal["text", "json"], typer.Option(help="What is printed.")] = "text",
) -> None:
    """Say which claims of the article so many seeds can settle, before any training.

    With the article's own accuracies and minutes as the truth, each claim's test says how many
    seeds it takes. Claims on losses or training errors are left out: a table has none.
    """
    from resnet_sizes.forecast.power import study_power
    from resnet_sizes.schemas.article.article import load_article

    study = load_study(overlays or [])
    check_files(study)
    found = study_power(study, deviation)
    if format == "json":
        result_json(found)
        return
    texts = {it.id: it.text.en or it.text.pt for it in load_article(Path(study.article)).claims}
    result(
        f"{found.study}: seeds with which a claim is decided with a probability of "
        f"{found.power:.0%}, if the article's table is the truth and\n"
        f"accuracies have a standard deviation of {found.deviation_points:g} points between "
        "seeds.\n"
    )
    for reading in found.readings:
        print_records(
            f"{reading.protocol}, which has {reading.seeds}",
            reading.claims,
            *("id", "seeds_needed", "settled"),
            what_it_says=lambda claim: texts[claim.id],
        )
        if never := [f"{claim} ({reason})" for claim, reason in reading.never.items()]:
            result(f"Decided by no number of seeds: {', '.join(never)}.\n")
    left_out = "Left out, since a table has no losses or training errors"
    result(f"{left_out}: {', '.join(found.not_planned) or 'none'}.")
    result(f"True or false without any run: {', '.join(found.by_construction) or 'none'}.")
