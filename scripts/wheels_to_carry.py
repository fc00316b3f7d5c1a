#!/usr/bin/env python3
"""Download what `resnet-sizes check-device` needs beside Python and torch, for a machine without a
network: wheels for x86-64 Linux, in the versions of requirements.lock.

    python3 scripts/wheels_to_carry.py --python 3.12 --torch 2.14.1

It names the commands to run there. `--list` downloads nothing. Wheels that the machine has already
may be left out: `--without numpy`.
"""

import argparse
import re
import subprocess
import sys
from pathlib import Path

LOCK = Path(__file__).parents[1] / "requirements.lock"

PACKAGES = (
    *("annotated-doc", "annotated-types", "pydantic", "pydantic-core", "typing-inspection"),
    *("typer", "shellingham", "rich", "markdown-it-py", "mdurl", "pygments"),
    *("filelock", "numpy", "nvidia-ml-py", "pillow", "psutil", "pyyaml", "safetensors", "tqdm"),
    *("torchvision", "typing-extensions"),
)
"""All that the command imports, but torch and what comes with it; a test holds it."""

GLIBC = (17, 24, 27, 28, 31, 34, 35)
"""pip takes a wheel for exactly the versions of glibc that it is told of."""


def pinned(torch: str) -> dict[str, str]:
    """Versions by package: the lock's, and the torchvision that belongs to a version of torch."""
    lock = dict(re.findall(r"^([\w.-]+)==(\S+)", LOCK.read_text(encoding="utf-8"), re.M))
    minor, patch = torch.split("+", maxsplit=1)[0].split(".")[1:3]
    lock["torchvision"] = f"0.{int(minor) + 15}.{patch}"  # 0.21.0 for 2.6.0, 0.29.1 for 2.14.1
    return {name: lock[name] for name in PACKAGES}


def main() -> int:
    """Download them; the exit status is pip's."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--python", default="3.12", help="version of the machine's Python")
    parser.add_argument("--torch", default="2.14.1", help="version of the machine's torch")
    parser.add_argument("--to", type=Path, default=Path("wheels"), help="folder of the wheels")
    parser.add_argument("--without", action="append", default=[], choices=PACKAGES)
    parser.add_argument("--list", action="store_true", help="name them, download nothing")
    options = parser.parse_args()
    kept = pinned(options.torch).items()
    wanted = [f"{name}=={number}" for name, number in kept if name not in options.without]
    if options.list:
        print("\n".join(wanted))
        return 0
    places = [f"--platform=manylinux_2_{number}_x86_64" for number in GLIBC]
    places += ["--platform=manylinux2014_x86_64", "--platform=manylinux1_x86_64"]
    command = ["download", "--quiet", "--no-deps", "--only-binary=:all:", "--implementation=cp"]
    command += [f"--python-version={options.python}", *places, f"--dest={options.to}", *wanted]
    status = subprocess.run([sys.executable, "-m", "pip", *command]).returncode
    if status == 0:
        print(
            f"Carry {options.to}/ and src/ to the machine, and run there, beside both:\n"
            f"  python3 -m pip install --no-index --no-deps --target site {options.to.name}/*.whl\n"
            "  PYTHONPATH=src:site python3 -m resnet_sizes check-device"
        )
    return status


if __name__ == "__main__":
    sys.exit(main())
