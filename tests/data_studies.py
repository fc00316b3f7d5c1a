"""Studies that differ in their data only."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from resnet_sizes.cli.app import app
from resnet_sizes.io.errors import UserError
from resnet_sizes.io.files import read_record, write_json
from resnet_sizes.io.hashes import content_hash
from resnet_sizes.schemas.paths import StudyFolder
from resnet_sizes.schemas.run.run import StudyFile
from resnet_sizes.schemas.run.tensors import DatasetInfo
from resnet_sizes.schemas.study.study import Study

_PROTOCOL = {"description": {"pt": "para os testes", "en": "for the tests"}}


def study_on(dataset: dict[str, Any], downloads: dict[str, Any] | None = None) -> Study:
    """A valid study with these `dataset` and `downloads` keys."""
    return Study.model_validate(
        {
            "name": "tested",
            "protocols": ["scratch-32"],
            "protocol_definitions": {"scratch-32": _PROTOCOL},
            "dataset": dataset,
            "downloads": downloads or {},
        }
    )


@dataclass(frozen=True)
class Told:
    """What a command ended with and said."""

    status: int
    out: str
    words: str
    """All that it said on standard error, its error included."""


def told_by(*arguments: str | Path) -> Told:
    """Run `resnet-sizes` with these arguments, as `main` does."""
    result = CliRunner().invoke(app, [str(each) for each in arguments])
    if result.exception is None or isinstance(result.exception, SystemExit):
        return Told(result.exit_code, result.stdout, result.stderr)
    if not isinstance(result.exception, UserError):
        raise result.exception
    return Told(1, result.stdout, f"{result.stderr}error: {result.exception}\n")


def study_file_on(home: Path, dataset: dict[str, Any], **downloads: Any) -> Path:
    """Write the `study.json` of a study with these keys below `home`."""
    study = study_on(dataset, downloads)
    path = StudyFolder(home / "results" / study.name).study
    write_json(path, StudyFile(study_hash=content_hash(study), study=study))
    return path


def images_told(path: Path, **dataset: Any) -> tuple[Told, DatasetInfo | None]:
    """`resnet-sizes data` on the images at `path`: what it told, and the `dataset.json` it made."""
    home = path.parent / f"of-{path.name}"
    spec = {"source": "image-folder", "path": str(path), **dataset}
    study = study_file_on(home, spec)
    told = told_by("data", study)
    info = StudyFolder.of_file(study).dataset_info
    return told, read_record(info, DatasetInfo, "") if told.status == 0 else None
