"""Archives of others beside a study of ours, and a pool as its import leaves it."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from shared_results import AUTHOR, drawn_elsewhere, make_result
from test_verify import changed_metrics

from copied_process import copied
from made_once import made_once
from resnet_sizes.io.files import read_record, write_json
from resnet_sizes.io.hashes import content_hash
from resnet_sizes.schemas.paths import StudyFolder
from resnet_sizes.schemas.run.run import StudyFile
from resnet_sizes.schemas.verification import Certificate, Origin, Pool

OTHER_DEVICE = "Another GPU"

CERTIFICATE = Certificate(
    title="Theirs", study="theirs", study_hash="a" * 64, authors=[], license="CC-BY-4.0",
    devices=[], versions={}, training_code=[], code_is_current=True, runs=1,
    started="2025-01-01T20:00:00Z", finished="2025-01-09T20:00:00Z", verified_by="0.1.0",
    checked={}, not_compared=[], preview_sha256="a" * 64,
)  # fmt: skip


def archive_of_others(
    name: str = "theirs", change: Callable[[Path], object] | None = None, **settings: Any
) -> Path:
    """The archive of a study that was made elsewhere, by its settings; not to be changed."""
    wanted = {"name": name, "seeds": (1, 2, 3)} | settings

    def make(folder: Path) -> None:
        study = make_result(folder, reports=False, **wanted)
        for run in study.parent.glob("runs/*/*/*"):
            data = json.loads((run / "metrics.json").read_text("utf-8"))
            changed_metrics(run, device=data["device"] | {"name": OTHER_DEVICE})
        if change:
            change(study.parent)
        _archived(study)

    key = ["archive of others", wanted, change and change.__name__]
    return made_once(key, make) / "results" / f"{name}.zip"


def _archived(study: Path) -> None:
    """Evidence, reports that tell of a drawing program that is not here, and the archive."""
    folder, name = study.parents[2], study.parent.name
    run(folder, "evidence", name)
    run(folder, "report", name, "--engine", "pandoc", "--format", "html")
    for report in study.parent.glob("report/*"):
        drawn_elsewhere(report)
    run(folder, "archive", name, "--author", AUTHOR)


def naming(study: Path, *archives: str) -> Path:
    """Let a study name these under `pool`."""
    own = read_record(study, StudyFile, "").study.model_copy(update={"pool": list(archives)})
    write_json(study, StudyFile(study_hash=content_hash(own), study=own))
    return study


def run(project: Path, *command: str) -> str:
    """What a command that succeeds prints, and says."""
    done = copied().run([*command], project)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def pooled_result() -> Path:
    """A project whose study has two seeds of ours and two of others, with evidence, a report and
    an archive; not to be changed."""

    def make(folder: Path) -> None:
        study = make_result(folder, reports=False)
        shutil.copy(archive_of_others(), folder / "theirs.zip")
        naming(study, "theirs.zip")
        run(folder, "study", "pool", "shared")
        _archived(study)

    return made_once("pooled result", make)


def taken_over(
    study: Path, others: Path, digest: str = "a" * 64, archive: str = "theirs.zip"
) -> Path:
    """The runs of another study in a study's pool, as if its archive had been imported; the folder
    that they are in."""
    folder = StudyFolder.of_file(study)
    place = folder.pooled(digest)
    shutil.copytree(others.parent / "runs", place.folder / "runs")
    known = read_record(folder.pool, Pool, "").origins if folder.pool.is_file() else []
    origin = Origin.model_construct(
        path=archive, sha256="b" * 64, digest=digest, left_out=[], certificate=CERTIFICATE
    )
    write_json(folder.pool, Pool(origins=[*known, origin]))
    naming(study, *(each.path for each in [*known, origin]))
    return place.folder
