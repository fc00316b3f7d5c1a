"""`resnet-sizes audit`, and the table of devices that it reads."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from audited_articles import DESCRIPTION, article_of, audit_of_the_article
from synthetic import ARTICLE, CONFIG
from typer.testing import CliRunner

from resnet_sizes.cli.app import app
from resnet_sizes.io.errors import UserError
from resnet_sizes.schemas.evidence.audit import Audit
from resnet_sizes.schemas.hardware import load_devices


@pytest.fixture(scope="module")
def article() -> Audit:
    return audit_of_the_article()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"anchors": []}, "no anchors"),
        ({"basis": "peak", "efficiency_of": None}, "needs peak_tflops and efficiency_of"),
        ({"id": "k80"}, "stands twice"),
        ({"basis": "peak", "efficiency_of": "l4"}, "no device with anchors"),
        ({"peak_source": None}, "needs its peak_source"),
        ({"speed": 3}, "speed"),
    ],
)
def test_a_wrong_table_of_devices_is_refused(
    tmp_path: Path, changes: dict[str, Any], said: str
) -> None:
    data = yaml.safe_load((CONFIG / "devices.yaml").read_text(encoding="utf-8"))
    data["devices"][0] |= changes
    path = tmp_path / "devices.yaml"
    path.write_text(yaml.safe_dump(data), encoding="utf-8")
    with pytest.raises(UserError) as error:
        load_devices(path)
    assert said in str(error.value)
    assert str(path) in str(error.value)
    assert "name another table under devices" in str(error.value)


def run(*arguments: str) -> str:
    answer = CliRunner().invoke(app, ["audit", *arguments], catch_exceptions=False)
    assert answer.exit_code == 0
    return answer.stdout


@pytest.fixture(autouse=True)
def _in_the_project_s_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(CONFIG.parent)


def test_the_command_prints_aligned_tables() -> None:
    text = run(str(ARTICLE))
    assert "accuracy_increment  relative" in text
    assert re.search(r"^resnet50 +resnet152 +2\.39 +", text, re.MULTILINE)
    assert re.search(r"^probe-224 +survives ", text, re.MULTILINE)
    assert re.search(r"^scratch-cifar-stem +memory +time-and-memory ", text, re.MULTILINE)
    assert all(line == line.rstrip() for line in text.splitlines())


def test_the_command_gives_json(article: Audit) -> None:
    assert Audit.model_validate_json(run(str(ARTICLE), "--format", "json")) == article


def test_the_command_takes_another_article_and_more_protocols(tmp_path: Path) -> None:
    article, overlay = tmp_path / "other.yaml", tmp_path / "overlay.yaml"
    bibliography = (ARTICLE.parent / "references.bib").read_text(encoding="utf-8")
    (tmp_path / "references.bib").write_text(bibliography, encoding="utf-8")  # it is cited
    made_up = article_of(
        ("resnet34", "71.5", "12.5", None, None), ("resnet101", "70", "31", "197", None)
    )
    article.write_text(yaml.safe_dump(made_up.model_dump(mode="json")), encoding="utf-8")
    overlay.write_text(
        yaml.safe_dump(
            {"protocol_definitions": {"odd": {"description": DESCRIPTION, "input_size": 48}}}
        ),
        encoding="utf-8",
    )
    text = run(str(article), str(overlay))
    assert "Not in the table of network costs" in text
    assert re.search(r"^odd +resnet34, imagenet stem, 48 pixels, ", text, re.MULTILINE)
    assert "scripts/count_network_costs.py" in text
    assert "resnet18" not in text
