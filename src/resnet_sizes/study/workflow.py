"""What the Snakefile asks of a study: its files, what makes a job run again, results to keep."""

import re
import shlex
import shutil
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml
from snakemake.utils import update_config

from resnet_sizes.io.hashes import canonical_json, content_hash
from resnet_sizes.io.shipped import SHIPPED
from resnet_sizes.io.yaml import parse_yaml
from resnet_sizes.schemas.paths import StudyFolder
from resnet_sizes.schemas.run.run import RUN_NAME, RunSettings, all_run_settings, run_settings
from resnet_sizes.schemas.run.weights import wanted_weights, weights_key
from resnet_sizes.schemas.study.study import REPORT_FILES, Study
from resnet_sizes.study import loading

CLUSTER_THREADS = 4
"""What a training asks a scheduler for, beside its GPU, where the study does not say: this
machine's number of cores is not that of the machine that will train."""


def command_problem(project: Path, arguments: Sequence[str]) -> str | None:
    """What is wrong with a call of Snakemake that it would misread without a word, or None.

    `project` is the Snakefile's folder, `arguments` are those of the process.
    """
    if not project.samefile(Path.cwd()):
        return (
            f"The working directory is {Path.cwd()}; allowed: the project's own, {project}, where "
            "configuration, templates and results lie. Run the same command there, without "
            f"--directory: cd {shlex.quote(str(project))}"
        )
    # Options may be abbreviated, and of one that is given again the last alone counts.
    if sum(bool(re.match(r"--configf\w*(=|$)", word)) for word in arguments) > 1:
        return (
            "--configfile is given more than once, of which Snakemake reads the last alone. Name "
            "all overlays behind one, in order: --configfile config/ONE.yaml config/OTHER.yaml"
        )
    return None


def configuration_files(all_files: Iterable[str], overlays: Iterable[str]) -> list[Path]:
    """The files the configuration came from, the one with the last word last; relative to the
    working directory where they lie below it.

    Snakemake lists the overlays of the command line first and the Snakefile's own after them, of
    which a workflow that gives these rules their configuration has no defaults.
    """
    overlays, here = list(overlays), Path.cwd()
    own = [path for path in all_files if path not in overlays]
    ordered = [SHIPPED / loading.DEFAULT_CONFIG, *map(Path, own), *map(Path, overlays)]
    files = dict.fromkeys(path.absolute() for path in ordered)
    return [path.relative_to(here) if path.is_relative_to(here) else path for path in files]


def checked_study(
    config: Mapping[str, Any], command_line: Mapping[str, Any], files: list[Path]
) -> Study:
    """The study of Snakemake's configuration, with all checked that is known before any job.

    `config` is what another workflow gives these rules, `command_line` what `--config` gave, over
    the content of `files`. Raises UserError with every problem at once.
    """
    merged: dict[str, Any] = {}
    contents = {path: loading.read_yaml_mapping(path) for path in files}
    for content in [*contents.values()][: 1 if config else None]:  # the first has the defaults
        update_config(merged, content)
    for given in (config, _values_from_text(command_line)):
        update_config(merged, loading.study_part(given))
    study = loading.check_study(merged, contents)
    loading.check_files(study)
    return study


def _values_from_text(data: Any) -> Any:
    """What `--config` of Snakemake gives as text inside mappings and lists, as YAML reads it."""
    if isinstance(data, Mapping):
        return {key: _values_from_text(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [_values_from_text(item) for item in data]
    with suppress(yaml.YAMLError):
        return parse_yaml(data) if isinstance(data, str) else data
    return data


class WorkflowPlan:
    """The files and parameters of the rules for one study. `wildcards` are Snakemake's."""

    def __init__(self, study: Study, fingerprint: Callable[[Path], str]) -> None:
        """`fingerprint` changes with the content of a file or folder of the user's own."""
        self.study = study
        self._fingerprint = fingerprint
        self.folder = StudyFolder.of(study.name)
        self.runs = all_run_settings(study)
        self.run_folders = [self.folder.run(run) for run in self.runs]
        # The folder of any run, with the wildcards protocol, model and seed.
        self.run_pattern = self.folder.run(RUN_NAME)
        # What `auto` means depends on the device, so the run files are then written where the
        # GPU is. Otherwise they are written here: a scheduler would take longer than the job.
        self.asks_device = any("auto" in (run.reading.precision, run.compile) for run in self.runs)
        # Only what has to be fetched is fetched; the marker says that it was there and verified.
        self.archive_marker = [self.folder.fetched] if study.dataset.source == "cifar10" else []
        self.weights = wanted_weights(study)
        self.fetched = [*self.archive_marker, *(self.folder.weights(key) for key in self.weights)]
        # Addresses decide whether the archive can be fetched, never what it is: a new one is no
        # reason to train again.
        cifar10 = study.downloads.cifar10
        self.archive_identity = canonical_json([study.downloads.folder, cifar10.file, cifar10.md5])
        # A folder or archive of the user's own: its content decides, not its time.
        self.own_data = [str(path) for path in study.dataset.own_files]
        self.own_data_fingerprint = [fingerprint(path) for path in study.dataset.own_files]

        self.pool = [self.folder.pool] if study.pool else []
        self.pool_fingerprints = [fingerprint(Path(path)) for path in study.pool]

    def settings(self, wildcards: Any) -> RunSettings:
        """The settings of the run with the wildcards of `run_pattern`."""
        return run_settings(self.study, wildcards.protocol, wildcards.model, int(wildcards.seed))

    def settings_hash(self, wildcards: Any) -> str:
        """All that the configuration decides of one run: a run is repeated when it changes."""
        return content_hash(self.settings(wildcards))

    def weights_identity(self, wildcards: Any) -> str | list[str]:
        """What decides whether a file of weights is the right one, where it lies, and its content.

        Addresses and time-outs are left out: they decide whether it can be fetched, never what
        it is.
        """
        weights = self.weights[wildcards.key]
        if not weights.own_file:
            return self.study.downloads.folder
        return [weights.weights, *weights.stems, self._fingerprint(Path(weights.weights))]

    def initial_weights(self, wildcards: Any) -> list[Path]:
        """The description of a run's initial weights; nothing where they are random."""
        key = weights_key(wildcards.model, self.settings(wildcards).reading)
        return [] if key is None else [self.folder.weights(key)]

    def together(self, wildcards: Any) -> list[Path]:
        """What says that a run's seeds have been trained in one process; nothing where they are
        trained one by one: of their features, which are kept, and of the start of a process there
        would be little to share."""
        first, *others = self.runs_together(wildcards)
        return [self.folder.together(first.name)] if first.keeps_features and others else []

    def runs_together(self, wildcards: Any) -> list[RunSettings]:
        """The seeds of a run's reading and model."""
        seeds = self.study.seeds_of(wildcards.protocol)
        return [run_settings(self.study, wildcards.protocol, wildcards.model, n) for n in seeds]

    def train_threads(self, cores: int | None, gpus: int) -> int:
        """The CPU cores of one run: on this machine a fair share of its `cores` for each of the
        GPUs that Snakemake may use at once. `cores` is None where a scheduler runs the jobs."""
        if self.study.training.threads != "auto":
            return self.study.training.threads
        return CLUSTER_THREADS if cores is None else max(1, cores // max(1, gpus))

    def keep_results(self, repeated: Container[str]) -> None:
        """Link the results that are there into `work/`: Snakemake deletes those of a run that it
        repeats, and where nothing that decides them has changed, they are put back. Of the runs
        whose repetition somebody asks for, by name in `repeated`, nothing stays there."""
        for run in self.runs:
            files, kept = self.folder.run(run), self.folder.kept(run.name)
            if run.name in repeated:
                shutil.rmtree(kept.folder, ignore_errors=True)
                continue
            for source in files.results(self.study.training.keep_weights):
                if source.is_file():
                    target = kept.folder / source.name
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.unlink(missing_ok=True)
                    try:
                        target.hardlink_to(source)
                    except OSError:  # another file system, or one without links
                        shutil.copy2(source, target)

    def drop_kept_results(self) -> None:
        """Remove them again, but for those of runs that have no results now."""
        for run in self.runs:
            if self.folder.run(run).metrics.is_file():
                shutil.rmtree(self.folder.kept(run.name).folder, ignore_errors=True)

    def closing_words(self, asked: Container[str], failed: bool) -> list[str]:
        """What to print when Snakemake ends: how to go on, where the reports are that were
        `asked` for, by their paths, and which others are older than the results."""
        words = self._how_to_go_on() if failed else []
        verdicts = self.folder.evidence / "verdicts.json"
        results = [*(files.metrics for files in self.run_folders), verdicts]
        newest = max((path.stat().st_mtime for path in results if path.is_file()), default=0.0)
        for path in sorted(self.folder.folder.glob("report/*/*")):
            if path.name not in ("article.qmd", *REPORT_FILES.values()):
                continue
            if not failed and str(path) in asked:
                words.append(f"Report: {path}")
            elif path.stat().st_mtime < newest:
                words.append(f"Older than the results, and not made again: {path}")
        return words

    def _how_to_go_on(self) -> list[str]:
        runs, done = len(self.runs), sum(files.metrics.is_file() for files in self.run_folders)
        if done == runs:
            return [
                "Every run has results. If one of them is reported as invalid above, delete the "
                "file named there; the same command then makes it again."
            ]
        words = [
            f"{done} of {runs} runs have results. Mend what is named above; the same "
            "command then goes on with the others."
        ]
        if done:
            command = f"resnet-sizes report --partial {self.study.name}"
            words.append(f"A report on what is there: {command}")
        return words
