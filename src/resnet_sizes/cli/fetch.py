"""`resnet-sizes fetch`: everything that needs the network, before any job that does not."""

from collections.abc import Callable
from typing import Annotated

import typer

from resnet_sizes.cli.console import result, say
from resnet_sizes.cli.study import StudyPath
from resnet_sizes.io.errors import UserError
from resnet_sizes.schemas.paths import StudyFolder
from resnet_sizes.schemas.run.run import read_study
from resnet_sizes.schemas.run.weights import wanted_weights
from resnet_sizes.schemas.study.study import Study

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
    keys = list(wanted_weights(resolved))
    allowed = [IMAGES, *keys]
    if only is not None and only not in allowed:
        raise UserError(
            f"--only: found {only!r}; allowed for {study}: {', '.join(allowed)}. Name one of "
            "these, or leave --only out to fetch everything."
        )
    problems = []  # all at once: the next try may need another machine
    if only in (None, IMAGES):
        problems += _problem(lambda: _fetch_images(resolved))
    if keys and only != IMAGES:
        problems += _problem(lambda: _fetch_weights(resolved, StudyFolder.of_file(study), only))
    if problems:
        raise UserError("\n".join(problems))


def _problem(step: Callable[[], None]) -> list[str]:
    try:
        step()
    except UserError as error:
        return [str(error)]
    return []


def _fetch_images(study: Study) -> None:
    from resnet_sizes.data.fetch import fetch_images

    path = fetch_images(study)
    if path is None:
        say(f"{study.dataset.source}: comes with an installed library, nothing to fetch")
    else:
        say(f"{study.dataset.source}: is here")
        result(str(path))
    if path is not None and study.dataset.source == "cifar10":
        from resnet_sizes.data.prepare import told_of_pixels

        if told := told_of_pixels(path):
            say(told)


def _fetch_weights(study: Study, folder: StudyFolder, only: str | None) -> None:
    from resnet_sizes.data.weights import fetch_weights

    for info in fetch_weights(study, folder, None if only is None else [only]):
        say(f"{info.key}: {info.initial.name} is here, SHA-256 {info.initial.sha256[:12]}…")
        result(info.path)
