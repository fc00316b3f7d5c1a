"""A study of two runs in a folder of its own; the first is trained by the command."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from child_runs import PROBE, Home
from resnet_sizes.io.files import write_json
from resnet_sizes.io.hashes import content_hash
from resnet_sizes.schemas.base import utc_now
from resnet_sizes.schemas.paths import PROGRESS, RunFolder, StudyFolder
from resnet_sizes.schemas.run.progress import RunProgress
from resnet_sizes.schemas.run.run import StudyFile
from resnet_sizes.schemas.study.study import Study

TRAINED = "scratch-32/resnet18/seed-0"
OTHER = "scratch-32/resnet18/seed-1"


class StudyHome(Home):
    """`results/tiny/study.json` asks for two seeds of a head on features; the first is planned."""

    log = f"results/tiny/logs/train/{TRAINED}.log"
    """As the rule names it."""

    def __init__(self, folder: Path, epochs: int = 4) -> None:
        super().__init__(folder, images=160, reading=PROBE, epochs=epochs)
        self.ask_for()

    def ask_for(self, seeds: Sequence[int] = (0, 1), **training: Any) -> None:
        """Write the study; `training` are other keys than those of the run."""
        run = self.run
        asked = {
            "epochs": run.epochs,
            "batch_size": run.batch_size,
            "learning_rate": run.learning_rate,
            "evaluation_batch_size": run.evaluation_batch_size,
            "deterministic": run.deterministic,
            "threads": run.threads,
        }
        description = {"pt": "leitura de teste", "en": "a reading for tests"}
        study = Study.model_validate(
            {
                "name": "tiny",
                "dataset": {"source": "image-folder", "path": "images"},
                "models": ["resnet18"],
                "protocols": ["scratch-32"],
                "seeds": list(seeds),
                "training": asked | training,
                "protocol_definitions": {"scratch-32": {"description": description, **PROBE}},
            }
        )
        write_json(self.study.study, StudyFile(study_hash=content_hash(study), study=study))

    @property
    def study(self) -> StudyFolder:
        """The files of the study."""
        return StudyFolder(self.folder / "results" / "tiny")

    @property
    def files(self) -> RunFolder:
        """The files of the first run."""
        return self.study.run(self.run)

    @property
    def home(self) -> Path:
        """Where its checkpoints and its progress lie."""
        return self.work / content_hash(self.run)

    def progress(self) -> RunProgress | None:
        """What it tells of itself."""
        path = self.home / PROGRESS
        if not path.exists():
            return None
        return RunProgress.model_validate_json(path.read_text(encoding="utf-8"))

    def change_progress(self, **values: Any) -> None:
        """As if it had told something else."""
        found = self.progress()
        assert found
        write_json(self.home / PROGRESS, found.model_copy(update=values))

    def tell(self, **values: Any) -> None:
        """As if the first run, in a process of another machine, told this of itself now."""
        record = RunProgress(
            **{
                "run": self.run.name,
                "epochs": self.run.epochs,
                "host": "elsewhere",
                "process": 4711,
                "process_started": 0.0,
                "updated": utc_now(),
            }
            | values
        )
        write_json(self.home / PROGRESS, record)

    def twin(self, name: str) -> StudyFolder:
        """A study of the same runs in the same folder, with another name."""
        other = StudyFolder(self.study.folder.with_name(name))
        shutil.copytree(self.study.folder, other.folder)
        study = StudyFile.model_validate_json(self.study.study.read_text(encoding="utf-8")).study
        renamed = study.model_copy(update={"name": name})
        write_json(other.study, StudyFile(study_hash=content_hash(renamed), study=renamed))
        return other

    def arguments(self, *options: str, log: str = "log.txt") -> list[str]:
        """As the rule calls the command."""
        found = super().arguments(*options, log=log)
        run = str(self.files.run.relative_to(self.folder))
        return [run if each == "run/run.json" else each for each in found]
