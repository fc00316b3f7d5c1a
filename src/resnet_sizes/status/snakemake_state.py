"""What Snakemake's own folder and this machine's processes tell."""

import json
import os
from base64 import urlsafe_b64decode
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import psutil

from resnet_sizes.io.locks import is_alive
from resnet_sizes.schemas.status import SnakemakeStatus


def recorded_jobs(root: Path) -> dict[str, str]:
    """The scheduler's numbers of jobs under way, by the outputs that they are to make, which are
    paths as the rules name them.

    Snakemake (9, with its records in files) keeps them from the submission on, in files whose
    names are the outputs' in base64. A long name is cut, and all but its end are folders.
    """
    folder = root / ".snakemake" / "incomplete"
    found = {}
    for inner, _, files in os.walk(folder):
        before = "".join(part.removeprefix("@") for part in Path(inner).relative_to(folder).parts)
        for name in files:
            with suppress(OSError, ValueError, KeyError, TypeError):
                number = json.loads(Path(inner, name).read_bytes())["external_jobid"]
                if isinstance(number, str):
                    found[urlsafe_b64decode(before + name).decode()] = number
    return found


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
            if root.samefile(process.cwd()) and process.info["status"] != psutil.STATUS_ZOMBIE:
                found.append((process.info["create_time"], process.info["pid"]))
    return min(found)[1] if found else None
