"""The notebook for Colab, run as it is on the demo study."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

PROJECT = Path(__file__).parents[2]
LEFT_OUT = {".git", ".venv", "results", "work", "downloads", "site", ".snakemake"}


def left_out(folder: str, names: list[str]) -> set[str]:
    return LEFT_OUT & set(names) if Path(folder) == PROJECT else {"__pycache__"} & set(names)


@pytest.mark.long
def test_every_cell_runs_on_the_demo_and_the_report_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = shutil.copytree(PROJECT, tmp_path / "project", ignore=left_out)
    # An archive names the commit of its code.
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "as it is"]):
        subprocess.run(
            ["git", "-c", "user.name=a", "-c", "user.email=a@b.c", *command],
            cwd=project,
            check=True,
        )
    notebook = nbformat.read(project / "notebooks" / "colab.ipynb", as_version=4)
    settings = next(cell for cell in notebook.cells if cell.id == "settings")
    assert 'STUDY = "config/colab.yaml"' in settings.source
    settings.source = settings.source.replace("config/colab.yaml", "config/demo.yaml")
    # As a notebook's own kernel has it.
    monkeypatch.setenv("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    monkeypatch.setenv("PYTHONPATH", str(project / "src"))
    monkeypatch.setenv("LC_ALL", "C")
    folder = project / "notebooks"
    client = NotebookClient(notebook, timeout=1800, resources={"metadata": {"path": str(folder)}})
    client.execute()
    outputs = {cell.id: cell.get("outputs", []) for cell in notebook.cells}
    shown = "".join(each.get("data", {}).get("text/html", "") for each in outputs["report"])
    assert "Dados de demonstração" in shown
    said = "".join(output.get("text", "") for output in outputs["archive"])
    assert "digest: " in said
    verified = subprocess.run(
        [sys.executable, "-m", "resnet_sizes", "verify", "results/demo.zip"],
        cwd=project,
        env=os.environ,
        check=False,
    )
    assert verified.returncode == 0
