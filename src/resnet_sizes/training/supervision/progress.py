"""How far a run is: lines in the log, and a file for others. Imports no torch."""

import logging
import math
import os
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from resnet_sizes.io.errors import Stopped, UserError
from resnet_sizes.io.messages import duration
from resnet_sizes.schemas.base import utc_now
from resnet_sizes.schemas.paths import PROGRESS
from resnet_sizes.schemas.run.metrics import Device, EpochMetrics
from resnet_sizes.schemas.run.progress import Phase, RunProgress
from resnet_sizes.schemas.run.run import RunFile
from resnet_sizes.training.supervision.launch import scheduler_job

log = logging.getLogger("resnet_sizes")

FIRST = 5
"""Advances after which the estimate is made."""

SILENCE = 60.0
"""Seconds without a line after which the log gets one more."""

WRITE_EVERY = 1.0
"""Seconds between two writes of the progress file."""

WRITE_EVERY_BEAT = 30.0
"""The same where nothing moves."""

LONGEST_MESSAGE = 2000
"""Characters of an error in the progress file."""


class Progress:
    """How far the work is, and how long the rest will take: lines in the log."""

    def __init__(
        self, name: str, total: int, unit: str, synchronise: Callable[[], object], done: int = 0
    ) -> None:
        """`synchronise` waits for the device; `done` is what earlier attempts did of the total."""
        self._name = name
        self._total = total
        self._unit = unit
        self._synchronise = synchronise
        self._before = self.done = done
        self._advances = 0
        self._last_line = time.monotonic()
        self._since = self._last_line, done

    def advance(self, count: int) -> None:
        """Count work done. On a GPU it may still be under way."""
        self.done += count
        self._advances += 1
        is_silent = time.monotonic() - self._last_line >= SILENCE
        if not is_silent and self._advances not in (1, FIRST):
            return
        # Without waiting, the first steps of a GPU would take as long as launching them.
        self._synchronise()
        if self._advances == 1:  # it chose kernels, so the time of an estimate begins here
            self._since = time.monotonic(), self.done
        elif self._advances == FIRST:
            left = self._total - self._before
            self._log(f"about {duration(self._seconds(left))} for {left} {self._unit}")
        else:
            self._log(f"{self.done}/{self._total} {self._unit}, {self._left()}")

    def epoch_done(self, epoch: EpochMetrics, epochs: int) -> None:
        """Log the metrics of an epoch and how long the rest will take."""
        found = epoch.validation_accuracy
        held_out = "" if found is None else f"validation accuracy {found:.4f}  "
        self._log(
            f"epoch {epoch.epoch}/{epochs}  loss {epoch.train_loss:.4f}  "
            f"accuracy {epoch.train_accuracy:.4f}  test loss {epoch.test_loss:.4f}  "
            f"test accuracy {epoch.test_accuracy:.4f}  {held_out}{epoch.training_seconds:.1f} s, "
            f"{self._left()}"
        )

    def remaining(self) -> float | None:
        """Seconds that the rest will take; None before the first estimate is made."""
        return None if self._advances < FIRST else self._seconds(self._total - self.done)

    def _log(self, text: str) -> None:
        log.info(f"{self._name}: {text}")
        self._last_line = time.monotonic()

    def _left(self) -> str:
        return f"about {duration(self._seconds(self._total - self.done))} left"

    def _seconds(self, count: int) -> float:
        """What so much of it takes."""
        start, before = self._since
        return (time.monotonic() - start) / max(1, self.done - before) * count


class ProgressFile:
    """`progress.json` of one attempt, which `resnet-sizes status` reads.

    A context manager for the process that holds the run's lock. On exit it records how the
    attempt ended; a finished one leaves no file. A disk that refuses the file stops nothing.
    """

    def __init__(self, home: Path, run: RunFile) -> None:
        """`home` is the run's folder in `work/`."""
        self._path = home / PROGRESS
        self._record = RunProgress(
            run=run.name,
            epochs=run.epochs,
            host=socket.gethostname(),
            process=os.getpid(),
            process_started=psutil.Process().create_time(),
            job=scheduler_job(),
            updated=utc_now(),
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
        self._write(ended=ended, message=message[:LONGEST_MESSAGE], remaining_seconds=None)

    def phase(self, phase: Phase, detail: str | None = None) -> None:
        """The run is in this phase; `detail` says more of it. To be called every second of a wait,
        too: the same again is written less often."""
        if (self._record.phase, self._record.detail) == (phase, detail):
            self.beat()
        else:
            self._write(phase=phase, detail=detail, remaining_seconds=None)

    def on(self, device: Device) -> None:
        """The device that was chosen; written with what comes next."""
        self._record = self._record.model_copy(update={"device": device})

    def is_due(self, every: float = WRITE_EVERY) -> bool:
        """Whether the last write is so many seconds old that the next is worth its cost."""
        return time.monotonic() - self._written >= every

    def beat(self) -> None:
        """The run is alive, and may have nothing new to write."""
        if self.is_due(WRITE_EVERY_BEAT):
            self._write()

    def update(self, phase: Phase, **numbers: float | None) -> None:
        """Write how far the phase is, in numbers named as in RunProgress. Where images, their
        total or the remaining seconds are not among them, they are null."""
        if not math.isfinite(numbers.get("loss") or 0):
            numbers["loss"] = None
        cleared = dict.fromkeys(("detail", "images", "all_images", "remaining_seconds"))
        self._write(phase=phase, **(cleared | numbers))

    def _write(self, **changes: Any) -> None:
        """Whole or not at all, but without waiting for the disk: after a power cut it is of no
        use, and a wait would count as training."""
        self._written = time.monotonic()
        self._record = self._record.model_copy(update=changes | {"updated": utc_now()})
        temporary = self._path.with_name(f".{PROGRESS}.tmp")  # nobody else holds the run's lock
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_text(self._record.model_dump_json(indent=2) + "\n", encoding="utf-8")
            temporary.replace(self._path)
        except OSError:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
