"""Unpack the results of an archive in reference/ to results/, for a report in both languages:

python scripts/unpack_example.py NAME
"""

import sys
import zipfile
from pathlib import Path

from resnet_sizes.io.files import write_json
from resnet_sizes.io.hashes import content_hash
from resnet_sizes.schemas.paths import StudyFolder
from resnet_sizes.schemas.run.run import StudyFile, read_study


def unpack(name: str) -> None:
    """The study is left as it is, but for the languages: a page links to those of its study."""
    with zipfile.ZipFile(Path("reference") / f"{name}.zip") as archive:
        members = [each for each in archive.namelist() if each.startswith("results/")]
        archive.extractall(members=members)
    path = StudyFolder.of(name).study
    study = read_study(path).study
    report = study.report.model_copy(update={"languages": ["pt", "en"]})
    study = study.model_copy(update={"report": report})
    write_json(path, StudyFile(study_hash=content_hash(study), study=study))


if __name__ == "__main__":
    unpack(sys.argv[1])
