"""Results for others and of others: `archive`, `verify`, `trace`, `certificate`, `compare`."""

import re
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from resnet_sizes.cli.console import Languages, print_records, result, result_json, say
from resnet_sizes.cli.study import StudyPath
from resnet_sizes.io.errors import UserError
from resnet_sizes.io.files import write_text
from resnet_sizes.schemas.comparison import StudyComparison
from resnet_sizes.schemas.paths import StudyFolder
from resnet_sizes.schemas.run.metrics import FIRST_STEPS
from resnet_sizes.schemas.verification import Person

SHOWN_CAUSES = 5

AnyResult = Annotated[
    Path, typer.Argument(help="A study's name or folder, or an archive, packed or unpacked.")
]
Digest = Annotated[str | None, typer.Option(help="The digest that was published with the archive.")]
AsJson = Annotated[bool, typer.Option("--json", help="Everything that was found.")]


def archive(
    study: StudyPath,
    author: Annotated[
        list[str] | None,
        typer.Option(
            help='Who answers for it, as "Ada Lovelace" or "Ada Lovelace <0000-0002-1825-0097>" '
            "with an ORCID; may be given several times.",
            show_default=False,
        ),
    ] = None,
    license: Annotated[str, typer.Option(help="SPDX identifier of its licence.")] = "CC-BY-4.0",
    out: Annotated[
        Path | None, typer.Option(help="Otherwise results/<name>.zip.", show_default=False)
    ] = None,
) -> None:
    """Verify a finished study, and write it as one zip: runs, evidence, reports and code.

    It is a Workflow Run RO-Crate and opens in a browser (ro-crate-preview.html). Prints its path
    and its digest: publish the digest elsewhere, so that others can tell the file from a forged
    one (resnet-sizes verify FILE --digest DIGEST).
    """
    people = [person(text, "--author") for text in author or []]
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9.+-]*", license):
        raise UserError(f"--license: found {license!r}; allowed: an SPDX identifier as CC-BY-4.0.")

    from resnet_sizes.sharing.archive import write_archive

    target = out or Path(f"{study.parent}.zip")
    say("Verifying the study; this takes some seconds.")
    digest = write_archive(study, target, people, license)
    if not people:
        say("No author is named in it: to name one, run it again with --author.")
    result(str(target))
    result(f"digest: {digest}")


def person(text: str, option: str) -> Person:
    """A name, perhaps with an ORCID. Raises UserError, which names the option."""
    found = re.fullmatch(
        r"\s*([^<>]*\S)\s*(?:<(?:https?://orcid\.org/)?(\d{4}-\d{4}-\d{4}-\d{3}[\dX])>)?\s*", text
    )
    if not found:
        raise UserError(
            f'{option}: found {text!r}; allowed: "Ada Lovelace", or with an ORCID '
            '"Ada Lovelace <0000-0002-1825-0097>".'
        )
    digits = (found[2] or "").replace("-", "")[:15]
    total = sum(int(digit) << 15 - place for place, digit in enumerate(digits))
    if found[2] and found[2][-1] != "0123456789X"[(12 - total) % 11]:  # ISO 7064, MOD 11-2
        raise UserError(f"{option}: {found[2]} is no ORCID: its last digit does not fit the rest.")
    return Person(name=found[1], orcid=found[2])


def verify(
    path: AnyResult,
    digest: Digest = None,
    replay: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=FIRST_STEPS,
            help="Also train so many first steps of each run again, and compare their losses; "
            "needs torch and the images.",
            show_default=False,
        ),
    ] = None,
    dataset: Annotated[
        Path | None,
        typer.Option(
            help="For --replay: the tensor file, data/dataset.safetensors of a study of the same "
            "images. An archive has none.",
            show_default=False,
        ),
    ] = None,
    device: Annotated[str, typer.Option(help="For --replay: auto, cpu, mps, cuda")] = "auto",
    as_json: AsJson = False,
) -> None:
    """Make a result again from its runs' predictions and compare it with what is claimed.

    Without --replay it needs no torch, no GPU and no network. It changes nothing. Exit status: 0
    if nothing differs, 1 otherwise.
    """
    from resnet_sizes.sharing.open_archive import OTHER_VERSION
    from resnet_sizes.sharing.verify import summary
    from resnet_sizes.sharing.verify import verify as check

    again = None
    if replay:
        tensors = _images(path, dataset)  # before what takes long
        from resnet_sizes.training.job.replay import replay as train_again

        again = partial(train_again, dataset=tensors, steps=replay, device_name=device)
    found = check(path, digest, again)
    if as_json:
        result_json(found)
    else:
        rows = [{"what": group} | counts for group, counts in summary(found).items()]
        print_records("", rows, *rows[0])
        older = [each for each in found.findings if each.detail.startswith(OTHER_VERSION)]
        for finding in (each for each in found.findings if each not in older):
            if finding.outcome != "agrees":
                result(f"{finding.outcome}: {finding.subject}: {finding.detail}", one_line=True)
        if older:
            reason = f"the result {OTHER_VERSION} than is here, which is no fault"
            same = "numbers and verdicts were made again, what hangs on the version was not"
            result(f"not-compared: {len(older)} because {reason}: {same} (--json names all)")
        if found.digest:
            result(f"digest: {found.digest}")
        counts = found.counts()
        said = "holds: all that was compared agrees" if found.holds else "does not hold, see above"
        others = f"{counts['not-compared']} not compared, for the reasons above"
        say(f"{path} {said} ({counts['agrees']} agree, {counts['differs']} differ, {others}).")
    if not found.holds:
        raise typer.Exit(1)


def _images(path: Path, dataset: Path | None) -> Path:
    """The tensor file for --replay. Raises UserError where there is none, with what makes it."""
    folder = path.parent if path.name == "study.json" else path
    name = folder.name.removesuffix(".zip")
    tried = [dataset] if dataset else [StudyFolder(folder).dataset, StudyFolder.of(name).dataset]
    if known := next(filter(Path.is_file, tried), None):
        return known.absolute()
    overlays = (Path(top, f"{name}.yaml") for top in ("config", "reference"))
    overlay = next(filter(Path.is_file, overlays), "CONFIG.yaml")
    raise UserError(
        f"--dataset: {tried[0]} is no file; needed: the images' tensor file. Make it, and name it "
        f"with --dataset: snakemake {StudyFolder.of(name).dataset} --cores 1"
        + ("" if name == "article" else f" --configfile {overlay}")
    )


def trace(
    path: AnyResult,
    claim: Annotated[str, typer.Argument(help="The claim's id in the article file, as S3.")],
) -> None:
    """Follow a verdict to the numbers, files and predictions that it rests on, counted again."""
    from resnet_sizes.sharing.open_archive import opened_as_listed
    from resnet_sizes.sharing.trace import trace as follow

    with opened_as_listed(path) as found:
        for line in follow(found.study_file, claim):
            result(line, one_line=True)


def certificate(
    path: Annotated[Path, typer.Argument(help="An archive, or the folder it was unpacked to.")],
    checker: Annotated[
        str, typer.Option(help='Who checks, as "Ada Lovelace <0000-0002-1825-0097>".')
    ],
    digest: Digest = None,
    out: Annotated[Path, typer.Option(help="The folder for both files.")] = Path(),
) -> None:
    """Verify an archive and fill CODECHECK's template: codecheck.yml, and a list to tick off.

    What a program can say is filled in. What only a reader can say is left to be ticked. Exit
    status: 0 if nothing differs, 1 otherwise.
    """
    from resnet_sizes.sharing.codecheck import write_certificate

    named = person(checker, "--checker")
    found, written = write_certificate(path, named, digest, out)
    for file in written:
        result(str(file))
    if not found.holds:
        differing = f"does not hold, as it says (differing: {found.counts()['differs']})"
        raise UserError(f"{path}: {differing}. All of it: resnet-sizes verify {path}")


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
    as_json: AsJson = False,
    page: Annotated[
        Path | None, typer.Option(help="Also write it as a page (HTML).", show_default=False)
    ] = None,
    language: Languages = None,
) -> None:
    """Compare the first result with each of the others: numbers, verdicts, and likely causes.

    Accuracies, losses and times are tested over the seeds, pairwise where both have them, with
    Holm's correction. A cause is something that is recorded and not the same in both; the first
    in the list fits what differs best.
    """
    if len(paths) < 2:
        raise UserError("compare: found one result; needed: two or more. Name another.")
    inside = page and any((above / "study.json").is_file() for above in page.absolute().parents)
    if page and (inside or page.suffix != ".html"):
        raise UserError(f"--page: found {page}; allowed: NAME.html, outside of a study's folder.")

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
    result(
        "Archives have the files of their lists; more was not verified: resnet-sizes verify PATH"
    )
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
    if study.same_runs:
        result(f"Runs in both, the same trainings and no repetitions: {study.same_runs}.\n")
    result(
        f"Verdicts on {study.verdicts_compared} claims and readings compared, "
        f"differing: {len(study.verdicts)}.\n"
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
            result(f"Only in the {name}: {', '.join(cells)}.", one_line=True)
