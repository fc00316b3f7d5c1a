"""`resnet-sizes evidence`: table, values and verdicts from a study's results."""

from collections import Counter
from typing import Annotated

import typer

from resnet_sizes.cli.console import result, say
from resnet_sizes.cli.study import StudyPath
from resnet_sizes.schemas.paths import StudyFolder, clamp_future_mtimes


def evidence(
    study: StudyPath,
    partial: Annotated[
        bool, typer.Option("--partial", help="Also where valid runs lack; to partial/evidence.")
    ] = False,
) -> None:
    """Write results/<name>/evidence/: the table, the values, the figures' numbers, the verdicts."""
    from resnet_sizes.evidence.build import build_evidence

    folder = StudyFolder.of_file(study)
    output = folder.partial_evidence if partial else folder.evidence
    verdicts = build_evidence(study, output, allow_partial=partial)
    clamp_future_mtimes(folder, folder.folder.glob("runs/*/*/*/metrics.json"))
    used = sum(run.state == "finished" for run in verdicts.runs)
    say(f"evidence from {used} of {len(verdicts.runs)} runs")
    counts = Counter(one.verdict for one in verdicts.overall if one.same_test_as is None)
    say("verdicts: " + ", ".join(f"{count} {name}" for name, count in counts.most_common()))
    result(str(output))
