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
import requests

from resnet_sizes.io.errors import UserError
from resnet_sizes.schemas.run.weights import wanted_weights, weights_version
from resnet_sizes.schemas.study.study import Study

State = Literal["ok", "note", "problem"]

MEMORY, DISK = 4e9, 10e9
"""Bytes below which a note is made: a training of ResNet-152 with its process, and data, weights
and kept features of the default study."""

PATIENCE = 8.0
"""Seconds for an address to answer."""

INSTALL = "make setup"


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
            yield step(subject)
        # Whatever an installation that is broken raises is what one wants to read of it.
        except Exception as error:
            yield Finding(subject, "problem", f"{type(error).__name__}: {error}", INSTALL)
    yield from _sources(study)


def _python(subject: str) -> Finding:
    return Finding(subject, "ok", f"{platform.python_version()} ({sys.executable})")


def _torch(subject: str) -> Finding:
    import torch
    import torchvision

    cuda = f"CUDA {torch.version.cuda}" if torch.version.cuda else "without CUDA"
    return Finding(
        subject, "ok", f"{torch.__version__}, torchvision {torchvision.__version__}, {cuda}"
    )


def _gpus(subject: str) -> Finding:
    import torch

    from resnet_sizes.training.capabilities import fastest_precision
    from resnet_sizes.training.devices.gpus import Nvml, visible_gpus
    from resnet_sizes.training.devices.select import missing_gpu, select_device

    try:
        device = select_device("auto")
    except UserError as error:
        return Finding(subject, "problem", str(error))
    fastest = f"fastest precision: {fastest_precision(device)}"
    if device.type == "cuda":
        nvml = Nvml.load()
        seen = ", ".join(map(str, visible_gpus(nvml, os.environ))) if nvml else ""
        names = seen or torch.cuda.get_device_name(device)
        driver = nvml and nvml.driver()
        return Finding(subject, "ok", f"{names}; driver {driver or 'unknown'}; {fastest}")
    if problem := missing_gpu():
        return Finding(subject, "problem", problem)
    return Finding(
        subject, "note", f"none that torch can use: training takes {device.type}; {fastest}"
    )


def _memory(subject: str) -> Finding:
    memory = psutil.virtual_memory()
    found = f"{memory.available / 1e9:.1f} of {memory.total / 1e9:.1f} GB are free"
    few = memory.available < MEMORY
    return Finding(subject, "note" if few else "ok", found, "resnet-sizes forecast" * few)


def _disk(subject: str) -> Finding:
    free = shutil.disk_usage(".").free
    few = free < DISK
    remedy = "clone the project, or link results/ and downloads/, where there is more room"
    return Finding(
        subject,
        "note" if few else "ok",
        f"{free / 1e9:.1f} GB are free in {Path.cwd()}",
        remedy * few,
    )


def _locale(subject: str) -> Finding:
    # The command reads names of files as UTF-8, whatever the locale (cli/app.py).
    own, files = locale.setlocale(locale.LC_CTYPE), sys.getfilesystemencoding()
    return Finding(subject, "ok", f"{own}; names of files are read as {files}")


def _snakemake(subject: str) -> Finding:
    return Finding(subject, "ok", version("snakemake"))


def _engine(subject: str) -> Finding:
    from resnet_sizes.reporting.render import pandoc, quarto

    embedded = ", ".join(f"{name} {number}" for name, number in pandoc.versions())
    try:
        return Finding(subject, "ok", f"Quarto {quarto.usable_version()}; embedded: {embedded}")
    except quarto.QuartoUnusableError as error:
        why = f"Quarto is not used ({error})"
        return Finding(
            subject, "ok", f"{embedded}; {why}: the embedded engine makes the same pages"
        )


def _program(name: str, *, without: str) -> Callable[[str], Finding]:
    def look(subject: str) -> Finding:
        if (path := shutil.which(name)) is None:
            return Finding(subject, "note", f"no {name} on the PATH: {without}")
        said = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=20)
        return Finding(subject, "ok", said.stdout.strip().partition("\n")[0] or path)

    return look


STEPS: dict[str, Callable[[str], Finding]] = {
    "Python": _python,
    "torch": _torch,
    "GPUs": _gpus,
    "memory": _memory,
    "disk": _disk,
    "locale": _locale,
    "Snakemake": _snakemake,
    "report": _engine,
    "git": _program("git", without="an archive cannot name the commit that made it"),
    "Slurm": _program("sbatch", without="trainings run on this machine"),
}


def _sources(study: Study) -> Iterator[Finding]:
    """Whether each address answers from which the study would fetch; files that are there or of the
    user's own need none."""
    downloads, addresses = study.downloads, []
    if study.dataset.source == "cifar10" and study.dataset.path is None:
        addresses += [*downloads.cifar10.mirrors, downloads.cifar10.origin]
    published = [each for each in wanted_weights(study).values() if not each.own_file]
    if published:
        from resnet_sizes.data.weights import torchvision_weights

        weights = published[0]
        url = torchvision_weights(
            weights.model, weights_version(weights.model, weights.weights)
        ).url
        name = url.rpartition("/")[2]
        addresses += [f"{mirror.rstrip('/')}/{name}" for mirror in downloads.weights.mirrors] + [
            url
        ]
    with ThreadPoolExecutor() as pool:
        for address, problem in zip(addresses, pool.map(_unreached, addresses), strict=True):
            subject = f"source {urlsplit(address).hostname}"
            if problem is None:
                yield Finding(subject, "ok", "answers")
            else:
                remedy = "make prefetch where the network is, or: config/offline.yaml needs none"
                yield Finding(subject, "note", problem, remedy)


def _unreached(address: str) -> str | None:
    try:
        with requests.get(address, timeout=PATIENCE, stream=True) as answer:
            answer.raise_for_status()
    except requests.RequestException as error:
        return f"does not answer ({type(error).__name__})"
    return None
