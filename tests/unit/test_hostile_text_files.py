"""YAML and JSON that were made to harm, or that say two things at once."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from resnet_sizes.io import yaml as yaml_file
from resnet_sizes.io.errors import UserError
from resnet_sizes.io.files import MAX_JSON_BYTES, read_bytes, read_record
from resnet_sizes.io.messages import shown, shown_text, without_secrets
from resnet_sizes.io.yaml import parse_yaml, read_yaml
from resnet_sizes.schemas.run.metrics import Metrics
from resnet_sizes.schemas.run.run import StudyFile
from resnet_sizes.schemas.run.tensors import read_dataset, read_predictions
from resnet_sizes.study.loading import check_files, check_study, load_study

BASE = """\
name: base
protocols: [made]
protocol_definitions: {made_: {description: {pt: x, en: x}}}
""".replace("made_", "one").replace("[made]", "[one]")
LAUGHS = "a0: &a0 [ha, ha, ha, ha, ha, ha, ha, ha, ha]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 10)
)


def refusal(tmp_path: Path, text: str) -> str:
    """What is said of an overlay with this text."""
    base, overlay = tmp_path / "base.yaml", tmp_path / "overlay.yaml"
    base.write_text(BASE, encoding="utf-8")
    overlay.write_text(text, encoding="utf-8")
    with pytest.raises(UserError) as error:
        load_study([overlay], base)
    assert str(overlay) in str(error.value)
    return str(error.value)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (LAUGHS, "more than 20000 values, or an anchor inside itself"),
        ("b: &b {x: 1}\n" + LAUGHS.replace("ha", "*b"), "more than 20000 values"),
        ("training: &x {training: *x}", "an anchor inside itself in"),
        ("name: " + "[" * 100_000, "nested more than 40 levels deep"),
        ("name: !!python/object/apply:os.system [id]", "could not determine a constructor"),
        ("training: {epochs: 1" + "0" * 200 + "}", "a number of more than 100 characters"),
        ("training: {epochs: 1" + ":59" * 100_000 + "}", "a number of more than 100 characters"),
        ("training: {learning_rate: 1." + "0" * 200 + "}", "a number of more than 100 characters"),
        ("training: {epochs: 1" + "0" * 30 + "}", "allowed: less than or equal to 10000000"),
        ("name: x\nname: y", "key 'name' appears twice in \"<unicode string>\", line 2, column 1"),
        ("dataset:\n  limit: {train: 2, train: 3}", "key 'train' appears twice"),
        ("demo: !!bool x", "a value is not what its tag says"),
        ("seeds: !!int ''", "a value is not what its tag says"),
        ("name: 2001-99-99", "a value is not what its tag says"),
        ("name: \x00", "is not YAML"),
        ("name: " + "x" * 1024**2, "has more than 1048576 bytes"),
        ("seeds: [" + "0, " * 9000 + "0]", "0 stands twice; each may stand once"),
        ("protocols: ['https://me:word@host/']", "protocols: 'https://…@host/' is not defined"),
        ("protocols: ['" + "x" * 9000 + "']", "protocols: 'xxx"),
        ("a]: 1", "a]: unknown key"),  # looks like a branch of a union in pydantic's errors
        ('"\\e[2J": 1', r"\x1b[2J: unknown key"),
        ("name: 'https://me:word@host/?token=word'", "found 'https://…@host/?…'"),
    ],
)
def test_an_overlay_that_goes_beyond_the_bounds_is_refused(
    tmp_path: Path, text: str, told: str
) -> None:
    message = refusal(tmp_path, text)
    assert told in message
    assert len(message) < 3000
    assert message.replace("\n", "").isprintable()


@pytest.mark.parametrize("name", ["x" * 5000, "a\0b", "no/such/file"])
def test_a_path_that_cannot_be_one_does_not_exist(tmp_path: Path, name: str) -> None:
    study = tmp_path / "base.yaml"
    study.write_text(BASE + f"article: {json.dumps(name)}\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"article: .*does not exist") as error:
        check_files(load_study([], study))
    assert len(str(error.value)) < 1000


def test_of_many_problems_the_first_are_told_and_the_others_counted(tmp_path: Path) -> None:
    message = refusal(tmp_path, "".join(f"key{n}: 1\n" for n in range(500)))
    assert message.count("unknown key") == 30
    assert "… and 470 more problem(s)" in message


def test_anchors_within_the_bounds_are_read() -> None:
    text = "a: &a {x: 1, y: [2, 3]}\nb: *a\nc: {<<: *a, x: 4}\n"
    assert parse_yaml(text) == {
        "a": {"x": 1, "y": [2, 3]},
        "b": {"x": 1, "y": [2, 3]},
        "c": {"x": 4, "y": [2, 3]},
    }


def test_without_libyaml_the_same_is_read_and_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib

    import yaml

    monkeypatch.setattr(yaml, "__with_libyaml__", False)
    try:
        slow = importlib.reload(yaml_file)
        assert "CParser" not in {base.__name__ for base in slow._Loader.__mro__}
        assert slow.parse_yaml("a: [1, 2e3, x]\nb: {c: null}") == {
            "a": [1, "2e3", "x"],
            "b": {"c": None},
        }
        for text in (LAUGHS, "[" * 1000, "a: 1\na: 2", "!!int ''"):
            with pytest.raises(yaml.YAMLError):
                slow.parse_yaml(text)
    finally:
        monkeypatch.undo()
        importlib.reload(yaml_file)


def test_what_snakemake_has_read_cannot_make_the_check_explode() -> None:
    many: list[object] = ["ha"] * 9
    for _ in range(30):  # 9³⁰ values, which Python shares
        many = [many] * 9
    with pytest.raises(UserError, match=r"name: found \[\[\["):
        check_study({"name": many}, {})


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("[" * 100_000, "is not complete JSON"),
        ('{"a":' * 100_000, "is not complete JSON"),
        ("9" * 6000, "is not complete JSON"),
        ("[" * 250 + "]" * 250, "is not complete JSON"),
        ('{"\\ud800": 1}', "is not complete JSON"),
        ('{"\\u001b[2J": 1}', r"\x1b[2J: unknown key"),
        ('{"' + "k" * 200_000 + '": 1}', "kkk…: unknown key"),
    ],
)
def test_json_that_was_made_to_harm_is_refused(tmp_path: Path, content: str, told: str) -> None:
    path = tmp_path / "study.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(UserError) as error:
        read_record(path, StudyFile, "Write it again.")
    assert told in str(error.value)
    assert str(error.value).startswith(f"{path}: ")
    assert str(error.value).replace("\n", "").isprintable()


def test_a_run_that_claims_a_million_million_epochs_is_refused_at_once(tmp_path: Path) -> None:
    from synthetic import make_study

    from resnet_sizes.io.hashes import content_hash

    study = make_study(tmp_path, models=["resnet18"], seeds=[0], epochs=2, accuracies={
        "resnet18": 0.8}, minutes={"resnet18": 1.0})  # fmt: skip
    (path,) = study.parent.glob("runs/**/metrics.json")
    data = json.loads(path.read_text(encoding="utf-8"))
    data["run"]["epochs"] = 10**12
    data["run_hash"] = content_hash(data["run"])
    path.write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(UserError, match="holds 2 epochs, but the run has 1000000000000"):
        read_record(path, Metrics, "Train again.")


READERS: dict[str, Callable[[Path], object]] = {
    "yaml": lambda path: read_yaml(path, "Mend it."),
    "record": lambda path: read_record(path, StudyFile, "Mend it."),
    "dataset": read_dataset,
    "predictions": read_predictions,
}


@pytest.mark.parametrize("kind", READERS)
def test_a_pipe_or_a_folder_is_no_file(tmp_path: Path, kind: str) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UserError, match=r"pipe: is not a regular file\. [A-Z]"):
        READERS[kind](tmp_path / "pipe")
    with pytest.raises(UserError, match=r"is a folder\. [A-Z]"):
        READERS[kind](tmp_path)


@pytest.mark.parametrize("file", ["run.json", "metrics.json", "predictions.safetensors"])
def test_evidence_names_a_pipe_among_the_results(tmp_path: Path, file: str) -> None:
    from synthetic import make_study

    from resnet_sizes.cli.evidence import evidence

    study = make_study(tmp_path, models=["resnet18"], seeds=[0], epochs=2, full=False)
    (path,) = study.parent.glob(f"runs/**/{file}")
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(UserError, match=f"{file}: is not a regular file"):
        evidence(study)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("https://me:word@host/a?token=word", "https://…@host/a?…"),
        ("https://me@host:80/a", "https://…@host:80/a"),
        ("https://me:w@rd@host/a and http://host/b?x=1.", "https://…@host/a and http://host/b?…"),
        ("with url: /a/b?token=word (Caused by x)", "with url: /a/b?… (Caused by x)"),
        ("text of the form ^https?://", "text of the form ^https?://"),
        ("what? who@where", "what? who@where"),
        ("https://host/a", "https://host/a"),
    ],
)  # fmt: skip
def test_secrets_of_addresses_are_left_out(text: str, told: str) -> None:
    assert without_secrets(text) == told


def test_values_are_told_shortly_and_printably() -> None:
    assert shown("a\x1bb") == r"'a\x1bb'"
    assert shown([1, "x"]) == "[1, 'x']"
    assert len(shown("x" * 10_000)) <= 80
    itself: list[object] = []
    itself.append(itself)
    assert len(shown(itself)) < 80
    assert shown_text("short") == "short"
    assert len(shown_text("x" * 10_000)) <= 160


def test_only_texts_are_bound_in_size(tmp_path: Path) -> None:
    path = tmp_path / "weights"
    path.write_bytes(bytes(MAX_JSON_BYTES + 1))
    assert len(read_bytes(path, "Mend it.")) == MAX_JSON_BYTES + 1
    for kind in ("record", "yaml"):
        with pytest.raises(UserError, match=r"has more than \d+ bytes.* Mend it\."):
            READERS[kind](path)
