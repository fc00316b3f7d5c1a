"""`resnet-sizes compare`: what two results have in common."""

from pathlib import Path
from typing import Annotated

import typer

from resnet_sizes.cli.console import Language, print_records, result, result_json
from resnet_sizes.io.errors import UserError
from resnet_sizes.io.files import write_text
from resnet_sizes.schemas.comparison import StudyComparison

SHOWN_CAUSES = 5


def compare(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="A B...", help="Archives, unpacked archives, or folders in results/."
        ),
    ],
    margin: Annotated[
        float,
        typer.Option(
            min=0.01, max=100, help="Difference of accuracy, in points, that is of no matter."
        ),
    ] = 1.0,
    as_json: Annotated[bool, typer.Option("--json", help="Everything that was found.")] = False,
    page: Annotated[
        Path | None, typer.Option(help="Also write it as a page (HTML).", show_default=False)
    ] = None,
    language: Annotated[
        list[Language] | None,
        typer.Option(help="Of the page, twice for both; else those of the first report."),
    ] = None,
) -> None:
    """Compare the first result with each of the others: numbers, verdicts, and likely causes.

    Accuracies, losses and times are tested over the seeds, pairwise where both have them, with
    Holm's correction. A cause is something that is recorded and not the same in both; the first
    in the list fits what differs best.
    """
    if len(paths) < 2:
        raise UserError("compare: found one result; needed: two or more. Name another.")

    from resnet_sizes.sharing.compare import compare as compare_results
    from resnet_sizes.sharing.pages import page as page_of

    found = compare_results(paths, margin)
    if page:
        languages = [each.value for each in language or []] or found.languages
        title = " / ".join(map(str, paths))
        write_text(page, page_of("_comparison.html.j2", title, languages, found=found))
    if as_json:
        result_json(found)
        return
    for study in found.studies:
        _print(study, found.margin_points)
    if page:
        result(str(page))


def _print(study: StudyComparison, margin: float) -> None:
    print_records(
        f"{study.second} (second) compared with {study.first} (first): differences in percentage "
        f"points (equivalent within {margin:g}), nats, and percent of minutes, with 95 % intervals "
        "(over paired seeds alone where there are some); outcomes after Holm's correction",
        study.quantities,
        *("protocol", "model", "quantity", "first_seeds", "second_seeds", "paired"),
        *("first", "second", "difference", "low", "high", "outcome"),
    )
    result(
        f"Verdicts on {study.verdicts_compared} claims and readings compared, "
        f"{len(study.verdicts)} differ.\n"
    )
    overall = [each for each in study.verdicts if each.protocol is None]
    print_records("Those of all readings together", overall, "id", "first", "second")
    for of in ("results", "times"):
        causes = [each for each in study.causes if each.of == of]
        print_records(
            f"Recorded differences that may explain {of}, the likeliest first "
            f"({len(causes)} in all); networks that they concern, and those of them that differ",
            causes[:SHOWN_CAUSES],
            *("what", "first", "second", "compared", "differing"),
        )
    for name, cells in (("first", study.only_first), ("second", study.only_second)):
        if cells:
            result(f"Only in the {name}: {', '.join(cells)}.")
