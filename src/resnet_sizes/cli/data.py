"""`resnet-sizes fetch`, for all that needs the network, and `data`, for the tensor file."""

from typing import Annotated

import typer

from resnet_sizes.cli.console import result, say
from resnet_sizes.cli.study import StudyPath
from resnet_sizes.io.errors import UserError
from resnet_sizes.schemas.paths import StudyFolder, clamp_future_mtimes
from resnet_sizes.schemas.run.run import read_study
from resnet_sizes.schemas.run.weights import wanted_weights

IMAGES = "images"


def fetch(
    study: StudyPath,
    only: Annotated[
        str | None,
        typer.Option(
            help="images, or one file of initial weights, as resnet50-V2; otherwise everything.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Make sure that the study's images and initial weights are on this machine; print where."""
    resolved = read_study(study).study
    allowed = [IMAGES, *wanted_weights(resolved)]
    if only is not None and only not in allowed:
        raise UserError(
            f"--only: found {only!r}; allowed for {study}: {', '.join(allowed)}. Name one of "
            "these, or leave --only out to fetch everything."
        )
    wanted = allowed if only is None else [only]
    problems = []  # all at once: the next try may need another machine
    if IMAGES in wanted:
        from resnet_sizes.data.fetch import fetch_images

        try:
            path = fetch_images(resolved)
            here = "is here" if path else "comes with an installed library, nothing to fetch"
            say(f"{resolved.dataset.source}: {here}")
            if path:
                result(str(path))
        except UserError as error:
            problems.append(str(error))
    if keys := [key for key in wanted if key != IMAGES]:
        from resnet_sizes.data.weights import fetch_weights

        try:
            for info in fetch_weights(resolved, StudyFolder.of_file(study), keys):
                say(f"{info.key}: {info.initial.name} is here, SHA-256 {info.initial.sha256[:12]}…")
                result(info.path)
        except UserError as error:
            problems.append(str(error))
    if problems:
        raise UserError("\n".join(problems))


def data(study: StudyPath) -> None:
    """Write the study's data/dataset.safetensors and data/dataset.json; print the former."""
    resolved = read_study(study).study

    from resnet_sizes.data.prepare import prepare_dataset

    folder = StudyFolder.of_file(study)
    info = prepare_dataset(resolved, folder.dataset, folder.dataset_info)
    clamp_future_mtimes(folder, [folder.fetched])
    say(
        f"{info.spec.source}: {info.train_images} training and {info.test_images} test images "
        f"in {len(info.class_names)} classes, identity {info.identity[:12]}…"
    )
    result(str(folder.dataset))
