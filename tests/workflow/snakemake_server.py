"""Snakemake in copies of one process that has loaded it: an import costs more than a dry run.

Reads a JSON line for each command (arguments, folder, environment, file for the output) and
answers with its exit status.
"""

import json
import os
import sys
from pathlib import Path
from typing import NoReturn

from preloaded import load, work_in
from snakemake.cli import main

sys.path.append(str(Path(__file__).parents[1]))

from saved_time import remember_hashes

# What the rules import.
MODULES = (
    "data.fingerprint", "data.official", "io.code_hash", "reporting.render.engines",
    "schemas.evidence.figures", "schemas.operations", "study.run_files", "study.staleness",
    "study.workflow", "training.supervision.launch",
)  # fmt: skip


def run(arguments: list[str], folder: str, environment: dict[str, str], output: str) -> NoReturn:
    """The command `snakemake`, as a new process runs it."""
    with Path(output).open("wb", buffering=0) as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    work_in(folder, environment)
    remember_hashes(environment)
    sys.argv = ["snakemake", *arguments]
    main()
    raise AssertionError("Snakemake ends with sys.exit")


def serve() -> None:
    """Run the commands of standard input until it is closed."""
    load(f"resnet_sizes.{name}" for name in MODULES)
    for line in sys.stdin:
        if (child := os.fork()) == 0:
            run(**json.loads(line))
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    serve()
