"""The numbers of runs that tables, values and rules are made from."""

from collections.abc import Iterable, Sequence

from resnet_sizes.evidence.runs.read import StudyRuns
from resnet_sizes.evidence.runs.validate import FinishedRun
from resnet_sizes.schemas.article.claims.base import Outcome, Outcomes
from resnet_sizes.schemas.run.metrics import Device
from resnet_sizes.schemas.study.protocol import LAYERS


def wholly_measured(runs: Sequence[FinishedRun]) -> list[FinishedRun]:
    """Those of one model's runs that did all of their own work, over which measured times are.

    A run that reused the features of a frozen backbone took a small part of that. Where every
    run did (another study had made the features), it is all of them.
    """
    caches = [(run, run.metrics.feature_cache) for run in runs]
    return [run for run, cache in caches if cache is None or not cache.reused] or list(runs)


def construction_outcomes(models: Sequence[str]) -> Outcomes:
    """The layer counts alone, for claims that no run can change."""
    return {model: Outcome(LAYERS[model], 0.0, 0.0, 0.0, 0.0) for model in models}


def seed_outcomes(runs: StudyRuns, protocol: str, models: Sequence[str]) -> list[Outcomes]:
    """One table per seed for which all of `models` are finished, in the study's order."""
    by_seed: dict[int, dict[str, Outcome]] = {seed: {} for seed in runs.study.seeds_of(protocol)}
    for model in models:
        for run in runs.of(protocol, model):
            by_seed[run.settings.seed][model] = run.outcome
    return [table for table in by_seed.values() if len(table) == len(set(models))]


def on_one_device(runs: Iterable[FinishedRun]) -> bool:
    """Whether the runs' times may be compared: same device and same number of CPU threads, also
    before an interruption."""
    devices: list[Device] = []
    for run in runs:
        devices += [each.before for each in run.metrics.resumptions if each.before]
        devices.append(run.metrics.device)
    return len({(device.kind, device.name, device.threads) for device in devices}) <= 1


def from_one_code(runs: Iterable[FinishedRun]) -> bool:
    """Whether the runs were made by the same training code under the same version of torch, also
    before an interruption."""
    made_by = set()
    for run in runs:
        metrics = run.metrics
        versions = [each.versions_before for each in metrics.resumptions]
        torch = {each["torch"] for each in versions if "torch" in each}
        torch.add(metrics.versions.get("torch", ""))
        made_by |= {(metrics.code.training_hash, version) for version in torch}
    return len(made_by) <= 1
