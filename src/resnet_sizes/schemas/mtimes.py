"""The times of a study's files, by which a workflow tells what is newer than what."""

import os
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from resnet_sizes.schemas.paths import StudyFolder


def none_of_the_future(folder: StudyFolder, read: Iterable[Path]) -> None:
    """Where one of the files that a job has `read` seems to be of the future, give all such files
    of its study the present time: to be called when the job's own are written.

    After a clock has been put back, what was made before is newer than what is made now, and
    Snakemake throws away what a job has just made. All get one time, so that none of them becomes
    newer than another.
    """
    present = time.time_ns()
    if not folder.study.is_file() or not any(_is_later(path, present) for path in read):
        return
    for path in folder.folder.rglob("*"):
        if _is_later(path, present):
            with suppress(OSError):
                os.utime(path, ns=(present, present))


def _is_later(path: Path, moment: int) -> bool:
    try:
        return path.stat().st_mtime_ns > moment
    except OSError:
        return False
