"""Doing something again whenever a run of a study is finished."""

import time
from collections.abc import Callable
from pathlib import Path

from resnet_sizes.cli.console import say
from resnet_sizes.io.files import read_record
from resnet_sizes.schemas.paths import StudyFolder
from resnet_sizes.schemas.run.run import StudyFile, all_run_settings

INTERVAL = 2.0
"""Seconds between two looks at the study's folder."""


def until_all_are_finished(study: Path, again: Callable[[], None], interval: float) -> None:
    """Call `again` now, and after each change of the study's results, until every run that the
    study asks for has some. What is asked for is read anew each time.
    """
    seen: object = None
    while True:
        found = _results(study)
        if found != seen:
            again()
            seen = found
            missing = sum(stamp is None for stamp in found.values())
            if not missing:
                say("All runs are finished.")
                return
            say(f"Waiting for {missing} of {len(found)} runs; Ctrl-C ends it.")
        time.sleep(interval)


def _results(study: Path) -> dict[str, int | None]:
    """By run, when its metrics were written; None where there are none yet."""
    remedy = "Write it with: resnet-sizes study write <overlays>"
    settings = all_run_settings(read_record(study, StudyFile, remedy).study)
    folder = StudyFolder.of_file(study)
    found: dict[str, int | None] = {}
    for run in settings:
        try:
            found[run.name] = folder.run(run).metrics.stat().st_mtime_ns
        except FileNotFoundError:
            found[run.name] = None
    return found
