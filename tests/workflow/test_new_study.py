"""`resnet-sizes init`: a study in a folder of its own, which takes the rules of the package."""

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from workflow_project import REPOSITORY, TINY, Project

from copied_process import copied
from documented import blocks, write_files
from resnet_sizes.schemas.article.article import load_article

ARTICLES = sorted(path.parent.name for path in REPOSITORY.glob("articles/*/article.yaml"))


class NewStudy(Project):
    """A folder that `init` has laid out, with the package elsewhere."""

    @property
    def environment(self) -> dict[str, str]:
        return super().environment | {"PYTHONPATH": str(REPOSITORY / "src")}

    def command(self, *arguments: str) -> str:
        done = copied().run([*arguments], self.folder)
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture
def new_study(tmp_path: Path) -> NewStudy:
    done = copied().run(["init", "study"], tmp_path)
    assert done.returncode == 0, done.stderr
    study = NewStudy(tmp_path / "study")
    (study.folder / "config/tiny.yaml").write_text(TINY)
    return study


def test_it_has_what_a_study_begins_with(new_study: NewStudy) -> None:
    made = {
        path.relative_to(new_study.folder).as_posix()
        for path in new_study.folder.rglob("*")
        if path.is_file()
    }
    assert made - {"config/tiny.yaml"} >= {
        ".github/workflows/ci.yml",
        ".gitignore",
        "README.md",
        "Snakefile",
        "articles/example/article.yaml",
        "config/README.md",
        "config/config.yaml",
        "config/demo.yaml",
        "profiles/default/config.yaml",
        "profiles/slurm/config.yaml",
    }
    assert os.access(new_study.folder / "profiles/cluster-generic/status.sh", os.X_OK)
    for path in made:
        assert not re.search(r"\$(article|models|version)", (new_study.folder / path).read_text())


def test_commands_without_a_name_are_about_its_study(new_study: NewStudy) -> None:
    shown = yaml.safe_load(new_study.command("study", "show"))
    assert shown["article"] == "articles/example/article.yaml"
    assert shown["models"] == ["resnet18", "resnet34"]
    assert not shown["demo"]
    assert shown["dataset"]["source"] == "cifar10"
    steps = yaml.safe_load((new_study.folder / ".github/workflows/ci.yml").read_text())
    commands = [step.get("run", "").split() for step in steps["jobs"]["report"]["steps"]]
    ours = [command for command in commands if command[:1] == ["resnet-sizes"]]
    said = [new_study.command(*command[1:]) for command in ours]
    assert "layers_increment" in said[1]


def test_what_the_configuration_says_in_comments_holds(new_study: NewStudy) -> None:
    """The keys that stand behind a # may be taken as they are."""
    path = new_study.folder / "config/config.yaml"
    before, _, after = path.read_text().partition("# Further keys")
    keys = re.sub(r"(?m)^# ?(?=\w+:|  )", "", after)
    keys = keys.replace("protocols: [probe-224, scratch-32]", "protocols: [mine, scratch-32]")
    path.write_text(before + "# " + keys)
    (new_study.folder / "config/mine.py").write_text("def build(num_classes): ...\n")
    shown = yaml.safe_load(new_study.command("study", "show"))
    assert shown["protocols"] == ["mine", "scratch-32"]
    assert shown["protocol_definitions"]["mine"]["stem"] == "cifar"
    assert not shown["demo"]


@pytest.mark.parametrize("article", ARTICLES)
def test_a_shipped_article_is_laid_out_to_work_on(article: str, tmp_path: Path) -> None:
    done = copied().run(["init", str(tmp_path), "--article", article], tmp_path)
    assert done.returncode == 0, done.stderr
    own, shipped = (folder / "articles" / article for folder in (tmp_path, REPOSITORY))
    assert load_article(own / "article.yaml") == load_article(shipped / "article.yaml")
    assert not (tmp_path / "articles/example").exists()
    plan = NewStudy(tmp_path).plan().stdout
    assert "Job stats:" in plan
    assert f"articles/{article}/article.yaml" in plan


def resolved(folder: Path, *overlays: str) -> dict[str, Any]:
    """A study as `study show` prints it; without the readings that it has no use for."""
    done = copied().run(["study", "show", *overlays], folder)
    assert done.returncode == 0, done.stderr
    shown: dict[str, Any] = yaml.safe_load(done.stdout)
    used = {name: shown["protocol_definitions"][name] for name in shown["protocols"]}
    return shown | {"protocol_definitions": used}


@pytest.mark.parametrize("article", ARTICLES)
def test_the_studies_of_a_shipped_article_are_those_of_a_clone(
    article: str, tmp_path: Path
) -> None:
    done = copied().run(["init", "s", "--article", article], tmp_path)
    assert done.returncode == 0, done.stderr
    laid_out = tmp_path / "s"
    own = [f"config/{path.name}" for path in sorted(REPOSITORY.glob(f"config/{article}*.yaml"))]
    for overlay in own:
        study = resolved(laid_out, overlay)
        assert study == resolved(REPOSITORY, overlay)
        assert study["dataset"]["source"] == "cifar10"
        assert overlay in (laid_out / "README.md").read_text()
    # What is meant without a name is the article's study.
    whole = f"config/{article}.yaml"
    assert resolved(laid_out) == resolved(REPOSITORY, *[each for each in own if each == whole])
    demo = resolved(laid_out, "config/demo.yaml")
    assert (demo["demo"], demo["training"]["epochs"]) == (True, 5)
    assert demo["training"].get("iterations") is None
    article_file = load_article(laid_out / f"articles/{article}/article.yaml")
    told = [claim for claim in article_file.claims if claim.needs]
    compared = {name for each in told for name in each.models_compared(article_file.base_model)}
    assert set(demo["models"]) >= compared  # so that no claim is left without its networks


def test_the_pages_of_an_article_of_one_s_own_hold_in_a_new_study(new_study: NewStudy) -> None:
    (new_study.folder / "config/tiny.yaml").unlink()
    write_files("docs/articles.md", new_study.folder, "articles/tiny/", "config/tiny.yaml")
    tiny = resolved(new_study.folder, "config/tiny.yaml")
    assert (tiny["demo"], tiny["training"]["device"]) == (False, "auto")
    assert tiny["dataset"]["limit"] == {"train": None, "test": None}
    assert "resnet34" in new_study.command("audit", "articles/tiny/article.yaml")


def test_what_the_laid_out_pages_name_is_there(new_study: NewStudy) -> None:
    """Links lead to files, and what the README says to type works."""
    folder = new_study.folder
    pages = [folder / "README.md", folder / "config/README.md", *folder.glob("docs/*.md")]
    assert len(pages) == 6
    for page in pages:
        text = re.sub(r"`[^`\n]*`", "", page.read_text())
        for link in re.findall(r"\]\(([^)#]+)", text):
            assert link.startswith("http") or (page.parent / link).is_file(), (page, link)
    said = (folder / "README.md").read_text()
    for command in re.findall(r"`resnet-sizes (audit \S+|study \w+)`", said):
        new_study.command(*command.split())
    laid_out = [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".smk"]
    text = "".join(path.read_text() for path in laid_out if path.parts[-2] != "docs")
    assert "of the project" not in text
    assert "`make " not in text
    named = set(re.findall(r"docs/[a-z-]+\.md(?! of a clone)", text))
    assert [page for page in named if not (folder / page).is_file()] == []


def test_a_folder_with_blanks_can_be_typed_and_a_name_too_long_is_told(tmp_path: Path) -> None:
    done = copied().run(["init", "a b"], tmp_path)
    assert "cd 'a b' && snakemake\n" in done.stderr
    done = copied().run(["init", "n" * 300], tmp_path)
    assert done.returncode == 1
    assert "File name too long). Choose a shorter name" in done.stderr
    assert "Free some space" not in done.stderr


def test_an_article_that_is_not_shipped_is_told_with_those_that_are(tmp_path: Path) -> None:
    done = copied().run(["init", "study", "--article", "santos-2042"], tmp_path)
    assert done.returncode == 1
    assert "--article: found 'santos-2042'; allowed: " in done.stderr
    assert "santos-2024, example." in done.stderr
    assert not list(tmp_path.iterdir())


def test_nothing_is_overwritten_or_half_written(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("mine")
    done = copied().run(["init", str(tmp_path)], tmp_path)
    assert done.returncode == 1
    assert "has README.md, and nothing is overwritten" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["README.md"]
    assert (tmp_path / "README.md").read_text() == "mine"


def test_the_same_jobs_are_planned_as_in_a_clone(new_study: NewStudy, project: Project) -> None:
    # The example is in English alone.
    assert new_study.planned() | {"report": 2} == project.planned()


def test_names_of_rules_may_have_a_prefix_and_paths_may_not(new_study: NewStudy) -> None:
    new_study.edit("Snakefile", "use rule * from study", "use rule * from study as rs_*")
    planned = new_study.planned()
    assert planned["rs_train"] == 2
    assert "not present" not in new_study.plan().stdout
    prefixed = 'str(SHIPPED / "Snakefile")\n    prefix:\n        "below"'
    new_study.edit("Snakefile", 'str(SHIPPED / "Snakefile")', prefixed)
    refused = new_study.plan(check=False)
    assert refused.returncode != 0
    assert "prefix: the commands of these rules write to results/NAME" in refused.stdout


def test_a_larger_workflow_gives_the_study_as_a_part_of_its_configuration(
    new_study: NewStudy,
) -> None:
    given = yaml.safe_load(TINY) | {"article": "articles/example/article.yaml"}
    config = new_study.folder / "config/config.yaml"
    config.write_text(yaml.safe_dump({"samples": ["a"], "study": given}))
    text = (new_study.folder / "Snakefile").read_text()
    documented = blocks("Rules of the workflow in a larger one", "python")[0]
    snakefile = re.sub(r"module study:\n    snakefile:\n.*\n", lambda _: documented, text)
    (new_study.folder / "Snakefile").write_text(snakefile)
    done = new_study.snakemake("-n", "--config", "samples=[b]")
    assert re.search(r"^train +2$", done.stdout, re.MULTILINE), done.stdout
    assert yaml.safe_load(new_study.command("study", "show"))["name"] == given["name"]
    assert "layers_increment" in new_study.command("audit", "articles/example/article.yaml")
    config.write_text(yaml.safe_dump({"study": given | {"seeds": []}}))
    refused = new_study.plan(check=False).stdout
    assert "seeds: found []" in refused
    config.write_text("samples: [a]\nstudy:\n")  # none of its own: the defaults
    done = new_study.snakemake("-n", "--config", "samples=[b]")
    assert re.search(r"^train +45$", done.stdout, re.MULTILINE), done.stdout


def test_a_network_of_one_s_own_beside_the_study_is_trained(new_study: NewStudy) -> None:
    code, keys = (blocks("A network", kind)[0] for kind in ("python", "yaml"))
    (new_study.folder / "config/mine.py").write_text(code)
    overlay = new_study.overlay("tiny.yaml", TINY.replace("models: ", "# ") + keys)
    planned = new_study.plan("--configfile", overlay).stdout
    assert "Training linear under scratch-32, seed 0" in planned
    (new_study.folder / "config/mine.py").unlink()
    refused = new_study.plan("--configfile", overlay, check=False).stdout
    assert "linear.build: there is no config/mine.py" in refused


def test_a_source_of_one_s_own_beside_the_study_gives_its_images(new_study: NewStudy) -> None:
    (new_study.folder / "stripes.py").write_text(blocks("A data source", "python")[0])
    tiny = yaml.safe_load(TINY) | yaml.safe_load(blocks("A data source", "yaml")[0])
    tiny["dataset"]["limit"] = {"train": None, "test": None}  # not those of the demonstration
    overlay = new_study.overlay("tiny.yaml", yaml.safe_dump(tiny))
    new_study.snakemake("--configfile", overlay, "--until", "dataset")
    info = json.loads((new_study.folder / "results/tiny/data/dataset.json").read_text())
    assert info["class_names"] == ["level", "upright"]
    assert "dataset" not in new_study.planned()
    new_study.edit("stripes.py", "default_rng(0)", "default_rng(1)")
    assert new_study.planned()["dataset"] == 1
