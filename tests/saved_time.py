"""What tests need not wait for: hashes of code, made once for equal files, and long measurements.

Hashes take most of the time of a plan, and a second or two of each command that looks at results.
"""

import os
import sys
from hashlib import sha256
from pathlib import Path

SHARED = "RESNET_SIZES_TESTS_SHARED"
"""Names the folder that all workers of a test run share (tests/made_once.py)."""


def remember_hashes(environment: dict[str, str]) -> None:
    """Let `code_hash` of the project's package look there first, wherever it is imported."""
    from resnet_sizes.io import code_hash as module

    source = Path(module.__file__).parents[2]
    make = module.code_hash

    def remembered(*names: str) -> str:
        key = sha256(f"{names}".encode())
        # How a hash is made decides it, too.
        for name in (module.__name__, *names):
            path = source / name.replace(".", "/")
            files = path.rglob("*") if path.is_dir() else [path.with_suffix(".py")]
            for file in sorted(each for each in files if each.suffix in (".py", ".yaml", ".json")):
                content = file.read_bytes()
                key.update(f"{file.relative_to(source)} {len(content)} ".encode() + content)
        known = Path(environment[SHARED]) / f"code-{key.hexdigest()}"
        if not known.exists():
            own = known.with_suffix(f".{os.getpid()}")
            own.write_text(make(*names))
            own.replace(known)
        return known.read_text()

    for name, loaded in list(sys.modules.items()):
        if name.startswith("resnet_sizes.") and vars(loaded).get("code_hash") is make:
            loaded.code_hash = remembered


def measure_briefly() -> None:
    """Let runs that find their features time a pass three times, not for seconds."""
    if "torch" in sys.modules:
        from resnet_sizes.training.features import extraction

        extraction.WARM_UP_SECONDS = extraction.TIMED_SECONDS = 1e-9
