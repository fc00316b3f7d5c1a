"""A training step that is recorded once and then replayed: a GPU waits for one launch, not for
thousands.

Source: PyTorch documentation, "CUDA semantics", section "CUDA Graphs".
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch

from resnet_sizes.io.errors import UserError
from resnet_sizes.training.engine.clock import Clock

WARM_UP = 3
"""Steps that are made as they come before one is recorded: in them kernels are chosen, and the
optimiser makes its state."""

Step = Callable[..., tuple[torch.Tensor, torch.Tensor]]
"""Takes tensors whose first axis, or last, is the batch's; gives the batch's mean loss, a float32
scalar, and its correct answers, an int64 scalar. It must never wait for the device."""


class CudaRecorder:
    """Records what a block tells the device to do, as a CUDA graph."""

    def __init__(self, device: torch.device) -> None:
        self._stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]

    @contextmanager
    def beside(self) -> Iterator[None]:
        """A block whose work goes to the stream of the recordings, in order with all other work.

        Autograd may remember the stream of an earlier step; the default one cannot be recorded.
        """
        here = torch.cuda.current_stream(self._stream.device)
        self._stream.wait_stream(here)
        with torch.cuda.stream(self._stream):
            yield
        here.wait_stream(self._stream)

    def record(self, work: Callable[[], object]) -> Callable[[], object]:
        """Record `work`, which does not happen by this; what is returned makes it happen."""
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, stream=self._stream):
            work()
        return graph.replay


class StepGraph:
    """Steps of one batch size by replaying one of them; all others as they come.

    A replay gives the device the same kernels with the same arguments in the same order, so the
    results are those without it, bit by bit, where the kernels are deterministic.
    """

    def __init__(self, step: Step, batch_size: int, recorder: CudaRecorder, clock: Clock) -> None:
        """`clock` leaves the recording out of what it measures."""
        self._step = step
        self._batch_size = batch_size
        self._recorder = recorder
        self._clock = clock
        self._warm = 0
        self._replay: Callable[[], object] | None = None
        self._numbers: list[float] = []
        self._inputs: list[torch.Tensor] = []
        self._outputs: tuple[torch.Tensor, ...] = ()

    def __call__(
        self, numbers: list[float], *inputs: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """One step. `inputs` are the step's, the first of them on the device; `numbers` are
        those that a recording holds fast, the learning rates: with others it is made again."""
        whole = len(inputs[0]) == self._batch_size
        if not whole or self._warm < WARM_UP:
            self._warm += whole
            with self._recorder.beside():
                return self._step(*inputs)
        if self._replay is None or numbers != self._numbers:
            self._record(numbers, inputs)
        assert self._replay is not None
        for buffer, value in zip(self._inputs, inputs, strict=True):
            buffer.copy_(value, non_blocking=True)
        self._replay()
        # The next replay writes over them.
        loss, correct = (output.clone() for output in self._outputs)
        return loss, correct

    def forget(self) -> None:
        """Start again, since the tensors that a recording refers to are replaced."""
        self._warm, self._replay = 0, None

    def _record(self, numbers: list[float], inputs: tuple[torch.Tensor, ...]) -> None:
        self._clock.begin_preparation()
        self._replay = None  # its memory is free for the next one
        device = inputs[0].device
        self._inputs = [each.to(device, copy=True) for each in inputs]
        self._outputs = (
            torch.zeros((), device=device),
            torch.zeros((), dtype=torch.int64, device=device),
        )

        def work() -> None:
            for output, found in zip(self._outputs, self._step(*self._inputs), strict=True):
                output.copy_(found)

        try:
            self._replay = self._recorder.record(work)
        except RuntimeError as error:
            reason: BaseException = error
            while reason.__context__ is not None:  # what ended the recording comes first
                reason = reason.__context__
            if isinstance(reason, torch.OutOfMemoryError):
                raise reason from None
            raise UserError(
                f"training.compile: the training step could not be recorded as a CUDA graph "
                f"({reason}). Set training.compile to none."
            ) from error
        self._numbers = numbers
        self._clock.end_preparation()
