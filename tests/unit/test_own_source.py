"""Images from a function of the user's own, as docs/extending.md tells to write it."""

import re
from pathlib import Path

import pytest
import yaml

from data_studies import study_file_on, study_on, told_by
from documented import blocks
from resnet_sizes.data.fingerprint import fingerprint
from resnet_sizes.io.errors import UserError
from resnet_sizes.io.shipped import SHIPPED
from resnet_sizes.schemas.run.tensors import read_dataset
from resnet_sizes.sharing.contents import archive_files
from resnet_sizes.study.loading import check_files
from resnet_sizes.study.staleness import write_stale_files
from resnet_sizes.study.workflow import WorkflowPlan

CODE = blocks("A data source", "python")[0]
SPEC = yaml.safe_load(blocks("A data source", "yaml")[0])["dataset"]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with the documented source and nothing else."""
    monkeypatch.chdir(tmp_path)
    Path("stripes.py").write_text(CODE, encoding="utf-8")
    return tmp_path


def made(home: Path, **keys: object) -> Path:
    """The `study.json` of a study on the source, whose dataset has been made."""
    study = study_file_on(home, SPEC | keys)
    told = told_by("data", study)
    assert told.status == 0, told.words
    return study


def test_its_images_become_the_dataset(home: Path) -> None:
    info, arrays = read_dataset(made(home).parent / "data" / "dataset.safetensors")
    assert info.class_names == ["level", "upright"]
    assert (len(arrays.train_images), len(arrays.test_images)) == (200, 60)
    assert (info.content, info.source_file) == ("other", "stripes.py")
    upright = arrays.train_images[arrays.train_labels == 1].astype(float)
    assert upright[:, :, :, ::4].mean() > 180 > upright[:, :, :, 1::4].mean()


def test_a_limit_and_a_declaration_hold_for_them_too(home: Path) -> None:
    study = made(home, limit={"train": 20, "test": 10}, content="cifar10-reencoded")
    info, arrays = read_dataset(study.parent / "data" / "dataset.safetensors")
    assert info.content == "cifar10-reencoded"
    assert arrays.train_labels.sum() == 10


def test_another_text_of_the_file_makes_the_dataset_again(home: Path) -> None:
    study = study_on(SPEC)
    made(home)
    plan = WorkflowPlan(study, fingerprint)
    assert plan.own_data == ["stripes.py"]
    assert not any("dataset.json" in path for path in write_stale_files(study, fingerprint))
    Path("stripes.py").write_text(CODE.replace("180", "150"), encoding="utf-8")
    assert WorkflowPlan(study, fingerprint).own_data_fingerprint != plan.own_data_fingerprint
    write_stale_files(study, fingerprint)
    assert "(stripes.py has changed)" in plan.folder.stale.read_text(encoding="utf-8")


def test_it_is_called_with_the_path_whose_content_counts_as_well(home: Path) -> None:
    seeded = CODE.replace("default_rng(0)", "default_rng(np.loadtxt(path, dtype=int, ndmin=1))")
    Path("stripes.py").write_text(seeded, encoding="utf-8")
    identities, plans = [], []
    for seed in ("1", "2"):
        Path("seed.txt").write_text(seed)
        info, _ = read_dataset(made(home, path="seed.txt").parent / "data" / "dataset.safetensors")
        identities.append(info.identity)
        plans.append(WorkflowPlan(study_on(info.spec.model_dump()), fingerprint))
    assert len(set(identities)) == 2
    one, other = (plan.own_data_fingerprint for plan in plans)
    assert one[0] == other[0]
    assert one[1] != other[1]


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("def load", "def other", "KeyError: 'load'"),
        ("def load", "def", "stripes.py: SyntaxError: invalid syntax (stripes.py, line 6)"),
        ("import numpy", "raise SystemExit(0)\nimport numpy", "stripes.py, line 3: SystemExit: 0"),
        ("labels = np.arange(count) % 2", "labels = 1 / 0", "line 10: ZeroDivisionError: division"),
        ('["level", "upright"]', '["level"]', "names of classes are ['level']"),
        ('["level", "upright"]', '["level", "level "]', "names of classes are ['level', 'level']"),
        ('["level", "upright"]', '["level", ""]', "names of classes are ['level', '']"),
        ("part(60)", "part(0)", "test_labels is empty; expected: 1 image or more"),
        (
            "dtype=np.uint8",
            "dtype=np.int16",
            "train_images is int16 [200, 3, 32, 32]; expected: uint8 [200, 3, 32, 32]",
        ),
        ("(count, 3, 32, 32)", "(count, 3, 28, 28)", "expected: uint8 [200, 3, 32, 32]"),
        ("% 2", "% 3", "train_labels holds labels from 0 to 2; allowed: 0 to 1"),
        ("% 2\n", "% 2 / 1\n", "train_labels is float64 [200]; expected: int64 [200]"),
        ('"test": part(60)', "", "KeyError: 'test'"),
    ],
)
def test_what_it_gives_is_checked(home: Path, old: str, new: str, problem: str) -> None:
    Path("stripes.py").write_text(CODE.replace(old, new), encoding="utf-8")
    told = told_by("data", study_file_on(home, SPEC))
    assert told.status == 1
    assert "error: dataset.source: stripes.py" in told.words
    assert problem in told.words
    assert "This file is your own: correct it" in told.words
    assert "images uint8 [N, 3, 32, 32], RGB; labels int64 [N], counted from 0" in told.words


def test_a_file_that_is_not_there_is_named_before_any_job(home: Path) -> None:
    Path("stripes.py").unlink()
    with pytest.raises(UserError, match=r"dataset\.source: 'stripes\.py' does not exist"):
        check_files(study_on(SPEC))


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        (
            "def load",
            "def lode",
            "stripes.py has no 'load' at its top level. Did you mean 'lode'?",
        ),
        ("def load(", "def load", "stripes.py: SyntaxError: "),
    ],
)
def test_a_file_without_the_function_stops_before_any_job(
    home: Path, old: str, new: str, problem: str
) -> None:
    Path("stripes.py").write_text(CODE.replace(old, new), encoding="utf-8")
    with pytest.raises(UserError, match="dataset.source: " + re.escape(problem)):
        check_files(study_on(SPEC))


def test_an_archive_of_the_study_has_the_file(home: Path) -> None:
    files = archive_files(made(home), study_on(SPEC))
    assert files["stripes.py"] == Path("stripes.py")
    networks = blocks("A network", "yaml")[0]
    Path("config").mkdir()
    Path("config/mine.py").write_text(blocks("A network", "python")[0])
    own = study_on(SPEC).model_validate(
        study_on(SPEC).model_dump() | {"networks": yaml.safe_load(networks)["networks"]}
    )
    assert archive_files(made(home), own)["config/mine.py"] == Path("config/mine.py")
    assert files["config/devices.yaml"] == SHIPPED / "config" / "devices.yaml"
