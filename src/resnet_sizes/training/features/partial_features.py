"""A pass through a frozen backbone that was interrupted goes on where it stood."""

import hashlib
import json
import logging
import math
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file

from resnet_sizes.io.errors import WriteError
from resnet_sizes.io.files import write_atomically
from resnet_sizes.io.messages import shown_text
from resnet_sizes.training.supervision.checkpoints import UNREADABLE

log = logging.getLogger("resnet_sizes")


@dataclass
class PartialFeatures:
    """Features of the images done so far, training images first, in batches as they came."""

    path: Path | None = None
    """None where nothing is kept."""
    every: float = math.inf
    """Seconds after which they are written again."""
    batches: list[torch.Tensor] = field(default_factory=list)
    """float32 `[B, F]`, on the device or the CPU."""
    seconds: float = 0.0
    """Of the pass over the training images."""
    _last: float = field(default_factory=time.monotonic)

    @classmethod
    def of(cls, features: Path, every: float) -> "PartialFeatures":
        """What is left of an earlier attempt at this file of features; nothing if damaged."""
        path = features.with_suffix(".partial.safetensors")
        found = cls(path, every)
        if path.is_file():
            try:
                found._read(path)
            except UNREADABLE as error:
                log.warning(
                    "%s: is damaged (%s); the pass begins anew", path, shown_text(str(error))
                )
                found.batches, found.seconds = [], 0.0
        return found

    def images(self) -> int:
        """How many images are done."""
        return sum(len(batch) for batch in self.batches)

    def is_due(self) -> bool:
        """Whether they should be written."""
        return time.monotonic() - self._last >= self.every

    def write(self) -> None:
        """Write them; a disk that refuses is told and costs only what a kill would cost."""
        path = self.path
        if path is None or not self.batches:
            return
        done = torch.cat([batch.cpu() for batch in self.batches])
        facts = json.dumps({"sizes": [len(each) for each in self.batches], "seconds": self.seconds})
        metadata = {"facts": facts, "sha256": _digest(facts, done)}
        try:
            write_atomically(path, lambda target: save_file({"features": done}, target, metadata))
        except WriteError as error:
            log.warning("warning: %s The run goes on; a stop would cost this pass", error)
        self._last = time.monotonic()

    def remove(self) -> None:
        """They are complete, and kept elsewhere."""
        if self.path:
            with suppress(OSError):
                self.path.unlink()

    def _read(self, path: Path) -> None:
        with safe_open(path, framework="pt") as opened:
            metadata = opened.metadata() or {}
            done = opened.get_tensor("features")
        if metadata["sha256"] != _digest(metadata["facts"], done):
            raise ValueError("is not what was written")
        facts = json.loads(metadata["facts"])
        self.batches = list(torch.split(done.clone(), facts["sizes"]))
        self.seconds = facts["seconds"]
        log.info("%s: %d images are done already", path, len(done))


def _digest(facts: str, done: torch.Tensor) -> str:
    digest = hashlib.sha256(facts.encode())
    digest.update(done.contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()
