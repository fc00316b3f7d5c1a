"""From a wheel or an sdist, without a clone: from an empty folder to the report of the demo."""

import os
import re
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
WHERE = "from resnet_sizes.io.shipped import SHIPPED; print(SHIPPED)"

pytestmark = pytest.mark.long


def run(*command: str | Path, folder: Path, path: str | None = None) -> str:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    if path:
        environment["PATH"] = f"{path}{os.pathsep}{environment['PATH']}"
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=900
    )
    assert done.returncode == 0, f"{command}:\n{done.stdout}\n{done.stderr}"
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel and the sdist."""
    folder = tmp_path_factory.mktemp("built")
    run(sys.executable, "-m", "hatchling", "build", "-d", folder, folder=ROOT)
    return folder


class Environment:
    """A virtual environment with the package, and with what is installed here for the rest."""

    def __init__(self, folder: Path, package: Path) -> None:
        run(sys.executable, "-m", "venv", folder, folder=folder.parent)
        self.bin = folder / "bin"
        [site] = folder.glob("lib/python*/site-packages")
        # Paths of a .pth have no .pth of their own: an editable installation there is not seen.
        (site / "rest.pth").write_text(sysconfig.get_path("purelib"))
        self.site = site
        install = ("-m", "pip", "install", "--quiet", "--no-index", "--no-deps")
        self.python(*install, "--no-build-isolation", "--ignore-installed", package, folder=folder)

    def python(self, *arguments: str | Path, folder: Path) -> str:
        return run(self.bin / "python", *arguments, folder=folder, path=str(self.bin))

    def command(self, *arguments: str, folder: Path) -> str:
        return run(self.bin / "resnet-sizes", *arguments, folder=folder, path=str(self.bin))


def test_from_a_wheel_an_empty_folder_comes_to_the_demo_s_report(
    built: Path, tmp_path: Path
) -> None:
    [wheel] = built.glob("*.whl")
    environment = Environment(tmp_path / "venv", wheel)
    found = environment.python("-c", WHERE, folder=tmp_path).strip()
    assert Path(found).is_relative_to(environment.site)
    environment.command("init", "study", folder=tmp_path)
    study = tmp_path / "study"
    demo = ("--configfile", "config/demo.yaml")
    said = environment.python("-m", "snakemake", "--cores", "all", folder=study)
    assert "Report: results/demo/report/en/report.html" in said
    assert (study / "results/demo/report/en/report.pdf").stat().st_size > 10_000
    page = (study / "results/demo/report/en/report.html").read_text(encoding="utf-8")
    assert "Example: two depths compared" in page
    again = environment.python("-m", "snakemake", "-n", *demo, folder=study)
    assert "Nothing to be done" in again
    verified = environment.command("verify", "results/demo", folder=study)
    assert "differs" not in verified.splitlines()[-1]
    environment.command("archive", "demo", folder=study)
    archive = study / "results/demo.zip"
    said = environment.command("verify", str(archive), folder=tmp_path)
    counts = dict(re.findall(r"^(\w+) +(\d+ +\d+ +\d+)$", said, re.MULTILINE))
    assert {name: row.split()[1:] for name, row in counts.items()} == {
        "files": ["0", "1"],  # the digest, which nobody gave
        **{name: ["0", "0"] for name in ("study", "runs", "evidence", "report")},
    }
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(tmp_path / "unpacked")
    again = environment.python("-m", "snakemake", "-n", *demo, folder=tmp_path / "unpacked")
    assert re.search(r"^evidence +1$", again, re.MULTILINE)


def test_the_sdist_makes_the_same_wheel_and_lays_out_an_article(
    built: Path, tmp_path: Path
) -> None:
    [sdist] = built.glob("*.tar.gz")
    with tarfile.open(sdist) as opened:
        opened.extractall(tmp_path / "source", filter="data")
    [source] = (tmp_path / "source").iterdir()
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path, folder=source)
    [wheel], [again] = built.glob("*.whl"), tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as one, zipfile.ZipFile(again) as other:
        contents = [{name: file.read(name) for name in file.namelist()} for file in (one, other)]
    assert contents[0] == contents[1]
    environment = Environment(tmp_path / "venv", sdist)
    environment.command("init", "study", "--article", "santos-2024", folder=tmp_path)
    planned = environment.python("-m", "snakemake", "-n", folder=tmp_path / "study")
    assert "Job stats:" in planned
