"""A project and data whose paths hold what a shell would take for commands."""

import shutil
from pathlib import Path

import pytest
import yaml
from workflow_project import Project

from image_trees import as_tar, as_zip, tree

FOLDER = "a b;$(touch x)'`touch y`\"&*{rule}"
STUDY = """\
name: tiny
demo: true
dataset: {{source: image-folder, path: {path}}}
models: [resnet18]
protocols: [scratch-32]
seeds: [0]
training: {{epochs: 1, batch_size: 2, threads: 1}}
report: {{languages: [en]}}
"""


@pytest.mark.slow
def test_a_study_runs_below_a_folder_with_any_name(tmp_path: Path) -> None:
    project = Project.create(tmp_path / FOLDER / "project")
    data = project.folder / "my 'own' data" / 'images "x"; $(touch z) & more.tar.gz'
    data.parent.mkdir()
    as_tar(tree(train=4, test=2), data)
    config = project.overlay(
        "with 'spaces' & $(touch w).yaml",
        STUDY.format(
            path=yaml.dump(
                str(data.relative_to(project.folder)), width=10**6, default_style='"'
            ).strip()
        ),
    )
    articles = project.folder / "articles"
    shutil.copytree(articles / "santos-2024", articles / "an 'article'")
    with (project.folder / config).open("a", encoding="utf-8") as file:
        file.write("article: \"articles/an 'article'/article.yaml\"\n")
    project.snakemake("--configfile", config)
    for name in ("report.html", "report.pdf"):
        assert (project.folder / "results/tiny/report/en" / name).is_file()
    assert project.planned(config=config) == {}
    made = {path.name for path in tmp_path.rglob("*")} & {"x", "y", "z", "w"}
    assert not made, "a path was run as a command"


def test_the_commands_take_paths_with_spaces_and_quotes(tmp_path: Path) -> None:
    project = Project.create(tmp_path / "it's here; $(touch x)")
    data = project.folder / "some images (1).zip"
    as_zip(tree(), data)
    config = project.overlay("own data.yaml", STUDY.format(path=f"'{data.name}'"))
    study = project.command("study", "write", config).stdout.strip().splitlines()[-1]
    project.command("--log", "my logs/data 'log'.txt", "data", study)
    assert (project.folder / "results/tiny/data/dataset.safetensors").is_file()
    assert not list(tmp_path.rglob("x"))
