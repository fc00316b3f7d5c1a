"""From a study to its tensor file."""

import logging
from pathlib import Path

from resnet_sizes.data.fetch import is_official, local_source
from resnet_sizes.data.fingerprint import fingerprint
from resnet_sizes.data.official import RECORD, official_cifar10
from resnet_sizes.data.sources.cifar10 import Cifar10Source
from resnet_sizes.data.sources.image_folder import ImageFolderSource
from resnet_sizes.data.sources.own import OwnSource
from resnet_sizes.data.sources.source import PARTS, Source
from resnet_sizes.io.files import write_json
from resnet_sizes.schemas.run import tensors
from resnet_sizes.schemas.run.subset import balanced_subset
from resnet_sizes.schemas.study.sources import DataContent, Limit
from resnet_sizes.schemas.study.study import Study

_log = logging.getLogger(__name__)


def prepare_dataset(study: Study, dataset_path: Path, info_path: Path) -> tensors.DatasetInfo:
    """Decode the study's images and write the tensor file, then `dataset.json` beside it.

    Uses no network: what has to be fetched must be there. With `dataset.limit` only the images
    of the subset are decoded and checked. Both files are written atomically. Raises UserError.
    """
    dataset = study.dataset
    source = open_source(study)
    file = source.file
    read = fingerprint(file) if file else None  # before it is read: what changes meanwhile is seen
    names, limit, seed = source.class_names, dataset.limit, dataset.subset_seed
    indices = {
        part: balanced_subset(source.labels[part], names, getattr(limit, part), seed, part)
        for part in PARTS
    }
    images = source.images(indices)
    labels = {part: source.labels[part][indices[part]] for part in PARTS}
    arrays = tensors.DatasetArrays(images["train"], labels["train"], images["test"], labels["test"])
    in_training = tensors.count_test_images_in_training(arrays)
    if in_training:
        of = f"{in_training} of {len(arrays.test_labels)} test images"
        _log.warning(f"warning: {of} stand in the training set too, pixel for pixel")
    pixels = tensors.unordered_identity(arrays, source.class_names)
    info = tensors.DatasetInfo(
        spec=dataset,
        content=_content(study, source, pixels),
        class_names=source.class_names,
        train_images=len(arrays.train_labels),
        test_images=len(arrays.test_labels),
        full_train_images=len(source.labels["train"]),
        full_test_images=len(source.labels["test"]),
        identity=tensors.dataset_identity(arrays),
        unordered_identity=pixels,
        test_images_in_training=in_training,
        source_file=file.name if file else None,
        source_sha256=read,
    ).sealed()
    tensors.write_dataset(dataset_path, info, arrays)
    write_json(info_path, info)
    return info


def open_source(study: Study) -> Source:
    """The images that the study names, listed but not yet decoded. Raises UserError."""
    path = local_source(study)
    if study.dataset.own_code:
        return OwnSource(*study.dataset.own_code, study.dataset.path)
    if path is None:
        # scikit-learn takes seconds to load.
        from resnet_sizes.data.sources.digits import DigitsSource

        return DigitsSource()
    if study.dataset.source == "cifar10":
        return Cifar10Source(path)
    return ImageFolderSource(path, study.dataset.resize)


def _content(study: Study, source: Source, pixels: str) -> DataContent:
    dataset, known = study.dataset, official_cifar10().unordered_identity
    if pixels == known:
        _log.info("Every image and label is that of the official CIFAR-10.")
        return "cifar10"
    if dataset.source != "cifar10":
        return dataset.declared_content
    # A study may name another checksum (a test, a smaller copy). Only the published ones
    # make the pixels the official ones.
    if not (source.file and is_official(source.file)):
        return "other"
    if dataset.limit == Limit():
        told = f"{pixels} ({RECORD} has {known or 'none yet'})"
        _log.info(f"unordered_identity of the official images: {told}")
    return "cifar10"
