"""A stand-in for CUDA graphs on a CPU: operations recorded with the very tensors that they read and
write, and done again without Python.

As of a CUDA graph, recording changes nothing, numbers and what came from outside are held fast,
tensors are known by where they lie, and nothing that waits for the device can be recorded.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

aten = torch.ops.aten
WAITS = {aten._local_scalar_dense.default, aten.nonzero.default, aten.equal.default}


class Tape(TorchDispatchMode):
    """Records the operations of a block."""

    def __init__(self) -> None:
        super().__init__()
        self._done: list[tuple[Any, Any, Any, Any]] = []
        self._before: dict[int, tuple[torch.UntypedStorage, torch.UntypedStorage]] = {}
        self._own: set[int] = set()

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if func in WAITS:
            raise RuntimeError("operation not permitted when stream is capturing")
        for tensor in _tensors((args, kwargs)):
            storage = tensor.untyped_storage()
            if storage.data_ptr() not in self._own:
                self._before.setdefault(storage.data_ptr(), (storage, storage.clone()))
        made = func(*args, **kwargs)
        given = _places((args, kwargs))
        self._own |= _places(made) - given
        self._done.append((func, args, kwargs, made))
        return made

    def undo(self) -> None:
        """Everything outside is again what it was before the block."""
        for storage, before in self._before.values():
            storage.copy_(before)
        self._before.clear()

    @torch.no_grad()
    def replay(self) -> None:
        """Do the operations again, on the same tensors."""
        for func, args, kwargs, made in self._done:
            again = func(*args, **kwargs)
            given = _places((args, kwargs))
            for old, new in zip(_tensors(made), _tensors(again), strict=True):
                if old.untyped_storage().data_ptr() not in given:
                    old.copy_(new)


class TapeRecorder:
    """As `CudaRecorder`, on a CPU."""

    def __init__(self, device: torch.device) -> None:
        self.eager = 0
        self.recordings = 0
        self.replays = 0

    @contextmanager
    def beside(self) -> Iterator[None]:
        self.eager += 1
        yield

    def record(self, work: Callable[[], object]) -> Callable[[], object]:
        tape = Tape()
        try:
            with tape:
                work()
        finally:
            tape.undo()
        self.recordings += 1

        def replay() -> None:
            self.replays += 1
            tape.replay()

        return replay


def _tensors(tree: Any) -> list[torch.Tensor]:
    return [leaf for leaf in tree_leaves(tree) if isinstance(leaf, torch.Tensor)]


def _places(tree: Any) -> set[int]:
    return {tensor.untyped_storage().data_ptr() for tensor in _tensors(tree)}
