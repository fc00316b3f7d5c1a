"""What comes with the project is found wherever a command is typed; one's own goes first."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from copied_process import copied
from resnet_sizes import __version__
from resnet_sizes.cli.init import PAGES
from resnet_sizes.io.shipped import SHIPPED, shipped
from resnet_sizes.study.loading import load_study

ROOT = Path(__file__).resolve().parents[2]
IN_THE_PACKAGE = [
    "Snakefile", "articles", "config", "profiles", "report", "workflow",
    *(f"docs/{page}" for page in [*PAGES, "containers.md"]),
]  # fmt: skip


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_file_of_one_s_own_stands_in_the_place_of_the_shipped_one(empty: Path) -> None:
    assert shipped("config/devices.yaml") == SHIPPED / "config/devices.yaml"
    (empty / "config").mkdir()
    assert shipped("config/devices.yaml") == SHIPPED / "config/devices.yaml"
    (empty / "config/devices.yaml").write_text("")
    assert shipped("config/devices.yaml") == Path("config/devices.yaml")


def test_a_path_that_is_nowhere_is_named_as_it_was_given(empty: Path) -> None:
    assert shipped("config/nowhere.yaml") == Path("config/nowhere.yaml")
    assert shipped("n" * 5000) == Path("n" * 5000)


def test_the_version_is_printed(empty: Path) -> None:
    assert copied().run(["--version"], empty).stdout == f"{__version__}\n"


def test_an_article_is_audited_without_any_project(empty: Path) -> None:
    done = copied().run(["audit", "articles/santos-2024/article.yaml"], empty)
    assert done.returncode == 0, done.stderr
    assert "probe-224" in done.stdout


def test_the_configuration_in_the_folder_lists_only_what_differs(empty: Path) -> None:
    assert load_study([]).name == "article"
    (empty / "config").mkdir()
    (empty / "config/config.yaml").write_text("name: own\ntraining: {epochs: 3}\n")
    (empty / "config/longer.yaml").write_text("training: {epochs: 7}\n")
    study = load_study([])
    assert (study.name, study.training.epochs, study.training.batch_size) == ("own", 3, 256)
    assert load_study([Path("config/longer.yaml")]).training.epochs == 7


def test_templates_of_one_s_own_that_lack_one_say_so(empty: Path) -> None:
    shutil.copytree(ROOT / "report", empty / "report")
    (empty / "report/page.html.j2").unlink()
    archive = next((ROOT / "reference").glob("*.zip"))
    done = copied().run(["compare", str(archive), str(archive), "--page", "page.html"], empty)
    assert done.returncode == 1
    assert "report/page.html.j2: no such template. A report/ of your own" in done.stderr


def known_to_git(*paths: str) -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--", *paths], cwd=ROOT, capture_output=True, text=True
    )
    if listed.returncode != 0:
        pytest.skip("git does not know this copy of the project")
    return listed.stdout.rstrip("\0").split("\0")


def test_the_wheel_holds_every_rule_template_article_and_configuration(tmp_path: Path) -> None:
    wanted = {f"resnet_sizes/project/{name}": name for name in known_to_git(*IN_THE_PACKAGE)}
    wanted |= {name.removeprefix("src/"): name for name in known_to_git("src/resnet_sizes")}
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    [wheel] = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as opened:
        assert set(wanted) - set(opened.namelist()) == set()
        for inside, name in wanted.items():
            assert opened.read(inside) == (ROOT / name).read_bytes(), name
