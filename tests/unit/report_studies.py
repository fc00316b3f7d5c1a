"""Evidence of synthetic studies, for the tests of the report."""

from pathlib import Path
from typing import Any

from synthetic import make_study

from resnet_sizes.evidence.build import build_evidence
from resnet_sizes.records.layout import StudyFolder

TEMPLATES = Path(__file__).parents[2] / "report"

DEMO: dict[str, Any] = {
    "name": "demo",
    "content": "digits",
    "demo": True,
    "seeds": (0,),
    "epochs": 10,
    "minutes": {"resnet18": 0.42, "resnet50": 1.2, "resnet152": 2.34},
    "accuracies": {"resnet18": 0.9, "resnet50": 0.85, "resnet152": 0.61},
}
PARTIAL: dict[str, Any] = {
    "name": "partial",
    "missing": (
        "scratch-32/resnet50/seed-1",
        "scratch-32/resnet152/seed-0",
        "scratch-32/resnet152/seed-1",
        "scratch-32/resnet152/seed-2",
    ),
}


def study_with_evidence(folder: Path, **settings: Any) -> Path:
    """Make a study with its evidence below `folder` and return its `study.json`."""
    study = make_study(folder, **settings)
    build_evidence(study, StudyFolder.of_file(study).evidence, allow_partial=True)
    return study
