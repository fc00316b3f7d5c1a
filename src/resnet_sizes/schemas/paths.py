"""Where a study's files lie, and their times, by which Snakemake tells what is newer."""

import os
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from resnet_sizes.schemas.run.run import RunSettings

WORK = Path("work")
"""What runs need while they are under way; it may be deleted when none is."""

FEATURES = "features"
"""Features of frozen backbones, shared by all studies in the working directory; below `WORK`."""

PROGRESS = "progress.json"
"""How far a run is; beside its checkpoints."""


class RunFolder:
    """The files of one run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.run = folder / "run.json"  # the run file
        self.log = folder / "log.jsonl"  # one JSON line per epoch, written as it happens
        self.predictions = folder / "predictions.safetensors"  # logits and labels, of test images
        self.metrics = folder / "metrics.json"  # the results, written last
        self.weights = folder / "weights.safetensors"  # the trained network, where it is asked for
        self.card = folder / "model-card.md"  # what those weights are, for people and model hubs

    def results(self, with_weights: bool) -> list[Path]:
        """What a training makes, `metrics.json` last."""
        of_weights = [self.weights, self.card] if with_weights else []
        return [*of_weights, self.predictions, self.metrics]


class StudyFolder:
    """The files of one study, all below `results/<name>/`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.study = folder / "study.json"  # the resolved configuration
        self.fetched = folder / "data" / "fetched"  # says that the archive was there and verified
        self.dataset = folder / "data" / "dataset.safetensors"  # the tensor file
        self.dataset_info = folder / "data" / "dataset.json"  # what is known besides its pixels
        self.forecast = folder / "forecast.json"  # what runs may cost; no rule's input or output
        self.evidence = folder / "evidence"  # table, figures, verdicts and values
        self.partial_evidence = folder / "partial" / "evidence"  # the same of a partial study
        self.pool = folder / "pool" / "pool.json"
        """The archives of others whose runs count too; beside it, a folder of each."""
        self.stale = WORK / "stale" / f"{folder.name}.txt"
        """Names the files that were not of the study when Snakemake planned last."""

    @classmethod
    def of(cls, name: str) -> "StudyFolder":
        """The folder of the study with this name, below the working directory."""
        return cls(Path("results") / name)

    @classmethod
    def of_file(cls, study_file: Path) -> "StudyFolder":
        """The folder in which a `study.json` lies."""
        return cls(study_file.parent)

    @classmethod
    def of_run_file(cls, run_file: Path) -> "StudyFolder":
        """The folder of the study that a `runs/<protocol>/<model>/seed-<n>/run.json` is of."""
        above = run_file.absolute().parents
        return cls(above[min(4, len(above) - 1)])  # of a copy near the root there is none

    def weights(self, key: str) -> Path:
        """What is known of one file of initial weights; `key` as of `weights_key`."""
        return self.folder / "weights" / f"{key}.json"

    def run(self, run: RunSettings | str) -> RunFolder:
        """The folder of one run, also by its name; of a name with wildcards, those of all runs."""
        return RunFolder(self.folder / "runs" / (run if isinstance(run, str) else run.name))

    def pooled(self, digest: str) -> "StudyFolder":
        """The runs from an archive with this digest, which lie there as in a study of its own."""
        return StudyFolder(self.pool.parent / digest)

    def kept(self, run: str) -> RunFolder:
        """Results of a run that were there when Snakemake began, which deletes those of each job
        that it repeats; no rule's output."""
        return RunFolder(WORK / "kept" / self.folder.name / run)

    def log(self, job: str) -> Path:
        """What one job said when Snakemake ran it last."""
        return self.folder / "logs" / f"{job}.log"

    def together(self, run: str) -> Path:
        """Says that a reading and model's seeds, this run first, were trained in one process."""
        return self.folder / "together" / run

    def training_log(self, settings: RunSettings, first: RunSettings) -> Path:
        """What one run said when Snakemake ran it last, or the process did that trained it with
        others, of which `first` was the first."""
        logs = [self.log(f"train/{settings.name}"), self.log(f"train_seeds/{first.name}")]
        return max(logs, key=lambda path: path.stat().st_mtime if path.is_file() else 0.0)

    def training_benchmark(self, run: str) -> Path:
        """What Snakemake measured of the process of one run."""
        return self.folder / "benchmarks" / "train" / f"{run}.tsv"

    def report(self, language: str) -> Path:
        """The report in one language."""
        return self.folder / "report" / language

    def figure(self, name: str, language: str, format: str) -> Path:
        """A figure in one language and one format."""
        return self.report(language) / f"figure-{name}.{format}"

    def partial_report(self, language: str) -> Path:
        """The report on an unfinished study; no rule's output."""
        return self.folder / "partial" / "report" / language


def clamp_future_mtimes(folder: StudyFolder, read: Iterable[Path]) -> None:
    """Give files of the study with a modification time in the future the present time.

    Does so only if one of the files that a job has `read` is among them. Call it when the job
    has written its own files. After a clock has been put back, older files look newer than the
    job's, and Snakemake would delete what the job has just made. All get one time, so that none
    becomes newer than another.
    """
    now = time.time_ns()
    if not folder.study.is_file() or not any(_is_later(path, now) for path in read):
        return
    for path in folder.folder.rglob("*"):
        if _is_later(path, now):
            with suppress(OSError):
                os.utime(path, ns=(now, now))


def _is_later(path: Path, moment: int) -> bool:
    try:
        return path.stat().st_mtime_ns > moment
    except OSError:
        return False
