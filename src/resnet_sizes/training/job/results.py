"""The results of a run that has reached its end, and what made them."""

import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

import torch
from safetensors.torch import save_file

import resnet_sizes
from resnet_sizes.io.code_hash import training_code_hash
from resnet_sizes.io.files import explained_write, write_atomically, write_json, write_text
from resnet_sizes.schemas.base import utc_now
from resnet_sizes.schemas.paths import RunFolder
from resnet_sizes.schemas.run.metrics import Code, Metrics
from resnet_sizes.schemas.run.tensors import predictions_hash, write_predictions
from resnet_sizes.training.devices.gpus import Nvml
from resnet_sizes.training.engine.clock import equivalent_seconds, total_seconds
from resnet_sizes.training.engine.loop import Trainer
from resnet_sizes.training.engine.networks import macs_per_image
from resnet_sizes.training.job.checkpointing import Attempt

CARD = Path(__file__).with_name("model_card.txt")


def write_results(
    trainer: Trainer, attempt: Attempt, folder: RunFolder, logits: torch.Tensor, keep_weights: bool
) -> Metrics:
    """Write the weights, if they are kept, then `predictions.safetensors` and `metrics.json`.
    `logits` is float32 `[N_test, classes]` on the CPU, after the last epoch. Raises WriteError."""
    run, labels = trainer.run, trainer.data.test_labels.cpu().numpy()
    history, cache = attempt.history, attempt.feature_cache
    outputs = logits.numpy()
    attempt.sharing.look(at_once=True)
    best = max(history, key=lambda epoch: epoch.test_accuracy)
    metrics = Metrics(
        **attempt.record(trainer.device),
        run=run,
        epochs=history,
        final_test_accuracy=history[-1].test_accuracy,
        best_test_accuracy=best.test_accuracy,
        best_epoch=best.epoch,
        training_seconds=total_seconds(history, cache),
        preparation_seconds=trainer.preparation_seconds,
        equivalent_training_seconds=equivalent_seconds(history, cache) if cache else None,
        resumed=len(attempt.resumptions),
        parameters=attempt.parameters[0],
        trainable_parameters=attempt.parameters[1],
        macs_per_image=macs_per_image(run.model, run.reading, outputs.shape[1], run.network),
        dataset_identity=run.dataset_identity,
        code=attempt.code,
        finished=utc_now(),
        predictions_sha256=predictions_hash(outputs, labels),
    ).sealed()
    # From here on the old results, if any, and the new ones could be taken for a pair.
    with explained_write(folder.metrics):
        folder.metrics.unlink(missing_ok=True)
    if keep_weights:
        _write_weights(trainer, metrics, folder)
    write_predictions(folder.predictions, outputs, labels)
    write_json(folder.metrics, metrics)
    return metrics


def _write_weights(trainer: Trainer, metrics: Metrics, folder: RunFolder) -> None:
    """The trained network as a state dict, and its card; without a frozen, unchanged backbone."""
    run, entry = metrics.run, metrics.run.entry
    is_head = run.reading.trainable == "head" and run.reading.frozen_batch_norm == "eval"
    state = trainer.network.state_dict()
    if is_head:
        ends = {name.removeprefix(f"{entry.head}."): tensor for name, tensor in state.items()}
        state = {f"{entry.head}.{name}": ends[name] for name in ("weight", "bias")}
    tensors = {name: each.detach().cpu().contiguous() for name, each in state.items()}
    write_atomically(folder.weights, lambda path: save_file(tensors, path))
    others = ""
    if is_head:
        start = run.initial_weights
        of = f"`{start.name}` (`{start.file}`, SHA-256 `{start.sha256}`)" if start else "its seed"
        others = f" Only the last layer is here: the others are frozen, and those of {of}."
    text = CARD.read_text("utf-8").format(
        library="torchvision" if "torchvision" in entry.build else "pytorch",
        run=run,
        metrics=metrics,
        file=folder.weights.name,
        others=others,
        versions=", ".join(f"{name} {number}" for name, number in metrics.versions.items()),
    )
    write_text(folder.card, text)


def versions(device: torch.device) -> dict[str, str]:
    """Versions of what takes part in a result, by name; on CUDA also cuDNN's and the driver's."""
    found = {"python": platform.python_version(), "resnet-sizes": resnet_sizes.__version__}
    found |= {package: version(package) for package in ("torch", "torchvision", "numpy")}
    if device.type == "cuda" and torch.version.cuda:
        nvml, cuda = Nvml.load(), torch.version.cuda
        cudnn = torch.backends.cudnn.version()  # type: ignore[no-untyped-call]
        of_cuda = {"cuda": cuda, "cudnn": cudnn, "driver": nvml and nvml.driver()}
        found |= {name: str(version) for name, version in of_cuda.items() if version}
    return found


def code() -> Code:
    """The hash of the training code, and the commit where git tracks the code: a repository around
    it, as that of a thesis in which it was unpacked, says nothing of it."""
    commit = _git("rev-parse", "HEAD") if _git("ls-files", "--", "__init__.py") else None
    changes = _git("status", "--porcelain", "--", ".") if commit else None
    return Code(
        training_hash=training_code_hash(),
        git_commit=commit,
        git_dirty=None if changes is None else bool(changes),
    )


def _git(*arguments: str) -> str | None:
    command = ["git", "-C", str(Path(resnet_sizes.__file__).parent), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
