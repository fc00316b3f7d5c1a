"""Problems of runs that only show beside the study's other runs."""

from collections import Counter, defaultdict
from collections.abc import Mapping

from resnet_sizes.evidence.runs.validate import REPEAT, CheckedRun, RunProblem
from resnet_sizes.schemas.paths import RunFolder, StudyFolder
from resnet_sizes.schemas.run.run import RunSettings

Results = dict[str, CheckedRun | RunProblem | None]
"""What reading each run gave, by its name; None where there are no metrics."""


def problems_between(
    asked: Mapping[str, RunSettings], results: Results, folder: StudyFolder
) -> Results:
    """The runs that are not used because of what other runs hold, each with its problem.

    Labels come first: runs on other images are no copies. A run that already has a problem gets
    another only where it carries another run's hash, which explains the first.
    """
    found = _other_labels(results, folder)
    found |= _same_predictions(asked, results | found, folder)
    return found | _same_run_hash(results, folder)


def _files(folder: StudyFolder, name: str) -> RunFolder:
    return RunFolder(folder.folder / "runs" / name)


def _other_labels(results: Results, folder: StudyFolder) -> Results:
    """Runs whose test labels are not those of most runs: they saw other images.

    Where no labels are those of more than half, none can be taken for the study's.
    """
    checked = {name: found for name, found in results.items() if isinstance(found, CheckedRun)}
    counts = Counter(found.labels_hash for found in checked.values())
    if len(counts) < 2:
        return {}
    usual, uses = counts.most_common(1)[0]
    is_majority = 2 * uses > len(checked)
    expected = (
        f"those of {uses} of {len(checked)} runs have {usual.hex()[:12]}…"
        if is_majority
        else f"the {len(checked)} runs hold {len(counts)} kinds, none in more than half of them"
    )
    return {
        name: RunProblem(
            "other-data",
            f"{_files(folder, name).predictions}: its labels are not those of the study's other "
            f"runs (their hash is {found.labels_hash.hex()[:12]}…; {expected}). {REPEAT}",
        )
        for name, found in checked.items()
        if not is_majority or found.labels_hash != usual
    }


def _same_predictions(
    asked: Mapping[str, RunSettings], results: Results, folder: StudyFolder
) -> Results:
    """Runs whose logits are the same in every bit.

    Another seed or network draws other initial weights, at least those of the last layer, so no
    two trainings give that. One network with one seed may, under two readings that differ only
    in what has no effect (`precision: auto` and what it means here): those are no copies. Which
    run of a copied file is the original cannot be told, so none is used.
    """
    alike: dict[bytes, list[str]] = defaultdict(list)
    for name, found in results.items():
        if isinstance(found, CheckedRun):
            alike[found.logits_hash].append(name)
    problems: Results = {}
    for names in alike.values():
        if len({(asked[name].model, asked[name].seed) for name in names}) > 1:
            for name in names:
                problems[name] = RunProblem(
                    "duplicated",
                    f"{_files(folder, name).predictions}: holds the same predictions, bit for "
                    f"bit, as {_others(names, name)}; no other network or seed gives that. "
                    "Delete these runs' folders and run snakemake again.",
                )
    return problems


def _same_run_hash(results: Results, folder: StudyFolder) -> Results:
    """Runs with one run hash, which covers protocol, network and seed."""
    alike: dict[tuple[str, str], list[str]] = defaultdict(list)
    for name, found in results.items():
        if found is not None and found.trained is not None:
            alike[found.trained].append(name)
    problems: Results = {}
    for (run_hash, owner), names in alike.items():
        copies = [name for name in names if name != owner]
        for name in names if len(names) > 1 else ():
            problems[name] = RunProblem(
                "duplicated",
                f"{_files(folder, name).metrics}: has the same run_hash ({run_hash[:12]}…) as "
                f"{_others(names, name)}, but each run has its own; this is that of {owner}. "
                f"Delete the folders of {', '.join(copies)} and run snakemake again.",
            )
    return problems


def _others(names: list[str], name: str) -> str:
    return ", ".join(other for other in names if other != name)
