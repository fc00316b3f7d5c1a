"""What a run says of its own time: an estimate at the start, then how long it still takes."""

import logging
import sys
import time
from collections.abc import Callable
from typing import Any

from tqdm import tqdm
from tqdm.contrib.logging import logging_redirect_tqdm

from resnet_sizes.io.messages import duration
from resnet_sizes.schemas.run.metrics import EpochMetrics

log = logging.getLogger("resnet_sizes")

FIRST = 5
"""Advances after which the estimate is made. The very first is left out: it chooses kernels."""

SILENCE = 60.0
"""Seconds without a line after which a log is told again how far the work is."""


class Progress:
    """A bar on a terminal, lines in a log. Use it as a context manager."""

    def __init__(
        self,
        name: str,
        total: int,
        unit: str,
        synchronise: Callable[[], object] = lambda: None,
        done: int = 0,
    ) -> None:
        """`synchronise` waits for the device, which happens before a time is told; `done` is what
        an earlier attempt did of the total."""
        self._name = name
        self._total = total
        self._unit = unit
        self._synchronise = synchronise
        self._before = done
        self.done = done
        """How much of the total is done."""
        self._advances = self._done_first = 0
        self._start = self._end_of_first = self._last_line = 0.0
        self._redirect = logging_redirect_tqdm([log])

    def __enter__(self) -> "Progress":
        self._redirect.__enter__()
        self._bar = tqdm(
            total=self._total,
            initial=self._before,
            desc=self._name,
            unit=f" {self._unit}",
            leave=False,
            disable=not sys.stderr.isatty(),
        )
        self._start = self._last_line = time.monotonic()
        return self

    def __exit__(self, *raised: Any) -> None:
        self._bar.close()
        self._redirect.__exit__(*raised)

    def advance(self, count: int) -> None:
        """Count work done. On a GPU it may still be under way."""
        self.done += count
        self._advances += 1
        self._bar.update(count)
        now = time.monotonic()
        # Without waiting, the first steps of a GPU would take as long as launching them.
        if self._advances in (1, FIRST) or now - self._last_line >= SILENCE:
            self._synchronise()
            now = time.monotonic()
        if self._advances == 1:
            self._end_of_first, self._done_first = now, self.done
        elif self._advances == FIRST:
            each = (now - self._end_of_first) / (self.done - self._done_first)
            left = self._total - self._before
            self._tell(now, f"about {duration(each * left)} for {left} {self._unit}")
        elif now - self._last_line >= SILENCE:
            self._tell(now, f"{self.done}/{self._total} {self._unit}, {self._left(now)}")

    def epoch_done(self, epoch: EpochMetrics, epochs: int) -> None:
        """Tell what an epoch gave and how long the rest will take."""
        now = time.monotonic()
        self._tell(
            now,
            f"epoch {epoch.epoch}/{epochs}  loss {epoch.train_loss:.4f}  "
            f"accuracy {epoch.train_accuracy:.4f}  test loss {epoch.test_loss:.4f}  "
            f"test accuracy {epoch.test_accuracy:.4f}  {epoch.training_seconds:.1f} s, "
            f"{self._left(now)}",
        )

    def _tell(self, now: float, text: str) -> None:
        log.info("%s: %s", self._name, text)
        self._last_line = now

    def remaining(self) -> float | None:
        """Seconds that the rest will take; None before the first estimate is made."""
        return None if self._advances < FIRST else self._seconds_left(time.monotonic())

    def _left(self, now: float) -> str:
        return f"about {duration(self._seconds_left(now))} left"

    def _seconds_left(self, now: float) -> float:
        each = (now - self._start) / max(1, self.done - self._before)
        return each * (self._total - self.done)
