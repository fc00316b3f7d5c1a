"""A training step that is recorded once and then replayed: a GPU waits for one launch, not for
thousands.

Source: PyTorch documentation, "CUDA semantics", section "CUDA Graphs".
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch

from resnet_sizes.io.errors import UserError
from resnet_sizes.training.engine.clock import Clock

WARM_UP = 3
"""Steps of a batch size that are made as they come before one is recorded: in them kernels are
chosen, and the optimiser makes its state. Sizes that come less often are never recorded."""

Step = Callable[..., tuple[torch.Tensor, torch.Tensor]]
"""Takes tensors whose first axis, or last, is the batch's; gives the batch's mean loss, a float32
scalar, and its correct answers, an int64 scalar. It must never wait for the device."""


class CudaRecorder:
    """Records what a block tells the device to do, as a CUDA graph."""

    def __init__(self, device: torch.device) -> None:
        self._stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]

    @contextmanager
    def beside(self) -> Iterator[None]:
        """A block whose work goes to the stream of the recordings, in order with all other work:
        autograd may remember the stream of an earlier step, and cannot record the default one."""
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


@dataclass(frozen=True)
class _Recording:
    """A step of one batch size, and the tensors that it reads and writes."""

    numbers: list[float]
    inputs: list[torch.Tensor]
    outputs: tuple[torch.Tensor, torch.Tensor]
    replay: Callable[[], object]


class StepGraph:
    """Steps by replaying one of each batch size; the first of each as they come. A replay gives the
    device the same kernels with the same arguments in the same order, so the results are those
    without it, bit by bit, where the kernels are deterministic."""

    def __init__(self, step: Step, recorder: CudaRecorder, clock: Clock) -> None:
        """`clock` leaves the recording out of what it measures."""
        self._step = step
        self._recorder = recorder
        self._clock = clock
        self.replays = 0
        """How many steps have been replays."""
        self.forget()

    def forget(self) -> None:
        """Start again, since the tensors that a recording refers to are replaced."""
        self._warm: Counter[int] = Counter()
        self._recordings: dict[int, _Recording] = {}

    def __call__(
        self, numbers: list[float], *inputs: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """One step. `inputs` are the step's, the first of them on the device; `numbers` are
        those that a recording holds fast, the learning rates: with others it is made again."""
        size = len(inputs[0])
        if self._warm[size] < WARM_UP:
            self._warm[size] += 1
            with self._recorder.beside():
                return self._step(*inputs)
        recording = self._recordings.get(size)
        if recording is None or recording.numbers != numbers:
            del recording  # its memory is free for the next one
            self._recordings.pop(size, None)
            recording = self._recordings[size] = self._record(numbers, inputs)
        for buffer, value in zip(recording.inputs, inputs, strict=True):
            buffer.copy_(value, non_blocking=True)
        recording.replay()
        self.replays += 1
        # The next replay writes over them.
        loss, correct = recording.outputs
        return loss.clone(), correct.clone()

    def _record(self, numbers: list[float], inputs: tuple[torch.Tensor, ...]) -> _Recording:
        self._clock.begin_preparation()
        device = inputs[0].device
        buffers = [each.to(device, copy=True) for each in inputs]
        loss = torch.zeros((), device=device)
        correct = torch.zeros((), dtype=torch.int64, device=device)

        def work() -> None:
            found_loss, found_correct = self._step(*buffers)
            loss.copy_(found_loss)
            correct.copy_(found_correct)

        try:
            replay = self._recorder.record(work)
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
        self._clock.end_preparation()
        return _Recording(numbers, buffers, (loss, correct), replay)
