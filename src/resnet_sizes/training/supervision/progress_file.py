"""What a run tells of itself in a file, for `resnet-sizes status`. Imports no torch."""

import math
import os
import socket
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from resnet_sizes.io.errors import Stopped, UserError
from resnet_sizes.io.hashes import content_hash
from resnet_sizes.io.locks import start_of_this_process
from resnet_sizes.schemas.base import utc_now
from resnet_sizes.schemas.paths import PROGRESS
from resnet_sizes.schemas.run.metrics import Device
from resnet_sizes.schemas.run.progress import Phase, RunProgress
from resnet_sizes.schemas.run.run import RunFile
from resnet_sizes.training.supervision.launch import PARENT, scheduler_job

EVERY = 5.0
"""Seconds between two writes within an epoch."""

EVERY_END = 1.0
"""The same at the ends of epochs, which may follow each other in milliseconds."""

EVERY_BEAT = 30.0
"""The same where nothing moves."""

LONGEST_MESSAGE = 2000


class ProgressFile:
    """The file of one attempt. Use it as a context manager, by the process that holds the run's
    lock: leaving it tells how the attempt ended, and a finished one leaves no file.

    All that is written is for people: a disk that refuses it stops nothing.
    """

    def __init__(self, home: Path, run: RunFile) -> None:
        """`home` is the run's folder in `work/`."""
        self._path = home / PROGRESS
        self._written = -math.inf
        moment = utc_now()
        self._record = RunProgress(
            run=run.name,
            run_hash=content_hash(run),
            epochs=run.epochs,
            host=socket.gethostname(),
            process=os.getpid(),
            process_started=start_of_this_process(),
            parent=os.environ.get(PARENT),
            job=scheduler_job(),
            attempt_started=moment,
            updated=moment,
        )

    def __enter__(self) -> "ProgressFile":
        self._write()
        return self

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if error is None:
            with suppress(OSError):
                self._path.unlink()
            return
        by_request = isinstance(error, Stopped | KeyboardInterrupt)
        expected = isinstance(error, Stopped | UserError)
        message = str(error) if expected else f"{type(error).__name__}: {error}"
        ended = "stopped" if by_request else "failed"
        self._change(ended=ended, message=message[:LONGEST_MESSAGE], remaining_seconds=None)
        self._write()

    def phase(self, phase: Phase, detail: str | None = None) -> None:
        """The run is in this phase now; `detail` says more of it."""
        self._change(phase=phase, detail=detail, remaining_seconds=None)
        self._write()

    def stays(self, phase: Phase, detail: str | None = None) -> None:
        """The run is in this phase, and may have said so already: to be called every second of a
        wait."""
        if (self._record.phase, self._record.detail) != (phase, detail):
            self.phase(phase, detail)
        else:
            self.beat()

    def on(self, device: Device) -> None:
        """The device that was chosen; written with what comes next."""
        self._change(device=device)

    def is_due(self, every: float = EVERY) -> bool:
        """Whether the last write is so many seconds old, and it is worth gathering what to tell."""
        return time.monotonic() - self._written >= every

    def beat(self) -> None:
        """The run is alive, and may have nothing new to tell."""
        if self.is_due(EVERY_BEAT):
            self._write()

    def features(self, images: int, all_images: int, remaining: float | None) -> None:
        """So many images of all have their features; `remaining` is in seconds."""
        self._change(
            phase="features",
            detail=None,
            images=images,
            all_images=all_images,
            remaining_seconds=remaining,
        )
        self._write()

    def training(
        self,
        epoch: int,
        step: int,
        steps: int,
        loss: float | None,
        remaining: float | None,
        *,
        evaluates: bool = False,
    ) -> None:
        """So many steps of an epoch are done, with this mean loss; `remaining` is in seconds."""
        self._change(
            phase="evaluation" if evaluates else "training",
            detail=None,
            images=None,
            all_images=None,
            epoch=epoch,
            step=step,
            steps=steps,
            loss=loss if loss is not None and math.isfinite(loss) else None,
            remaining_seconds=remaining,
        )
        self._write()

    def _change(self, **values: Any) -> None:
        self._record = self._record.model_copy(update=values)

    def _write(self) -> None:
        self._written = time.monotonic()
        self._change(updated=utc_now())
        with suppress(OSError):
            self._replace(self._record.model_dump_json(indent=2) + "\n")

    def _replace(self, text: str) -> None:
        """Whole or not at all, but without waiting for the disk: after a power cut it is of no
        use, and a wait would count as training."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        temporary = self._path.with_name(f".{PROGRESS}.tmp")  # nobody else holds the run's lock
        try:
            temporary.write_text(text, encoding="utf-8")
            temporary.replace(self._path)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise
