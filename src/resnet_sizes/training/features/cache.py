"""The features of a frozen backbone: computed once, kept on disk, shared by seeds and studies."""

import logging
from collections.abc import Callable, Mapping
from pathlib import Path

import torch

from resnet_sizes.io.errors import WriteError
from resnet_sizes.io.hashes import content_hash
from resnet_sizes.io.locks import one_process
from resnet_sizes.schemas.run.metrics import Device, FeatureCache
from resnet_sizes.schemas.run.run import RunFile
from resnet_sizes.training.features import extraction
from resnet_sizes.training.tensor_files import DamagedTensors, read_tensors, write_tensors

log = logging.getLogger("resnet_sizes")


def features_key(
    run: RunFile, device: Device, versions: Mapping[str, str], training_hash: str
) -> str:
    """Hash of all that decides the features, to the last bit, and so never of the seed. Device,
    threads, batch size and versions decide rounding, the code decides everything."""
    recipe, on_cuda = run.reading, device.kind == "cuda"
    return content_hash(
        {
            "model": run.model,
            **({"network": run.network.sha256} if run.network else {}),
            "weights": run.initial_weights.sha256 if run.initial_weights else None,
            "stem": recipe.stem,
            "input_size": recipe.input_size,
            "normalisation": recipe.normalisation,
            "precision": run.precision,
            "batch_size": extraction.pass_batch(run, device.memory_bytes if on_cuda else None),
            "deterministic": run.deterministic,
            "dataset": run.dataset_identity,
            "device": [device.kind, device.name],
            "threads": device.threads if device.kind == "cpu" else None,
            "cudnn": torch.backends.cudnn.version() if on_cuda else None,  # type: ignore[no-untyped-call]
            "versions": dict(versions),
            "code": training_hash,
        }
    )


def cached_features(
    folder: Path,
    key: str,
    extractor: extraction.FeatureExtractor,
    checkpoint_seconds: float,
    while_waiting: Callable[[], object],
    loaded: dict[str, tuple[torch.Tensor, torch.Tensor]],
) -> tuple[torch.Tensor, torch.Tensor, FeatureCache]:
    """Read the features of a key, which is `features_key`'s, or compute and keep them: of training
    and of test images, float32 `[N, F]` on the CPU, with what it took.

    Two runs that want the same features at the same time compute them once: the second waits,
    calling `while_waiting` every second. A pass that is interrupted is kept every
    `checkpoint_seconds` and goes on.

    A run that finds them measures the pass again, on some of the images: with the time of the run
    that computed them, several seeds would have one measurement between them, and seem to vary
    less than they do. What is computed or read is put into `loaded`, by its key, and found there.
    """
    path = folder / f"{key}.safetensors"
    name = extractor.run.name
    waiting = f"{name}: another run computes the same features; waiting for it"
    with one_process(path, waiting, while_waiting):
        found = loaded.get(key) or _read(path)
        if found is None:
            partial = extraction.PartialFeatures.of(path, checkpoint_seconds)
            train, test, seconds = extractor.train_and_test(partial)
            time = extraction.PassTime(seconds, len(train), passes=1)
            try:
                write_tensors(path, {"train": train, "test": test})
            except WriteError as error:  # what was computed is not lost for this run
                log.warning(f"warning: {error} The next run computes it again")
            else:
                partial.remove()
    if found is not None:
        log.info(f"{name}: features of the frozen backbone are here: {path}")
        train, test = found
        time = extractor.time()
    loaded[key] = train, test
    cache = FeatureCache(
        key=key,
        reused=found is not None,
        forward_seconds=time.seconds,
        timed_images=time.images,
        timed_passes=time.passes,
        batch=extractor.batch,
    )
    return train, test, cache


def _read(path: Path) -> tuple[torch.Tensor, torch.Tensor] | None:
    """The features of training and test images; None where the file is missing or damaged."""
    if not path.is_file():
        return None
    try:
        _, tensors = read_tensors(path)
        return tensors["train"], tensors["test"]
    except (DamagedTensors, OSError, KeyError) as error:
        log.warning(f"{path}: {error}; it is computed again")
        return None
