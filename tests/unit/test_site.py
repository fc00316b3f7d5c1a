"""The documentation as a site, and what stands beside the code for those who work on it."""

import subprocess
import sys
from pathlib import Path

import yaml

PROJECT = Path(__file__).parents[2]


def build(folder: Path, config: str = "mkdocs.yml") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "-f", config, "-d", str(folder)],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_site_is_built_without_a_dead_link(tmp_path: Path) -> None:
    done = build(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "pt" / "vereditos.html").is_file()
    # Pages that lie elsewhere in the project, and what they link to.
    assert 'href="running.html"' in (tmp_path / "index.html").read_text(encoding="utf-8")
    assert (tmp_path / "files" / "config" / "devices.yaml").is_file()
    # Public docstrings.
    api = (tmp_path / "api.html").read_text(encoding="utf-8")
    assert 'id="resnet_sizes.training.engine.networks.build_network"' in api


def test_a_link_that_leads_nowhere_stops_the_site(tmp_path: Path) -> None:
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "index.md").write_text("[nowhere](missing.md)\n", encoding="utf-8")
    own = yaml.safe_load((PROJECT / "mkdocs.yml").read_text(encoding="utf-8"))
    own |= {"docs_dir": str(docs), "nav": [{"Start": ["index.md"]}], "hooks": []}
    own["plugins"] = []
    config = tmp_path / "mkdocs.yml"
    config.write_text(yaml.safe_dump(own), encoding="utf-8")
    done = build(tmp_path / "site", str(config))
    assert done.returncode == 1
    assert "missing.md" in done.stdout + done.stderr


def test_the_commands_of_continuous_integration_are_those_of_the_project() -> None:
    text = (PROJECT / ".github/workflows/ci.yml").read_text(encoding="utf-8")
    steps = yaml.safe_load(text)["jobs"]["test"]["steps"]
    assert [step["run"] for step in steps if "run" in step] == [".ci/run"]


def test_a_commit_is_linted_as_make_lint_does() -> None:
    hooks = yaml.safe_load((PROJECT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    entries = {hook["entry"] for repository in hooks["repos"] for hook in repository["hooks"]}
    makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
    recipe = makefile.split("\nlint: setup\n")[1].split("\n\n")[0].splitlines()
    for command in recipe:
        assert any(command.strip().removeprefix("@").startswith(entry) for entry in entries), (
            command
        )
