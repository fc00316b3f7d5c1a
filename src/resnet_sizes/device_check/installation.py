"""Whether this machine has what a study needs: what is there, and what to do where it is not."""

import locale
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import Literal, NamedTuple
from urllib.parse import urlsplit

import psutil

from resnet_sizes.io.errors import UserError
from resnet_sizes.schemas.run.weights import wanted_weights, weights_version
from resnet_sizes.schemas.study.study import Study

State = Literal["ok", "note", "problem"]

MEMORY, DISK = 4e9, 10e9
"""Bytes below which a note is made: a training of ResNet-152 with its process, and data, weights
and kept features of the default study."""

PATIENCE = 8.0
"""Seconds for an address to answer."""


Answer = tuple[State, str] | tuple[State, str, str]


class Finding(NamedTuple):
    """One thing that was looked at."""

    subject: str
    state: State
    found: str
    remedy: str = ""


def look(study: Study) -> Iterator[Finding]:
    """All findings, in an order in which one mends them."""
    for subject, step in STEPS.items():
        try:
            yield Finding(subject, *step())
        # Whatever an installation that is broken raises is what one wants to read of it.
        except Exception as error:
            yield Finding(subject, "problem", f"{type(error).__name__}: {error}", "make setup")
    yield from _sources(study)


def _torch() -> Answer:
    import torch
    import torchvision

    cuda = f"CUDA {torch.version.cuda}" if torch.version.cuda else "without CUDA"
    return "ok", f"{torch.__version__}, torchvision {torchvision.__version__}, {cuda}"


def _gpus() -> Answer:
    from resnet_sizes.training.capabilities import fastest_precision
    from resnet_sizes.training.devices.gpus import Nvml, visible_gpus
    from resnet_sizes.training.devices.select import describe, missing_gpu, select_device

    try:
        device = select_device("auto")
    except UserError as error:
        return "problem", str(error)
    fastest = f"fastest precision: {fastest_precision(device)}"
    if device.type == "cuda":
        nvml = Nvml.load()
        seen = ", ".join(map(str, visible_gpus(nvml, os.environ))) if nvml else ""
        driver = (nvml and nvml.driver()) or "unknown"
        return "ok", f"{seen or describe(device).name}; driver {driver}; {fastest}"
    if problem := missing_gpu():
        return "problem", problem
    return "note", f"none that torch can use: training takes {device.type}; {fastest}"


def _memory() -> Answer:
    memory = psutil.virtual_memory()
    found = f"{memory.available / 1e9:.1f} of {memory.total / 1e9:.1f} GB are free"
    return ("note", found, "resnet-sizes forecast") if memory.available < MEMORY else ("ok", found)


def _disk() -> Answer:
    free = shutil.disk_usage(".").free
    found = f"{free / 1e9:.1f} GB are free in {Path.cwd()}"
    remedy = "link results/ and downloads/ to a place with more room"
    return ("note", found, remedy) if free < DISK else ("ok", found)


def _engine() -> Answer:
    from resnet_sizes.reporting.render import pandoc, quarto

    embedded = ", ".join(f"{name} {number}" for name, number in pandoc.versions())
    try:
        return "ok", f"Quarto {quarto.usable_version()}; embedded: {embedded}"
    except quarto.QuartoUnusableError as error:
        return "ok", f"{embedded}; Quarto is not used ({error}): these make the same pages"


def _program(name: str, without: str) -> Answer:
    if (path := shutil.which(name)) is None:
        return "note", f"no {name} on the PATH: {without}"
    said = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=20)
    return "ok", said.stdout.strip().partition("\n")[0] or path


STEPS: dict[str, Callable[[], Answer]] = {
    "Python": lambda: ("ok", f"{platform.python_version()} ({sys.executable})"),
    "torch": _torch,
    "GPUs": _gpus,
    "memory": _memory,
    "disk": _disk,
    # The command reads names of files as UTF-8, whatever the locale (cli/app.py).
    "locale": lambda: ("ok", f"{locale.setlocale(locale.LC_CTYPE)}; {sys.getfilesystemencoding()}"),
    "Snakemake": lambda: ("ok", version("snakemake")),
    "report": _engine,
    "git": lambda: _program("git", "an archive cannot name the commit that made it"),
    "Slurm": lambda: _program("sbatch", "trainings run on this machine"),
}


def _sources(study: Study) -> Iterator[Finding]:
    """Whether each address answers from which the study would fetch; files that are there or of the
    user's own need none."""
    downloads, addresses = study.downloads, []
    if study.dataset.source == "cifar10" and study.dataset.path is None:
        addresses += [*downloads.cifar10.mirrors, downloads.cifar10.origin]
    if published := [each for each in wanted_weights(study).values() if not each.own_file]:
        from resnet_sizes.data.weights import torchvision_weights

        known = weights_version(published[0].model, published[0].weights)
        folder, _, name = torchvision_weights(published[0].model, known).url.rpartition("/")
        addresses += [f"{each.rstrip('/')}/{name}" for each in (*downloads.weights.mirrors, folder)]
    with ThreadPoolExecutor() as pool:
        for address, problem in zip(addresses, pool.map(_unreached, addresses), strict=True):
            remedy = "make prefetch where the network is, or: config/offline.yaml needs none"
            found = ("note", problem, remedy) if problem else ("ok", "answers")
            yield Finding(f"source {urlsplit(address).hostname}", *found)


def _unreached(address: str) -> str | None:
    import requests  # which a machine that is to be checked without a network need not have

    try:
        with requests.get(address, timeout=PATIENCE, stream=True) as answer:
            answer.raise_for_status()
            return None
    except requests.RequestException as error:
        return f"does not answer ({type(error).__name__})"
