"""What ends a run before its end: a signal, a time limit, a parent that died, or a hang."""

import faulthandler
import logging
import math
import os
import signal
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from types import FrameType

from resnet_sizes.io.errors import Stopped
from resnet_sizes.io.locks import is_alive, start_of
from resnet_sizes.training.supervision import launch
from resnet_sizes.training.supervision.progress import ProgressFile

log = logging.getLogger("resnet_sizes")

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
"""SIGHUP is what a closed terminal sends."""

LOOK_EVERY = 1.0
"""Seconds between two looks at the parent."""

AT_ONCE_AFTER = 2.0
"""Seconds after which a second signal is meant: a terminal, Snakemake and a scheduler may each
send one of their own at nearly the same time, and Ctrl-C is soon pressed twice."""

MARGIN = 120.0
"""Seconds before a long time limit at which a run stops: what started it has a share of it."""

MARGIN_SHARE = 0.05
"""The same of a short one, as a share of it."""

HUNG = 124
"""Exit status of a run that its watchdog ended, as of `timeout`."""

TIME_IS_UP = 75
"""Exit status of a run that its time limit stopped: sysexits.h calls it a temporary failure."""


class StopRequest:
    """Whether the run has been asked to stop. Use it as a context manager, in the main thread."""

    def __init__(self, time_limit: float | None = None) -> None:
        """`time_limit` is in seconds since this process began, or the scheduler's job. Where the
        scheduler says when that ends, the earlier one counts."""
        now = time.monotonic()
        # A scheduler counts from its job's beginning.
        age = max(launch.process_age(), time.time() - (launch.scheduled_since() or math.inf))
        limits = [] if time_limit is None else [(time_limit - age, time_limit)]
        if left := launch.seconds_to_job_end():
            limits.append((left, left))
        remaining, whole = min(limits, default=(math.inf, 0.0))
        self._deadline = now + remaining
        self._least_margin = min(MARGIN, MARGIN_SHARE * whole)
        self._signal: signal.Signals | None = None
        self._heard_at = 0.0
        self._parents = _parents()
        self._looked = self._asked = now
        self._before: dict[signal.Signals, object] = {}
        self.margin = 0.0
        """Seconds that it takes to stop: for a checkpoint, and once more."""

    def __enter__(self) -> "StopRequest":
        if threading.current_thread() is threading.main_thread():
            # What was begun with nohup, or in the background by a script, outlives its terminal or
            # the Ctrl-C there, as Snakemake does that was begun in the same way.
            self._before = {
                each: signal.signal(each, self._heard)
                for each in SIGNALS
                if each == signal.SIGTERM or signal.getsignal(each) != signal.SIG_IGN
            }
        return self

    def __exit__(self, *_: object) -> None:
        for each, handler in self._before.items():
            signal.signal(each, handler)  # type: ignore[arg-type]

    def _heard(self, number: int, frame: FrameType | None) -> None:
        now = time.monotonic()
        if self._signal is None:
            self._signal, self._heard_at = signal.Signals(number), now
        elif now - self._heard_at >= AT_ONCE_AFTER:
            raise Stopped(f"stopped at once by {self._signal.name}", 128 + number)

    def reason(self) -> tuple[str, int] | None:
        """Why to stop, and the exit status; None while there is no reason."""
        if self._signal is not None:
            return self._signal.name, 128 + self._signal
        now = time.monotonic()
        since, self._asked = now - self._asked, now
        margin = max(self._least_margin, self.margin + since)  # the next step may take as long
        if now + margin >= self._deadline:
            return "its time limit", TIME_IS_UP
        if now - self._looked >= LOOK_EVERY:
            self._looked = now
            for parent, started in self._parents.items():
                if not is_alive(parent, started):
                    return f"the end of the process that had started it ({parent})", 1
        return None

    def check(self) -> None:
        """Raise Stopped where there is a reason and nothing to keep."""
        if reason := self.reason():
            raise Stopped(f"stopped by {reason[0]}; the same command goes on", reason[1])


def _parents() -> dict[int, float | None]:
    """The processes that wait for a run, and when they began: their numbers may be reused. Not the
    shell of a run that was started with nohup, nor what began a container."""
    named = launch.announced_parent()
    # Also one that has died since, while this process was loading torch.
    found = [] if named is None else [named]
    outlives_terminal = signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    if not outlives_terminal and is_alive(os.getppid()):
        found.append(os.getppid())
    return {parent: start_of(parent) for parent in found if parent > 1}


class Watchdog:
    """Ends the process, with the stacks of all threads in its log, when no step ends for long."""

    def __init__(self, name: str, seconds: float) -> None:
        self._name = name
        self._limit = seconds
        self._beat = time.monotonic()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True, name="watchdog")

    def __enter__(self) -> "Watchdog":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def beat(self) -> None:
        """A step has ended."""
        self._beat = time.monotonic()

    def _watch(self) -> None:
        every = min(self._limit / 10, 5.0)
        looked = time.monotonic()
        while not self._done.wait(every):
            now = time.monotonic()
            if now - looked > every + self._limit / 2:  # the whole process was suspended
                self._beat = now
            looked = now
            silent = now - self._beat
            if silent >= self._limit:
                log.error(
                    f"error: {self._name}: no step ended for {silent:.0f} s, so the run is ended; "
                    "the same command goes on from its last checkpoint. Where it stood:"
                )
                for handler in log.handlers:
                    with suppress(AttributeError, OSError, ValueError):  # one that is no file
                        stream = handler.stream  # type: ignore[attr-defined]
                        faulthandler.dump_traceback(file=stream.fileno(), all_threads=True)
                os._exit(HUNG)


@dataclass(frozen=True)
class Supervision:
    """Hears of every step and every batch, and ends the run where it has to end."""

    stop: StopRequest
    watchdog: Watchdog
    progress: ProgressFile
    """The file that `resnet-sizes status` reads."""

    def check(self) -> None:
        """Raise Stopped if there is a reason; nothing is kept by this."""
        self.watchdog.beat()
        self.progress.beat()
        self.stop.check()
