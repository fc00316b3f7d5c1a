"""`resnet-sizes compare`: what two results have in common."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import RenderableType
from rich.table import Column

from resnet_sizes.cli.console import print_rich, result, result_json, ruled_table
from resnet_sizes.io.errors import UserError
from resnet_sizes.io.files import write_text
from resnet_sizes.schemas.comparison import Comparison, QuantityComparison, StudyComparison

SHOWN_CAUSES = 5


class Language(StrEnum):
    """Languages of the page."""

    pt = "pt"
    en = "en"


def compare(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="A B...", help="Archives, unpacked archives, or folders in results/."
        ),
    ],
    margin: Annotated[
        float,
        typer.Option(min=0.01, help="Difference of accuracy, in points, that is of no matter."),
    ] = 1.0,
    as_json: Annotated[bool, typer.Option("--json", help="Everything that was found.")] = False,
    page: Annotated[
        Path | None, typer.Option(help="Also write it as a page (HTML).", show_default=False)
    ] = None,
    language: Annotated[
        list[Language] | None, typer.Option(help="Of the page; may be given twice.")
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
        languages = [each.value for each in language or Language]
        title = " / ".join(map(str, paths))
        write_text(page, page_of("_comparison.html.j2", title, languages, found=found))
    if as_json:
        result_json(found)
        return
    for study in found.studies:
        for part in _tables(study, found):
            print_rich(part)
    if page:
        result(str(page))


def _tables(study: StudyComparison, found: Comparison) -> list[RenderableType]:
    parts: list[RenderableType] = [f"{study.second} compared with {study.first}", ""]
    table = ruled_table(
        "reading", "network", "what", "seeds",
        *(Column(name, justify="right") for name in ("first", "second", "difference", "95 %")),
        "outcome",
    )  # fmt: skip
    for each in study.quantities:
        table.add_row(each.protocol, each.model, each.quantity, seeds(each), *numbers(each))
    parts += [table, f"Equivalent: within {found.margin_points:g} points of accuracy."]
    changed = [each for each in study.verdicts if each.protocol is None]
    parts.append(
        f"Verdicts on {study.verdicts_compared} claims and readings compared, "
        f"{len(study.verdicts)} differ."
    )
    parts += [f"  {each.id}: {each.first} -> {each.second}" for each in changed]
    for of in ("results", "times"):
        causes = [each for each in study.causes if each.of == of]
        if causes:
            parts.append(f"Recorded differences that may explain {of}, the likeliest first:")
        parts += [
            f"  {each.what}: {each.first} -> {each.second} (of {each.compared} networks that it "
            f"concerns, {each.differing} differ)"
            for each in causes[:SHOWN_CAUSES]
        ]
        if len(causes) > SHOWN_CAUSES:
            parts.append(f"  and {len(causes) - SHOWN_CAUSES} more (--json has all)")
    for name, cells in (("first", study.only_first), ("second", study.only_second)):
        if cells:
            parts.append(f"Only in the {name}: {', '.join(cells)}.")
    return [*parts, ""]


def seeds(each: QuantityComparison) -> str:
    """How many there are, and how many of them were compared one by one."""
    pairs = f", {each.paired} paired" if each.paired else ""
    return f"{each.first_seeds} and {each.second_seeds}{pairs}"


def numbers(each: QuantityComparison) -> list[str]:
    """Both means, the difference with its interval, and the outcome."""
    digits, unit = {"accuracy": (2, ""), "final_loss": (4, ""), "minutes": (1, "%")}[each.quantity]
    interval = "-"
    if each.low is not None and each.high is not None:
        interval = f"{each.low:+.{digits}f}{unit} to {each.high:+.{digits}f}{unit}"
    of_means = 2 if each.quantity == "minutes" else digits
    return [
        f"{each.first:.{of_means}f}",
        f"{each.second:.{of_means}f}",
        f"{each.difference:+.{digits}f}{unit}",
        interval,
        each.outcome,
    ]
