"""The checks of a device, each made in a process of its own: a CUDA error stays until its process
ends, and a kernel may hang. No torch in this process."""

import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

from resnet_sizes.io.errors import UserError
from resnet_sizes.schemas.base import utc_now
from resnet_sizes.training.devices.gpus import Gpu
from resnet_sizes.training.devices.locks import LOCKS


class Check(NamedTuple):
    """One check: a function of this name in a module, which gets a `Bench`."""

    name: str
    shows: str
    """What holds if it passes."""
    module: str
    """Seen from this package."""
    only_cuda: bool = False


CHECKS = {
    check.name: check
    for check in (
        Check("facts", "the driver and torch name the same device", ".steps"),
        Check("fp32", "products and convolutions in fp32 are exact to 1e-5: no TF32", ".steps"),
        Check("steps", "each network, reading and precision takes steps, twice alike", ".steps"),
        Check("exactness", "images, logits and losses are those of the CPU in fp64", ".steps"),
        Check("divergence", "a learning rate of 1e30 ends with advice", ".steps", True),
        Check("shortage", "a full memory ends with advice", ".steps", True),
        Check("waits", "20 steps of training never wait for the device", ".steps", True),
        Check("graphs", "steps are launched as CUDA graphs, and none is left out", ".steps", True),
        Check("runs", "killed or not, runs end with the same bits, and free the device", ".runs"),
        Check("speed", "the chosen layout and mode are the fastest, within 3 %", ".runs", True),
        Check("forecast", "times and memory are forecast to 15 %, passes to 5 %", ".runs", True),
    )
}
"""By name, in their order: first what fails earliest."""

SECONDS = {"cuda": 480.0}
"""Within which all checks are made."""

SECONDS_ELSEWHERE = 3600.0
"""The same on a processor, which may have other work."""

SHARE = 0.5
"""Of that time, which one check may take."""


def make(
    checks: Sequence[Check], device: str, gpu: Gpu | None, quick: bool, folder: Path
) -> Iterator[dict[str, Any]]:
    """The record, as JSON has it: what is known before the first check, after each, and in the end.

    The caller holds the device. `folder` is for what checks write, and the caller's to remove.
    Raises UserError if there is no such device.
    """
    from resnet_sizes.device_check.bench import check_made, device_found

    # Runs find the device free.
    os.environ[LOCKS] = str(folder / "locks")
    began = time.monotonic()
    found = _in_process(SECONDS["cuda"], device_found, device, gpu)
    if isinstance(found, str):
        raise UserError(found)
    known = found | {"quick": quick, "began": utc_now(), "finished": None, "checks": []}
    limit = SECONDS.get(known["device"]["kind"], SECONDS_ELSEWHERE)
    for check in checks:
        yield known
        start = time.monotonic()
        told: Any = {"state": "skipped", "reasons": ["only for CUDA"], "numbers": {}}
        if known["device"]["kind"] == "cuda" or not check.only_cuda:
            seconds = max(0.0, min(SHARE * limit, began + limit - start))
            told = _in_process(seconds, check_made, check.module, check.name, device, quick, folder)
        if isinstance(told, str):
            told = {"state": "failed", "reasons": [told], "numbers": {}}
        seconds = round(time.monotonic() - start, 2)
        outcome = {"name": check.name, "shows": check.shows, "seconds": seconds, **told}
        known = known | {"checks": [*known["checks"], outcome]}
    yield known | {"finished": utc_now()}


def _in_process(seconds: float, work: Callable[..., Any], *arguments: Any) -> Any:
    """What `work` returns in a new process, which ends with all that it has started; a text where
    it fails, ends it, or takes longer."""
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_send, args=(sender, work, arguments))
    process.start()
    sender.close()
    try:
        return receiver.recv() if receiver.poll(seconds) else f"nothing after {seconds:.0f} s"
    except EOFError:
        process.join()
        return f"its process has ended with status {process.exitcode}"
    finally:
        with suppress(OSError):
            os.killpg(process.pid or 0, signal.SIGKILL)
        process.kill()
        process.join()


def _send(sender: Connection, work: Callable[..., Any], arguments: Sequence[Any]) -> None:
    os.setpgrp()  # Ctrl-C is the caller's
    try:
        sender.send(work(*arguments))
    except UserError as error:
        sender.send(str(error))
