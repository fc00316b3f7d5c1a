"""Files of torch tensors: our own, which show whether they are whole, and initial weights."""

import hashlib
import io
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load, save_file

from resnet_sizes.io.errors import UserError
from resnet_sizes.io.files import read_bytes, write_atomically
from resnet_sizes.io.messages import shown_text
from resnet_sizes.schemas.run.run import RunFile
from resnet_sizes.schemas.run.weights import WeightsInfo

Tensors = dict[str, torch.Tensor]


class DamagedTensors(Exception):
    """A file is not what was written; the message says how, without the file's name."""


def write_tensors(path: Path, tensors: Tensors, record: str = "") -> None:
    """Write CPU tensors with a text, and the hash of all that. Raises WriteError."""
    metadata = {"record": record, "sha256": _digest(record, tensors)}
    write_atomically(path, lambda target: save_file(tensors, target, metadata))


def read_tensors(path: Path) -> tuple[str, Tensors]:
    """The text and the tensors, which are mapped into memory: the system reads what is used, and
    processes share the pages. Raises DamagedTensors, and OSError or MemoryError where the file
    cannot be read for now."""
    try:
        with safe_open(path, framework="pt") as opened:
            metadata = opened.metadata() or {}
            tensors = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
        record = metadata.get("record", "")
        whole = metadata.get("sha256") == _digest(record, tensors)
    # Of another type or shape, or cut off.
    except (SafetensorError, KeyError, ValueError, TypeError, RuntimeError) as error:
        raise DamagedTensors(f"is damaged ({shown_text(str(error))})") from error
    if not whole:
        raise DamagedTensors("is not what was written")
    return record, tensors


def _digest(record: str, tensors: Tensors) -> str:
    digest = hashlib.sha256(record.encode())
    for name in sorted(tensors):
        tensor = tensors[name].contiguous()
        digest.update(f"{name} {tensor.dtype} {list(tensor.shape)}\n".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def read_weights(run: RunFile, info: WeightsInfo | None) -> Tensors | None:
    """The state dict from which a run starts, in the file of `info`; None of one that starts at
    random. Raises UserError if the file is not the one that the run was planned with."""
    expected = run.initial_weights
    if expected is None:
        return None
    if info is None:
        raise UserError(
            f"{run.name}: starts from {expected.file} ({expected.name}), but --weights is not "
            "given. Name the weights/<key>.json of the study: --weights results/<name>/weights/"
            "<key>.json"
        )
    path = Path(info.path)
    remedy = f"Make it with: resnet-sizes fetch STUDY --only {info.key}"
    content = read_bytes(path, f"{run.name} starts from it. {remedy}")
    found = hashlib.sha256(content).hexdigest()
    if found != expected.sha256:
        raise UserError(
            f"{path}: is not the file that {run.name} was planned with: SHA-256 {found[:12]}… "
            f"instead of {expected.sha256[:12]}…. {remedy}, then plan the run again: "
            "resnet-sizes study runs STUDY"
        )
    if path.suffix == ".safetensors":
        return load(content)
    # weights_only: a pickle could otherwise run code.
    state: Tensors = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    return state
