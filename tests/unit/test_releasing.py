"""What a release rests on: one version everywhere, and an audit that does not pass unasked."""

import re
import subprocess
from pathlib import Path

import pytest

import resnet_sizes

ROOT = Path(__file__).parents[2]

# Stands in for an interpreter, whose virtual environment has a pip-audit that says what it is told.
PYTHON = """#!/bin/sh
mkdir -p "$3/bin"
printf '#!/bin/sh\\nexit {install}\\n' > "$3/bin/python"
printf '#!/bin/sh\\necho "{said}"; exit {status}\\n' > "$3/bin/pip-audit"
chmod +x "$3/bin/python" "$3/bin/pip-audit"
"""


def test_the_version_is_the_same_everywhere() -> None:
    for name in ("pyproject.toml", "CITATION.cff"):
        text = (ROOT / name).read_text(encoding="utf-8")
        found = re.search(r"^version\s*[:=]\s*\"?([\d.]+)", text, flags=re.MULTILINE)
        assert found is not None
        assert found[1] == resnet_sizes.__version__, name


@pytest.mark.parametrize(
    ("install", "said", "status", "expected", "told"),
    [
        (0, "No known vulnerabilities found", 0, 0, ""),
        (0, "Found 2 known vulnerabilities in 1 package", 1, 1, "take the fixed versions"),
        (0, "six: could not be audited", 1, 2, "not checked: the database could not be asked"),
        (1, "", 0, 2, "not checked: pip-audit could not be installed"),
    ],
)
def test_an_audit_that_could_not_ask_does_not_pass(
    tmp_path: Path, install: int, said: str, status: int, expected: int, told: str
) -> None:
    python = tmp_path / "python"
    python.write_text(PYTHON.format(install=install, said=said, status=status), encoding="utf-8")
    python.chmod(0o755)
    done = subprocess.run(
        [ROOT / "scripts" / "audit_dependencies.sh"],
        env={"PYTHON": str(python), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == expected, done.stderr
    assert told in done.stderr
    assert said in done.stdout
