"""Which results on the disk are not those of the study as it is now, by what they say themselves.

Snakemake compares with what it recorded in `.snakemake`, and takes a result of which it has no
record, as after a copy to another machine, for one that fits.
"""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from time import time_ns

from resnet_sizes.io.code_hash import training_code_hash
from resnet_sizes.io.files import read_if_valid, write_text
from resnet_sizes.io.hashes import content_hash
from resnet_sizes.schemas.article.article import load_article
from resnet_sizes.schemas.evidence.verdicts import Verdicts, evidence_inputs
from resnet_sizes.schemas.paths import StudyFolder
from resnet_sizes.schemas.run.metrics import Metrics
from resnet_sizes.schemas.run.run import RunFile, StudyFile, all_run_settings
from resnet_sizes.schemas.run.tensors import DatasetInfo
from resnet_sizes.schemas.run.weights import WeightsInfo, wanted_weights, weights_key
from resnet_sizes.schemas.study.study import Study
from resnet_sizes.schemas.verification import Pool

log = logging.getLogger("resnet_sizes")

SHOWN = 10
"""Warnings, at most: a study may have a thousand runs."""


def write_stale_files(study: Study, fingerprint: Callable[[Path], str]) -> set[str]:
    """Name the study's stale files in `StudyFolder.stale` and in warnings, and return their paths.

    `fingerprint` is that of a file or folder of the user's own, as `WorkflowPlan` takes it.
    That file is written whenever there are any, so that it is newer than they are, and with the
    time: Snakemake passes over an input that is newer but holds what it held at the last job.
    A file that is missing is none of them, since Snakemake makes it, and neither are results that
    cannot be read: what they cost is not thrown away unasked.
    """
    folder = StudyFolder.of(study.name)
    found = dict(_stale_files(study, folder, fingerprint))
    lines = [
        f"{path}: is not of the study as it is now ({reason})" for path, reason in found.items()
    ]
    for line in lines[:SHOWN]:
        log.warning("%s; it is made again", line)
    if len(lines) > SHOWN:
        log.warning("%d more, named in %s", len(lines) - SHOWN, folder.stale)
    if found or not folder.stale.is_file():
        write_text(folder.stale, "\n".join([*lines, f"Planned at {time_ns()}", ""]))
    return set(map(str, found))


def _stale_files(
    study: Study, folder: StudyFolder, fingerprint: Callable[[Path], str]
) -> Iterator[tuple[Path, str]]:
    info = read_if_valid(folder.dataset_info, DatasetInfo)
    own = study.dataset.own_files
    if info is None:
        yield from _unreadable(folder.dataset_info)
    elif info.spec != study.dataset:
        yield folder.dataset_info, "other images"
    elif own and info.source_sha256 not in (None, fingerprint(own[0])):
        yield folder.dataset_info, f"{own[0]} has changed"
    for wanted in wanted_weights(study).values():
        known = read_if_valid(folder.weights(wanted.key), WeightsInfo) if wanted.own_file else None
        if known and known.initial.sha256 != fingerprint(Path(wanted.weights)):
            yield folder.weights(wanted.key), f"{wanted.weights} has changed"
    code = training_code_hash()
    for settings in all_run_settings(study):
        files = folder.run(settings)
        run, metrics = read_if_valid(files.run, RunFile), read_if_valid(files.metrics, Metrics)
        key = weights_key(settings.model, settings.reading)
        weights = key and read_if_valid(folder.weights(key), WeightsInfo)
        if run is None:
            yield from _unreadable(files.run)
        elif fields := run.differing(settings):
            yield files.run, f"other {', '.join(fields)}"
        elif info and run.dataset_identity != info.identity:
            yield files.run, "other images"
        elif weights and run.initial_weights != weights.initial:
            yield files.run, "other initial weights"
        elif metrics and (other := metrics.other_than(run, code)):
            yield files.run, f"results of other {other}"
    pool = read_if_valid(folder.pool, Pool)
    hashes = {each.path: each.sha256 for each in pool.origins} if pool else {}
    for path in study.pool if folder.pool.is_file() else ():
        if hashes.get(path) != fingerprint(Path(path)):
            yield folder.pool, f"{path} {'has changed' if path in hashes else 'is new'}"
    file = folder.evidence / "verdicts.json"
    verdicts, begun = read_if_valid(file, Verdicts), read_if_valid(folder.study, StudyFile)
    if verdicts is None:
        yield from _unreadable(file)
    elif not (begun and begun.study_hash == content_hash(study) == verdicts.study_hash):
        yield file, "another configuration"
    elif verdicts.article_hash != content_hash(load_article(Path(study.article))):
        yield file, "another article file"
    elif verdicts.made_from not in (None, evidence_inputs(Path(study.devices))):
        yield file, "another table of GPUs or version of the code"


def _unreadable(path: Path) -> Iterator[tuple[Path, str]]:
    if path.is_file():
        yield path, "it cannot be read"
