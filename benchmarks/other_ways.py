"""What else one could take: torch's compiler under the plain loop, and for the frozen pass on a CPU
ONNX Runtime, where it is installed.
"""

import importlib.util
import io
from collections.abc import Callable

import torch
from plain_loop import PlainLoop
from settings import Setting
from torch import nn

from resnet_sizes.schemas.run.run import Precision
from resnet_sizes.schemas.run.tensors import DatasetArrays
from resnet_sizes.training.engine.networks import backbone, fold_batch_norm

Pass = Callable[[torch.Tensor], torch.Tensor]
"""Prepared images `[N, 3, S, S]` → features `[N, F]`, float32."""


class CompiledLoop(PlainLoop):
    """The plain loop with `torch.compile`, as PyTorch advises."""

    def __init__(
        self, setting: Setting, arrays: DatasetArrays, device: torch.device, precision: Precision
    ) -> None:
        super().__init__(setting, arrays, device, precision)
        torch.compiler.reset()  # a limit of graphs would make a later network silently eager
        self.forward = torch.compile(self.net, dynamic=False)


class RuntimeLoop(PlainLoop):
    """The plain loop on a frozen backbone, whose pass a runtime does; the head is torch's."""

    def __init__(
        self,
        setting: Setting,
        arrays: DatasetArrays,
        device: torch.device,
        precision: Precision,
        runtime: Callable[[nn.Module, torch.Tensor], Pass],
    ) -> None:
        super().__init__(setting, arrays, device, precision)
        fold_batch_norm(self.net)
        shape = (setting.batch_size, 3, self.size, self.size)
        features = runtime(backbone(self.net).eval(), torch.zeros(shape))
        self.forward = lambda images: self.net.fc(features(images))


def onnx_pass(backbone: nn.Module, example: torch.Tensor) -> Pass:
    """By ONNX Runtime, in fp32: its CPU kernels know no other format."""
    import onnxruntime

    file = io.BytesIO()
    torch.onnx.export(backbone, (example,), file, dynamo=False)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    session = onnxruntime.InferenceSession(file.getvalue(), options, ["CPUExecutionProvider"])
    [entry] = session.get_inputs()
    return lambda images: torch.from_numpy(session.run(None, {entry.name: images.numpy()})[0])


def other_loops(
    setting: Setting, arrays: DatasetArrays, device: torch.device, precision: Precision
) -> dict[str, PlainLoop]:
    """The loops that go with a setting and are installed, by their names."""
    if not setting.frozen:
        return {"compiled": CompiledLoop(setting, arrays, device, precision)}
    found: dict[str, PlainLoop] = {}
    if device.type != "cpu":
        return found
    if precision == "fp32" and all(map(importlib.util.find_spec, ("onnx", "onnxruntime"))):
        found["ONNX Runtime"] = RuntimeLoop(setting, arrays, device, precision, onnx_pass)
    return found
