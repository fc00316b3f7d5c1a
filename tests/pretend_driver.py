"""The files of NVIDIA's driver for GPUs that are not there."""

from pathlib import Path

INFORMATION = """\
Model: \t\t {model}
IRQ:   \t\t 140
GPU UUID: \t {uuid}
Bus Location: \t {address}
Device Minor: \t {minor}
GPU Excluded:\t {excluded}
"""

NOT_TOLD = "GPU-????????-????-????-????-????????????"
"""As the driver writes the UUID of a GPU that nobody has used."""


def make_node(root: Path, minor: int) -> None:
    """A file in /dev, which this process may open."""
    path = root / "dev" / f"nvidia{minor}"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()


def tell(
    root: Path,
    address: str,
    minor: int,
    uuid: str = NOT_TOLD,
    model: str = "Pretend GPU",
    excluded: bool = False,
) -> None:
    """What the driver tells of the GPU at an address of the bus."""
    folder = root / "proc/driver/nvidia/gpus" / address
    folder.mkdir(parents=True, exist_ok=True)
    said = "Yes" if excluded else "No"
    (folder / "information").write_text(
        INFORMATION.format(model=model, uuid=uuid, address=address, minor=minor, excluded=said)
    )
