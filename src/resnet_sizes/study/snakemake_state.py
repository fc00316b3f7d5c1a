"""What Snakemake's own folder and this machine's processes tell."""

import json
from base64 import urlsafe_b64encode
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import psutil

from resnet_sizes.records.processes import is_alive
from resnet_sizes.records.status import SnakemakeStatus

LONGEST_NAME = 254
"""Characters of one part of the name of a record in `.snakemake`."""


def job_number(root: Path, output: Path) -> str | None:
    """The scheduler's number of the job that is to make `output`, a path as the rules name it.

    Snakemake (9, with its records in files) keeps it from the submission on. None where it does
    not, or where no job is under way.
    """
    name = urlsafe_b64encode(output.as_posix().encode()).decode()
    parts = [name[start : start + LONGEST_NAME] for start in range(0, len(name), LONGEST_NAME)]
    record = Path(*(f"@{part}" for part in parts[:-1]), parts[-1])
    try:
        kept = json.loads((root / ".snakemake" / "incomplete" / record).read_bytes())
        number = kept["external_jobid"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return number if isinstance(number, str) else None


def snakemake_status(root: Path, results: Path, named: Iterable[int]) -> SnakemakeStatus:
    """Whether a Snakemake works on the results below `results` (relative to `root`).

    `named` are processes of this machine that runs have told of as theirs.
    """
    locked = _holds_lock(root, results)
    process = _find(root) if locked else None
    if process is None:
        process = next((number for number in named if is_alive(number)), None)
    if process is not None:
        return SnakemakeStatus(
            state="running", process=process, note=f"Snakemake is running (process {process})."
        )
    if locked:
        return SnakemakeStatus(
            state="locked",
            note="Snakemake's lock is there and none runs in this folder on this machine: it runs "
            "on another one, or was killed (then: snakemake --unlock).",
        )
    return SnakemakeStatus(state="away", note="No Snakemake is running.")


def _holds_lock(root: Path, results: Path) -> bool:
    """Whether a lock names a file of this study as an output."""
    prefix = f"{results.as_posix()}/"
    for path in (root / ".snakemake" / "locks").glob("*.output.lock"):
        try:
            lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            continue
        if any(line.startswith(prefix) for line in lines):
            return True
    return False


def _find(root: Path) -> int | None:
    """The Snakemake of this machine that works in `root`; the oldest, which started the others."""
    found = []
    for process in psutil.process_iter(["pid", "cmdline", "create_time", "status"]):
        words = process.info["cmdline"] or []
        if not any(word.rsplit("/", 1)[-1] == "snakemake" for word in words[:3]):
            continue
        with suppress(psutil.Error, OSError):
            if Path(process.cwd()) == root and process.info["status"] != psutil.STATUS_ZOMBIE:
                found.append((process.info["create_time"], process.info["pid"]))
    return min(found)[1] if found else None
