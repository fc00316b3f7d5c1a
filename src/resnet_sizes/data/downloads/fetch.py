"""Everything that the images need from the network. The later steps work without one."""

from pathlib import Path

from resnet_sizes.data.downloads.checksums import mismatch
from resnet_sizes.data.downloads.verified_file import PublishedFile, bring
from resnet_sizes.io.errors import UserError
from resnet_sizes.schemas.study.study import Study

OFFLINE_COMMAND = "snakemake --cores all --resources gpu=1 --configfile config/offline.yaml"


def fetch(study: Study) -> Path | None:
    """Make sure that the study's source of images lies on this machine, whole.

    Returns the archive or folder, or None for a source that comes with a library. For
    `cifar10` that is `dataset.path` if it is set, otherwise the archive in `downloads.folder`,
    downloaded if need be: from the mirrors in their order, then from the origin. Only a file
    with the right size and MD5 gets its final name. Safe to call from two processes at once.
    Raises UserError.
    """
    if study.dataset.source != "cifar10" or study.dataset.path is not None:
        return local_source(study)
    expected = study.downloads.cifar10
    wanted = PublishedFile(
        what="the archive",
        target=_download_target(study),
        addresses=(*expected.mirrors, expected.origin),
        size=expected.bytes,
        mismatch=lambda path: mismatch(path, expected),
        timeout=study.downloads.timeout,
        allow_http=study.downloads.allow_http,
    )
    failures = bring(wanted)
    if failures:
        raise UserError(_nothing_worked(failures, wanted.target, study))
    return wanted.target


def local_source(study: Study) -> Path | None:
    """As `fetch`, without any network: a missing or damaged file is a UserError."""
    dataset = study.dataset
    if dataset.source == "digits":
        return None
    if dataset.source == "image-folder":
        return _image_folder(Path(dataset.path or ""))
    if dataset.path is not None:
        return _own_copy(Path(dataset.path), study)
    target = _download_target(study)
    remedy = f"Run: resnet-sizes fetch results/{study.name}/study.json"
    if not target.is_file():
        raise UserError(f"{target}: no such file. {remedy}")
    problem = mismatch(target, study.downloads.cifar10)
    if problem:
        raise UserError(f"{target}: is damaged: {problem}. {remedy}")
    return target


def _image_folder(path: Path) -> Path:
    if not path.exists():
        raise UserError(
            f"dataset.path: {path} does not exist (seen from {Path.cwd()}). Put a folder, zip or "
            "tar archive with train/<class>/… and test/<class>/… there, or change dataset.path."
        )
    return path


def _own_copy(path: Path, study: Study) -> Path:
    expected = study.downloads.cifar10
    remedy = (
        f"Put {expected.file} ({expected.bytes} bytes, MD5 {expected.md5}) there, "
        "or set dataset.path to null to have it downloaded."
    )
    if not path.is_file():
        found = "is a folder" if path.is_dir() else f"does not exist (seen from {Path.cwd()})"
        raise UserError(f"dataset.path: {path} {found}. {remedy}")
    problem = mismatch(path, expected)
    if problem:
        raise UserError(
            f"dataset.path: {path} is not the official CIFAR-10 archive: {problem}. {remedy}"
        )
    return path


def _download_target(study: Study) -> Path:
    return Path(study.downloads.folder) / study.downloads.cifar10.file


def _nothing_worked(failures: list[str], target: Path, study: Study) -> str:
    expected = study.downloads.cifar10
    return "\n".join(
        [
            "CIFAR-10 could not be fetched:",
            *(f"  {failure}" for failure in failures),
            "Do one of these, then run the same command again:",
            f"  - put {expected.file} ({expected.bytes} bytes, MD5 {expected.md5}) here by hand: "
            f"{target.absolute()}",
            "  - set dataset.path to a copy of that archive on this machine",
            "  - or take the study that needs no network:",
            f"    {OFFLINE_COMMAND}",
        ]
    )
