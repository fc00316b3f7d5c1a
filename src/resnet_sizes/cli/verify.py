"""`resnet-sizes verify`: whether a result says what its runs say."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from resnet_sizes.cli.console import print_records, result, result_json, say
from resnet_sizes.io.errors import UserError
from resnet_sizes.schemas.run.metrics import FIRST_STEPS


def verify(
    path: Annotated[
        Path, typer.Argument(help="A study's name or folder, or an archive, packed or unpacked.")
    ],
    digest: Annotated[
        str | None, typer.Option(help="The digest that was published with the archive.")
    ] = None,
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
    as_json: Annotated[bool, typer.Option("--json", help="Everything that was found.")] = False,
) -> None:
    """Make a result again from its runs' predictions and compare it with what is claimed.

    Without --replay it needs no torch, no GPU and no network. It changes nothing. Exit status: 0
    if nothing differs, 1 otherwise.
    """
    from resnet_sizes.sharing.verify import summary
    from resnet_sizes.sharing.verify import verify as check

    again = None
    if replay:
        from resnet_sizes.training.job.replay import replay as train_again

        folder = path.parent if path.name == "study.json" else path
        tensors = dataset or folder / "data" / "dataset.safetensors"
        if not tensors.is_file():
            raise UserError(
                f"--dataset: {tensors} is no file; needed: the images' tensor file. Make it, "
                "and name it with --dataset: snakemake results/NAME/data/dataset.safetensors "
                "--cores 1 --configfile CONFIG.yaml"
            )
        again = partial(train_again, dataset=tensors.absolute(), steps=replay, device_name=device)
    found = check(path, digest, again)
    if as_json:
        result_json(found)
    else:
        print_records(
            "",
            summary(found).items(),
            what=lambda item: item[0],
            **{name: lambda item, name=name: item[1][name] for name in found.counts()},
        )
        for finding in found.findings:
            if finding.outcome != "agrees":
                result(f"{finding.outcome}: {finding.subject}: {finding.detail}")
        if found.digest:
            result(f"digest: {found.digest}")
        counts = found.counts()
        differ = counts["differs"]
        said = f"{differ} differ" if differ else "all that was compared agrees"
        others = counts["not-compared"]
        say(f"{path}: {said}" + (f"; {others} could not be compared." if others else "."))
    if not found.holds:
        raise typer.Exit(1)
