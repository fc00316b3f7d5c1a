"""Small trees of images, as a folder, a zip or a tar archive with the same content."""

import io
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from PIL import Image

Tree = Mapping[str, bytes | None]
"""Name → content of a file; None for a folder."""


def encoded(
    seed: int = 0, size: tuple[int, int] = (32, 32), format: str = "PNG", mode: str = "RGB"
) -> bytes:
    """A random image, encoded."""
    random = np.random.default_rng(seed)
    image = Image.fromarray(random.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8))
    target = io.BytesIO()
    image.convert(mode).save(target, format)
    return target.getvalue()


def tree(
    train: int = 3, test: int = 2, classes: tuple[str, ...] = ("cat", "dog")
) -> dict[str, bytes | None]:
    """`train/<class>/<n>.png` and `test/<class>/<n>.jpg`, every image another."""
    files: dict[str, bytes | None] = {}
    for part, count, suffix in (("train", train, "png"), ("test", test, "jpg")):
        for name in classes:
            for number in range(count):
                content = encoded(len(files), format="PNG" if suffix == "png" else "JPEG")
                files[f"{part}/{name}/{number:03}.{suffix}"] = content
    return files


def as_folder(files: Tree, path: Path) -> Path:
    """Write a tree as a directory."""
    path.mkdir()
    for name, content in files.items():
        target = path / name
        if content is None:
            target.mkdir(parents=True, exist_ok=True)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
    return path


def as_zip(files: Tree, path: Path) -> Path:
    """Write a tree as a zip archive."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name if content is not None else f"{name}/", content or b"")
    return path


def as_tar(files: Tree, path: Path, compression: str = "gz") -> Path:
    """Write a tree as a tar archive; `compression` is gz, bz2, xz or empty."""
    with tarfile.open(path, f"w:{compression}") as archive:  # type: ignore[call-overload]
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            if content is None:
                member.type = tarfile.DIRTYPE
            else:
                member.size = len(content)
            archive.addfile(member, io.BytesIO(content or b""))
    return path


WRITERS: dict[str, Callable[[Tree, Path], Path]] = {
    "folder": as_folder,
    "zip": as_zip,
    "tar": lambda files, path: as_tar(files, path, ""),
    "tar.gz": as_tar,
    "tar.bz2": lambda files, path: as_tar(files, path, "bz2"),
    "tar.xz": lambda files, path: as_tar(files, path, "xz"),
}
