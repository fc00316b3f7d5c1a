"""How far `resnet-sizes forecast` is from what a small study then takes.

    python benchmarks/forecast_error.py [--archive cifar10-jpeg.tar.gz] [--rounds 3]

In each round each study is forecast and then made by the real commands, from nothing to its report
in an empty copy of the project: the demo; the last layer of a ResNet-18 trained at 224 pixels with
three seeds, on digits and from random weights, which take as long as trained ones; and, with an
archive of images that has CIFAR-10's layout, 2,000 of them under scratch-32. The table has the
medians; the JSON file in results/ every sample.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch
from machine import machine, result_name
from torch.optim.swa_utils import update_bn
from torchvision.models import resnet18

ROOT = Path(__file__).parents[1]
LINKED = ["Snakefile", "workflow", "config", "report", "profiles", "src"]

PROBE = """\
name: probe
demo: true
dataset: {source: digits, limit: {train: 800, test: 200}}
models: [resnet18]
protocols: [probe-224]
protocol_definitions:
  probe-224: {weights: random.pth, precision: auto}
training: {device: cpu, epochs: 20}
seeds: [0, 1, 2]
"""

SCRATCH = """\
name: scratch
dataset:
  {source: image-folder, path: ARCHIVE, content: cifar10-reencoded, limit: {train: 2000, test: 500}}
models: [resnet18, resnet50]
protocols: [scratch-32]
training: {device: cpu, epochs: 3}
seeds: [0]
"""


def seconds_of(folder: Path, *command: str) -> float:
    """How long a command takes in a folder; ends with its output if it fails."""
    paths = [str(Path(sys.executable).parent), os.environ["PATH"]]
    environment = {"PYTHONPATH": str(folder / "src"), "PATH": os.pathsep.join(paths)}
    started = time.perf_counter()
    done = subprocess.run(
        command, cwd=folder, env=os.environ | environment, capture_output=True, text=True
    )
    if done.returncode:
        sys.exit(done.stdout + done.stderr)
    return time.perf_counter() - started


def measured(name: str, overlay: str) -> dict[str, float]:
    """Seconds that were forecast for a study, and that it took."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        for each in LINKED:
            (folder / each).symlink_to(ROOT / each)
        (folder / "study.yaml").write_text(overlay, encoding="utf-8")
        network = resnet18()
        update_bn([torch.randn(4, 3, 224, 224)], network.eval())
        torch.save(network.state_dict(), folder / "random.pth")
        seconds_of(folder, "resnet-sizes", "forecast", "study.yaml")
        found = json.loads((folder / f"results/{name}/forecast.json").read_text(encoding="utf-8"))
        workflow = ["snakemake", "--cores", "all", "--resources", "gpu=1"]
        took = seconds_of(folder, *workflow, "--configfile", "study.yaml")
    return {"forecast": found["study_seconds"], "took": took, "load": os.getloadavg()[0]}


def main() -> None:
    """Print the table and write the samples."""
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--archive", type=Path, help="images in train/<class> and test/<class>")
    arguments.add_argument("--rounds", type=int, default=3)
    asked = arguments.parse_args()
    studies = {"demo": (ROOT / "config/demo.yaml").read_text(encoding="utf-8"), "probe": PROBE}
    if asked.archive:
        studies["scratch"] = SCRATCH.replace("ARCHIVE", str(asked.archive.absolute()))
    facts = machine(torch.device("cpu"))
    samples: dict[str, list[dict[str, float]]] = {name: [] for name in studies}
    path = ROOT / "benchmarks/results" / f"forecast-error-{result_name(facts)}.json"
    for _ in range(asked.rounds):
        for name, overlay in studies.items():
            samples[name].append(measured(name, overlay))
            print(name, samples[name][-1], file=sys.stderr, flush=True)
        path.write_text(
            json.dumps({"machine": facts, "samples": samples}, indent=1) + "\n", "utf-8"
        )
    print("| Study | Forecast | Took | Error | Errors of the rounds |\n|---|---:|---:|---:|---|")
    for name, rounds in samples.items():
        forecast, took = (
            statistics.median(each[what] for each in rounds) for what in ("forecast", "took")
        )
        errors = ", ".join(f"{each['forecast'] / each['took'] - 1:+.0%}" for each in rounds)
        error = f"{forecast / took - 1:+.0%}"
        print(f"| {name} | {forecast:.0f} s | {took:.0f} s | {error} | {errors} |")


if __name__ == "__main__":
    main()
