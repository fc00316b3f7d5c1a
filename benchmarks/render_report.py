"""How long a report takes, from finished evidence to the pages.

    python benchmarks/render_report.py [--rounds 5]

The evidence of a study like the demo (three networks, one seed, 10 epochs, drawn results) is made
in a temporary folder. Then `resnet-sizes report` renders it, with the embedded engine, in both
languages and both formats, as often as asked, in a process of its own each time: from the start of
Python to the last file, with the number check of all that was made.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "unit"))

from report_studies import ALL_READINGS, DEMO, study_with_evidence

START = "from resnet_sizes.cli.app import main; main()"


def seconds_to_render(study: Path) -> float:
    """One rendering of everything that the study asks for."""
    command = [sys.executable, "-c", START, "report", str(study), "--engine", "pandoc"]
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - started


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--rounds", type=int, default=5)
    rounds = arguments.parse_args().rounds
    for name, settings in {"the demo": DEMO, "seven readings": ALL_READINGS}.items():
        with tempfile.TemporaryDirectory() as folder:
            study = study_with_evidence(Path(folder), **settings)
            seconds = [seconds_to_render(study) for _ in range(rounds)]
            made = len(list(study.parent.glob("report/*/report.[hp]*")))
        print(
            f"{name}, {made} files, {os.cpu_count()} cores: median {statistics.median(seconds):.1f}"
            f" s of {rounds} ({min(seconds):.1f} to {max(seconds):.1f})"
        )


if __name__ == "__main__":
    main()
