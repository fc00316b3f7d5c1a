"""Runs of others that count as further seeds of a study."""

from collections.abc import Sequence

from resnet_sizes.evidence.runs.validate import FinishedRun, read_run
from resnet_sizes.io.errors import UserError
from resnet_sizes.io.files import read_record
from resnet_sizes.schemas.paths import StudyFolder
from resnet_sizes.schemas.run.problems import RunProblem
from resnet_sizes.schemas.run.run import run_settings
from resnet_sizes.schemas.run.tensors import DatasetInfo
from resnet_sizes.schemas.study.study import Study
from resnet_sizes.schemas.verification import Pool, PooledOrigin, WhyLeftOut


def read_pool(
    study: Study, folder: StudyFolder, info: DatasetInfo, ours: Sequence[FinishedRun]
) -> tuple[list[FinishedRun], list[PooledOrigin]]:
    """The runs that count, archive by archive, and what became of the others.

    A seed of a protocol counts once, and only where all of the study's models have it: ours before
    any other, then that of the archive named first. Raises UserError where archives have not been
    taken over as the study is now, or a run cannot be read.
    """
    remedy = f"Run: resnet-sizes study pool {folder.study}"
    origins = read_record(folder.pool, Pool, remedy).origins if study.pool else []
    if [origin.path for origin in origins] != study.pool:
        raise UserError(f"{folder.pool}: is of other archives than the study names. {remedy}")
    taken: dict[tuple[str, int], WhyLeftOut] = {
        (name, seed): "seed-is-ours" for name in study.protocols for seed in study.seeds_of(name)
    }
    known, records = list(ours), []
    for origin in origins:
        place, used = folder.pooled(origin.digest), []
        left_out: dict[str, WhyLeftOut] = dict.fromkeys(origin.left_out, "other-settings")
        for name in study.protocols:
            files = (place.folder / "runs" / name).glob("*/seed-*/metrics.json")
            for seed in sorted({int(file.parent.name.removeprefix("seed-")) for file in files}):
                asked = [run_settings(study, name, model, seed) for model in study.models]
                there = [each for each in asked if place.run(each).metrics.is_file()]
                try:
                    runs = [read_run(each, folder, info, origin.digest) for each in there]
                except RunProblem as problem:
                    raise UserError(f"{problem} Of the pool: {remedy}") from None
                whole = len(there) == len(asked)
                if why := taken.get((name, seed)) or _obstacle(runs, known, whole):
                    left_out |= {run.settings.name: why for run in runs}
                else:
                    used += runs
                    taken[name, seed] = "seed-is-anothers"
        known += used
        names = [run.settings.name for run in used]
        records.append(PooledOrigin(origin=origin, used=names, left_out=left_out))
    return known[len(ours) :], records


def _obstacle(
    runs: Sequence[FinishedRun], known: Sequence[FinishedRun], whole: bool
) -> WhyLeftOut | None:
    """What keeps the runs of one seed from counting beside those that are `known`, ours first."""
    firsts = {(run.settings.protocol, run.settings.model): run for run in reversed(known)}
    pairs = [(firsts.get((run.settings.protocol, run.settings.model)), run) for run in runs]
    for own, run in pairs:
        if own is None or not whole:
            return "incomplete"
        if own.metrics.code.training_hash != run.metrics.code.training_hash:
            return "other-code"
        if own.labels_hash != run.labels_hash:
            return "other-settings"
        if any(each.logits_hash == run.logits_hash for each in known):
            return "same-predictions"
    return None
