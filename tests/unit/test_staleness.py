"""Results say themselves of what they are; what does not fit the study is found without records."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from synthetic import make_study, own_readings
from synthetic_runs import CODE, initial_weights

from resnet_sizes.evidence.build import build_evidence
from resnet_sizes.io.files import write_json
from resnet_sizes.io.hashes import content_hash
from resnet_sizes.schemas.paths import StudyFolder
from resnet_sizes.schemas.run.run import StudyFile, read_study
from resnet_sizes.schemas.run.weights import InitialWeights, WeightsInfo, wanted_weights
from resnet_sizes.schemas.study.study import Study
from resnet_sizes.study import staleness
from resnet_sizes.study.staleness import write_stale_files

RUN = "runs/probe-224/resnet18/seed-0"


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Study:
    """With two seeds, its evidence, and a record of each file of weights."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(staleness, "training_code_hash", lambda: CODE.training_hash)
    file = make_study(
        tmp_path,
        name="tiny",
        protocols=["probe-224"],
        readings=own_readings("probe-224"),
        models=["resnet18"],
        seeds=[0, 1],
        full=False,
    )
    build_evidence(file, file.parent / "evidence", allow_partial=False)
    return read_study(file).study


def stale_of(
    study: Study, fingerprint: Callable[[Path], str] = lambda path: "e" * 64
) -> dict[str, str]:
    """Stale files below the study's folder, each with the reason as it was written down."""
    folder = StudyFolder.of(study.name)
    stale = write_stale_files(study, fingerprint)
    *lines, when = folder.stale.read_text(encoding="utf-8").splitlines()
    assert when.startswith("Planned at ")
    assert stale == {line.partition(":")[0] for line in lines}
    return {
        line.partition(":")[0].removeprefix("results/tiny/"): line.partition("(")[2][:-1]
        for line in lines
    }


def with_other(study: Study, **changes: object) -> Study:
    return Study.model_validate(study.model_dump(mode="json") | changes)


def other_training(study: Study, **changes: object) -> Study:
    return with_other(study, training=study.training.model_dump(mode="json") | changes)


def edited(path: str, key: str, value: object) -> None:
    file = Path("results/tiny") / path
    data = json.loads(file.read_bytes())
    unsealed = {"checksum": None} if "checksum" in data else {}
    write_json(file, data | {key: value} | unsealed)


def test_a_study_with_its_own_results_has_nothing_stale(study):
    assert stale_of(study) == {}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda study: other_training(study, epochs=9), "other epochs"),
        (
            lambda study: other_training(study, batch_size=9, learning_rate=1e-3),
            "other batch_size, learning_rate",
        ),
        (
            lambda study: with_other(
                study,
                protocol_definitions={
                    "probe-224": own_readings("probe-224-bn-train")["probe-224-bn-train"]
                },
            ),
            "other reading",
        ),
    ],
)
def test_other_settings_make_every_run_stale_and_the_evidence(
    study: Study, change: Callable[[Study], Study], reason: str
):
    assert stale_of(change(study)) == {
        f"{RUN}/run.json": reason,
        RUN.replace("-0", "-1") + "/run.json": reason,
        "evidence/verdicts.json": "another configuration",
    }


def test_a_run_of_other_images_weights_or_settings_than_its_neighbours_is_stale(study):
    edited(f"{RUN}/run.json", "dataset_identity", "0" * 64)
    assert stale_of(study) == {f"{RUN}/run.json": "other images"}


def test_initial_weights_that_were_replaced_make_their_runs_stale(study):
    folder = StudyFolder.of("tiny")
    initial = initial_weights("resnet18", "default")
    assert initial
    key = "resnet18-V1"
    info = WeightsInfo(key=key, model="resnet18", path="here.pth", bytes=1, initial=initial)
    write_json(folder.weights(key), info)
    assert stale_of(study) == {}
    replaced = initial.model_copy(update={"sha256": "0" * 64})
    write_json(folder.weights(key), info.model_copy(update={"initial": replaced}))
    assert set(stale_of(study).values()) == {"other initial weights"}


def test_a_file_of_weights_of_one_s_own_is_known_by_its_content(study):
    readings = own_readings("probe-224")
    readings["probe-224"]["weights"] = "mine.pth"
    own = with_other(study, protocol_definitions=readings)
    (key,) = wanted_weights(own)
    initial = InitialWeights(name="file", file="mine.pth", sha256="e" * 64)
    info = WeightsInfo(key=key, model="resnet18", path="mine.pth", bytes=1, initial=initial)
    record = StudyFolder.of("tiny").weights(key)
    write_json(record, info)
    assert f"weights/{key}.json" not in stale_of(own)
    stale = stale_of(own, fingerprint=lambda path: "0" * 64)
    assert stale[f"weights/{key}.json"] == "mine.pth has changed"


def test_images_that_were_changed_without_snakemake_s_records_are_noticed(study):
    spec = study.dataset.model_dump(mode="json") | {"source": "image-folder", "path": "images"}
    own = with_other(study, dataset=spec)
    edited("data/dataset.json", "spec", spec)
    for known, stale in (("e" * 64, False), ("0" * 64, True), (None, False)):  # None: older files
        edited("data/dataset.json", "source_sha256", known)
        found = stale_of(own)
        assert found.get("data/dataset.json") == ("images has changed" if stale else None)


def test_results_of_another_training_code_are_stale(study):
    path = f"{RUN}/metrics.json"
    code = json.loads((Path("results/tiny") / path).read_bytes())["code"]
    edited(path, "code", code | {"training_hash": "0" * 64})
    assert stale_of(study) == {f"{RUN}/run.json": "results of other training code"}


@pytest.mark.parametrize("left", [None, "half a fi", "another study"])
def test_a_study_file_that_is_lost_or_of_another_study_makes_the_evidence_stale(study, left):
    path = StudyFolder.of("tiny").study
    if left == "another study":
        longer = other_training(study, epochs=9)
        write_json(path, StudyFile(study_hash=content_hash(longer), study=longer))
    elif left:
        path.write_text(left)
    else:
        path.unlink()
    assert stale_of(study) == {"evidence/verdicts.json": "another configuration"}


def test_evidence_of_another_code_or_table_of_gpus_is_stale(study):
    reason = "another table of GPUs or version of the code"
    edited("evidence/verdicts.json", "made_from", "0" * 64)
    assert stale_of(study) == {"evidence/verdicts.json": reason}
    edited("evidence/verdicts.json", "made_from", None)  # as in older files
    assert write_stale_files(study, str) == set()


def test_results_of_another_run_are_stale(study):
    folder = Path("results/tiny")
    (folder / RUN / "metrics.json").write_bytes(
        (folder / RUN.replace("-0", "-1") / "metrics.json").read_bytes()
    )
    assert stale_of(study) == {f"{RUN}/run.json": "results of other settings (seed)"}


def test_another_dataset_or_article_is_noticed(study, tmp_path):
    limit = {"train": 77, "test": 77}
    dataset = study.dataset.model_dump(mode="json") | {"limit": limit}
    assert stale_of(with_other(study, dataset=dataset))["data/dataset.json"] == "other images"
    article = tmp_path / "article.yaml"
    text = Path(study.article).read_text(encoding="utf-8")
    article.write_text(text.replace("batch_size: 256", "batch_size: 255"), encoding="utf-8")
    file = StudyFolder.of("tiny").study
    same = with_other(study, article=str(article))
    write_json(file, StudyFile(study_hash=content_hash(same), study=same))
    edited("evidence/verdicts.json", "study_hash", content_hash(same))
    assert stale_of(same) == {"evidence/verdicts.json": "another article file"}


def test_the_list_is_newer_than_what_it_names_and_untouched_where_nothing_is(study):
    folder = StudyFolder.of("tiny")
    assert stale_of(study) == {}
    os.utime(folder.stale, (1, 1))
    assert stale_of(study) == {}
    assert folder.stale.stat().st_mtime == 1
    longer = other_training(study, epochs=9)
    assert stale_of(longer)
    assert folder.stale.stat().st_mtime >= (Path("results/tiny") / RUN / "run.json").stat().st_mtime


def test_what_costs_nothing_is_made_again_where_it_cannot_be_read_and_results_are_not(study):
    folder = Path("results/tiny")
    for path in (f"{RUN}/run.json", f"{RUN}/metrics.json", "evidence/verdicts.json"):
        (folder / path).write_text("half a fi")
    unreadable = (f"{RUN}/run.json", "evidence/verdicts.json")
    assert stale_of(study) == dict.fromkeys(unreadable, "it cannot be read")
    (folder / "data/dataset.json").write_text("half a fi")
    assert "data/dataset.json" in stale_of(study)
