"""Configuration: merged as Snakemake merges, checked strictly, explained in words."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from resnet_sizes.cli.app import app
from resnet_sizes.io.errors import UserError
from resnet_sizes.io.files import write_json
from resnet_sizes.io.hashes import content_hash
from resnet_sizes.schemas.article.article import load_article
from resnet_sizes.schemas.paths import StudyFolder
from resnet_sizes.schemas.run.run import (
    CompileMode,
    Precision,
    RunFile,
    RunSettings,
    all_run_settings,
)
from resnet_sizes.schemas.run.tensors import DatasetInfo
from resnet_sizes.schemas.study.networks import NETWORKS
from resnet_sizes.schemas.study.study import Study
from resnet_sizes.study.loading import check_files, load_study, read_yaml_mapping
from resnet_sizes.study.run_files import write_run_files, write_study
from resnet_sizes.study.workflow import WorkflowPlan

REPOSITORY = Path(__file__).resolve().parents[2]
BASE = REPOSITORY / "config" / "config.yaml"
ARTICLE = REPOSITORY / "articles/santos-2024/article.yaml"


SHIPPED = [
    "config", "demo", "offline", "folder", "readings", "fast", "laptop", "quick", "colab",
    "he-2015", "he-2015-short",
]  # fmt: skip


def test_every_shipped_configuration_is_tried_here():
    found = {path.stem for path in BASE.parent.glob("*.yaml")}
    assert found == {*SHIPPED, "devices"}


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_configuration_is_a_study(name):
    study = load_study([REPOSITORY / "config" / f"{name}.yaml"], base=BASE)
    if name not in ("config", "fast"):  # those have no results folder of their own
        assert study.name == name


def no_device(settings: RunSettings, device: str) -> tuple[Precision, CompileMode]:
    raise AssertionError("nothing in these studies is left to the device")


def test_the_default_study_is_the_articles():
    study = load_study([], base=BASE)
    training = study.training
    assert (training.epochs, training.batch_size, training.learning_rate) == (50, 256, 0.0005)
    assert study.models == ["resnet18", "resnet50", "resnet152"]
    assert study.seeds_of("probe-224") == list(range(10))
    assert study.seeds_of("scratch-32") == list(range(5))
    assert study.dataset.source == "cifar10"
    assert study.protocol_definitions["scratch-32"].optimizer == "adam"


def test_config_yaml_shows_the_default_of_every_key():
    shown = yaml.safe_load(BASE.read_text(encoding="utf-8"))
    defaults = Study.model_validate(
        {key: shown[key] for key in ("protocols", "protocol_definitions")}
    ).model_dump(mode="json")
    # What only the file knows.
    shown["downloads"]["cifar10"]["mirrors"] = []
    shown["seeds"] = shown["seeds"]["default"]
    assert Study.model_validate(shown).model_dump(mode="json") == defaults
    for key in defaults:
        assert key in shown


def overlay(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "overlay.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("number", ["5e-4", "5E-4", "0.0005", "5.0e-4"])
def test_scientific_notation_is_a_number(tmp_path, number):
    path = overlay(tmp_path, f"training: {{learning_rate: {number}}}")
    assert load_study([path], base=BASE).training.learning_rate == 0.0005


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "training: {epochs: 0}",
            r"training\.epochs: found 0; allowed: greater than or equal to 1",
        ),
        ("training: {epochs: true}", r"training\.epochs: found True; allowed: a valid integer"),
        ("training: {epochs: '50'}", r"training\.epochs: found '50'; allowed: a valid integer"),
        ("training: {learning_rate: .nan}", r"training\.learning_rate: found nan; allowed"),
        (
            "training: {threads: some}",
            r"training\.threads: found 'some'; allowed: .*integer or 'auto'",
        ),
        ("training: {device: tpu}", r"training\.device: found 'tpu'; allowed"),
        ("dataset: {limits: {train: 5}}", r"dataset\.limits: unknown key.*Did you mean 'limit'\?"),
        ("dataset: {source: digits, path: x}", r"dataset: source is 'digits', which has no files"),
        ("dataset: {content: other}", r"dataset: content is 'other' but source is 'cifar10'"),
        ("models: [resnet18, resnet18]", r"models: resnet18 stands twice"),
        ("seeds: 7", r"seeds: found 7; allowed: a valid list"),
        ("seeds: [1, 1]", r"seeds: 1 stands twice; each may stand once\."),
        ("seeds: {default: []}", r"seeds\.default: found \[\]; allowed: a list of at least 1"),
        ("seeds: {scratch-32: [2, 2]}", r"seeds\.scratch-32: 2 stands twice"),
        ("seeds: {default: [-1]}", r"seeds\.default\[0\]: found -1; allowed: greater than"),
        (
            "seeds: {probe: [0]}",
            r"seeds: 'probe' is no protocol; allowed: default, probe-224, scratch-32\. "
            r"Did you mean 'probe-224'\? Name one of these",
        ),
        (
            "seeds: {literal: [0]}",
            r"seeds\.literal: the study does not train this protocol; it trains: probe-224, "
            r"scratch-32\. Add literal to protocols, or delete seeds\.literal",
        ),
        ("name: ../escape", r"name: found '\.\./escape'; allowed"),
        (
            "protocol_definitions: {scratch-32: {trainable: head}}",
            r"protocol_definitions\.scratch-32: trainable is 'head' but weights is 'none'",
        ),
        (
            "protocol_definitions: {scratch-32: {per_model: {resnet50: {stemm: cifar}}}}",
            r"per_model\.resnet50\.stemm: unknown key.*Did you mean 'stem'\?",
        ),
    ],
)
def test_a_wrong_value_is_named_with_its_file_and_what_is_allowed(tmp_path, text, expected):
    path = overlay(tmp_path, text)
    with pytest.raises(UserError, match=expected) as caught:
        load_study([path], base=BASE)
    assert str(path) in str(caught.value)
    assert "config/README.md" in str(caught.value)


def test_a_protocol_without_seeds_is_named(tmp_path):
    base = tmp_path / "base.yaml"
    text = BASE.read_text(encoding="utf-8").replace("  default: [0, 1, 2] ", "  # none")
    base.write_text(text.replace("  scratch-32: [0, 1, 2, 3, 4]\n", ""), encoding="utf-8")
    with pytest.raises(UserError, match=r"seeds: has none for scratch-32, and no default\. Set"):
        load_study([], base=base)


def test_an_overlay_changes_the_seeds_of_the_protocols_that_it_names(tmp_path):
    study = load_study([overlay(tmp_path, "seeds: {scratch-32: [7], default: [1]}")], base=BASE)
    assert study.seeds_of("scratch-32") == [7]
    assert study.seeds_of("probe-224") == list(range(10))
    study = load_study([overlay(tmp_path, "seeds: [4, 5]")], base=BASE)
    assert study.seeds_of("probe-224") == study.seeds_of("scratch-32") == [4, 5]
    runs = [run.name for run in all_run_settings(study)]
    assert runs[:2] == ["probe-224/resnet18/seed-4", "probe-224/resnet18/seed-5"]


def test_seeds_of_protocols_that_an_overlay_leaves_out_are_no_error(tmp_path):
    study = load_study([overlay(tmp_path, "protocols: [literal, scratch-32]")], base=BASE)
    assert study.seeds == {"default": [0, 1, 2], "scratch-32": [0, 1, 2, 3, 4]}
    assert study.seeds_of("literal") == [0, 1, 2]
    wrong = "protocols: [literal]\nseeds: {scratch-32: [0]}"
    with pytest.raises(UserError, match=r"seeds\.scratch-32: the study does not train"):
        load_study([overlay(tmp_path, wrong)], base=BASE)


def test_the_length_of_a_training_is_the_one_given_last(tmp_path):
    steps = overlay(tmp_path, "training: {iterations: 70}\nprotocols: [scratch-32]")
    training = load_study([steps], base=BASE).training
    assert (training.iterations, training.epochs) == (70, None)
    again = tmp_path / "again.yaml"
    again.write_text("training: {epochs: 3}")
    training = load_study([steps, again], base=BASE).training
    assert (training.iterations, training.epochs) == (None, 3)
    again.write_text("training: {epochs: 3, iterations: 9}")
    with pytest.raises(UserError, match=r"epochs: are given, and iterations too\. Delete one"):
        load_study([steps, again], base=BASE)


def test_a_warm_up_that_never_ends_stops_the_study(tmp_path, monkeypatch):
    text = "protocols: [scratch-32]\nprotocol_definitions: {{scratch-32: {{warmup: {}}}}}\n"
    warmup = text.format("{learning_rate: 0.1, steps: 70}")
    with pytest.raises(UserError, match=r"scratch-32\.warmup\.steps: 70 is not before the end, 70"):
        load_study([overlay(tmp_path, f"{warmup}training: {{iterations: 70}}")], base=BASE)
    assert load_study([overlay(tmp_path, f"{warmup}training: {{iterations: 71}}")], base=BASE)
    # How many steps are in an epoch is known with the images, and before any run.
    monkeypatch.chdir(tmp_path)
    for epochs, told in ((70, r"warmup\.steps: 70 is not before the end, 70"), (71, None)):
        study = load_study(
            [overlay(tmp_path, f"{warmup}training: {{epochs: {epochs}}}")], base=BASE
        )
        path = write_study(study)
        write_json(StudyFolder.of_file(path).dataset_info, info_of(study))
        if told is None:
            assert write_run_files(path, no_device)
        else:
            with pytest.raises(UserError, match=told):
                write_run_files(path, no_device)


def test_an_article_s_folder_is_told_its_file(tmp_path):
    with pytest.raises(UserError, match=r"Write article: articles/he-2015/article\.yaml"):
        load_study([overlay(tmp_path, "article: articles/he-2015")], base=BASE)


def test_the_configuration_of_a_larger_workflow_is_read_as_the_study_s(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config").mkdir()
    config = tmp_path / "config/config.yaml"
    config.write_text("samples: [a]\nstudy: {name: part, training: {iterations: 9}}\n")
    study = load_study([])
    assert (study.name, study.training.iterations, study.training.epochs) == ("part", 9, None)
    config.write_text("samples: [a]\nstudy:\n")
    assert load_study([]).name == "article"
    config.write_text("samples: [a]\nstudy: 3\n")
    with pytest.raises(UserError, match=r"config\.yaml: s\w+: unknown key"):
        load_study([])
    config.write_text("samples: [a]\nstudy: {name: part, sedes: [1]}\n")
    with pytest.raises(UserError, match=r"config\.yaml: sedes: unknown key.*Did you mean 'seeds'"):
        load_study([])
    (tmp_path / "config/more.yaml").write_text("")
    with pytest.raises(UserError, match=r"config/ holds config\.yaml, more\.yaml\."):
        load_study([Path("config/nowhere.yaml")])


def test_a_reading_without_a_text_is_told_so(tmp_path):
    text = "article: articles/he-2015/article.yaml\nmodels: [resnet20]\nprotocols: [mine]\n"
    for given, told in (("{}", "is in no language"), ("{pt: x}", "is in pt")):
        mine = f"protocol_definitions: {{mine: {{stem: cifar, description: {given}}}}}"
        with pytest.raises(
            UserError, match=rf"mine\.description: {told}, and a report in en"
        ) as it:
            load_study([overlay(tmp_path, text + mine)], base=BASE)
        assert str(it.value).endswith("Write what is missing.")


def test_a_study_that_names_the_article_file_by_its_former_place_is_told_the_new_one(tmp_path):
    study = load_study([overlay(tmp_path, "article: config/article.yaml")], base=BASE)
    with pytest.raises(UserError, match=r"Write article: articles/santos-2024/article\.yaml in"):
        check_files(study)


def test_results_of_an_older_version_are_judged_by_the_article_file_in_its_new_place(
    monkeypatch, caplog
):
    monkeypatch.chdir(REPOSITORY)
    assert load_article(Path("config/article.yaml")) == load_article(ARTICLE)
    assert "config/article.yaml has been moved to articles/santos-2024/article.yaml" in caplog.text


@pytest.mark.parametrize("key", ["article", "dataset.path"])
def test_a_path_that_snakemake_would_take_for_a_pattern_is_refused(tmp_path, key, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copyfile(ARTICLE, tmp_path / "a{1}.zip")
    shutil.copy(ARTICLE.parent / "references.bib", tmp_path)
    text = "{article: 'a{1}.zip'}"
    if key != "article":
        text = "dataset: {source: image-folder, path: 'a{1}.zip'}"
    article = {"article": str(ARTICLE)} if key != "article" else {}
    study = load_study([overlay(tmp_path, text)], base=BASE)
    study = study.model_copy(update={"devices": str(REPOSITORY / study.devices)} | article)
    with pytest.raises(UserError, match=r"found 'a.1..zip'; allowed: paths without braces"):
        check_files(study)


def test_all_problems_are_named_at_once(tmp_path):
    path = overlay(tmp_path, "training: {epochs: 0, learning_rate: -1}\nmodels: [x]")
    with pytest.raises(UserError) as caught:
        load_study([path], base=BASE)
    assert str(caught.value).count("found") == 3


@pytest.mark.parametrize("text", ["- a\n- b", "a: [", "\tx: 1", "a: !!python/object:os.system x"])
def test_a_file_that_is_no_mapping_is_refused_by_name(tmp_path, text):
    path = overlay(tmp_path, text)
    with pytest.raises(UserError, match=str(path)):
        read_yaml_mapping(path)


def test_a_missing_configuration_file_is_named(tmp_path):
    with pytest.raises(UserError, match=r"nowhere\.yaml: no such file.*demo\.yaml"):
        load_study([tmp_path / "nowhere.yaml"], base=BASE)


def test_a_reading_may_differ_for_one_model(tmp_path):
    path = overlay(
        tmp_path,
        "protocol_definitions: {scratch-32: {per_model: {resnet152: {stem: cifar}}}}",
    )
    protocol = load_study([path], base=BASE).protocol_definitions["scratch-32"]
    assert protocol.recipe_for("resnet152").stem == "cifar"
    assert protocol.recipe_for("resnet18").stem == "imagenet"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("{weights: V3.pth, trainable: head, stem: cifar}", None),
        ("{trainable: head}", r"trainable is 'head' but weights is 'none':.*V1, V2, default"),
        ("{weights: V1, stem: cifar}", r"stem is 'cifar' but weights is 'V1':.*Set stem to"),
        (
            "{per_model: {resnet152: {weights: default, stem: cifar}}}",
            r"weights is 'default' \(per_model\.resnet152\)",
        ),
        ("{weights: V2}", r"scratch-32\.weights: is 'V2', but torchvision has no.*resnet18.*V1"),
        ("{precision: fp8}", r"scratch-32\.precision.*fp8"),
        ("{milestones: [3, 5]}", r"schedule is 'constant' but milestones has 2,"),
        ("{factor: 0.5}", r"schedule is 'constant' .* factor is 0\.5: they belong to 'steps'"),
        ("{schedule: steps}", r"schedule is 'steps' but milestones has none,"),
        ("{schedule: steps, milestones: [3, 5], factor: 0.5}", None),
        (
            "{schedule: steps, milestones: [3], per_model: {resnet50: {schedule: constant}}}",
            r"'constant' but milestones has 1.*\(per_model\.resnet50\)",
        ),
        (
            "{schedule: steps, milestones: [3], per_model: "
            "{resnet50: {schedule: constant, milestones: []}}}",
            None,
        ),
    ],
)
def test_readings_that_cannot_be_trained_stop_the_study(tmp_path, change, told):
    path = overlay(tmp_path, f"protocol_definitions: {{scratch-32: {change}}}")
    if told is None:
        load_study([path], base=BASE)
        return
    with pytest.raises(UserError, match=told):
        load_study([path], base=BASE)


@pytest.mark.parametrize("name", [name for name, each in NETWORKS.items() if each.weights])
def test_the_versions_of_weights_are_torchvisions(name):
    from torchvision.models import get_model_weights

    weights = get_model_weights(name)
    versions = [f"IMAGENET1K_{version}" for version in NETWORKS[name].weights]
    assert versions == [member.name for member in weights]
    assert weights.DEFAULT.name == versions[-1]


def test_keys_that_came_later_change_no_hash_of_before():
    # Of the version before iterations, steps, warm-up, validation and networks of one's own.
    demo, default = (load_study(names, base=BASE) for names in ([BASE.with_name("demo.yaml")], []))
    assert content_hash(demo)[:16] == "650df62d3b6076c5"
    assert content_hash(default)[:16] == "2641fc72c8be0b83"
    settings = all_run_settings(demo)[0]
    assert content_hash(settings)[:16] == "dc30e420fb03040d"
    run = RunFile(**settings.model_dump(), dataset_identity="0" * 64)
    assert content_hash(run)[:16] == "40c3709b1273cfc0"


def test_shipped_readings_are_all_defined_and_each_differs():
    study = load_study(
        [REPOSITORY / "config" / name for name in ("readings.yaml", "fast.yaml")], base=BASE
    )
    assert set(study.protocols) == set(study.protocol_definitions)
    readings = [
        [study.protocol_definitions[name].recipe_for(model) for model in study.models]
        for name in study.protocols
    ]
    assert all(readings.count(reading) == 1 for reading in readings)
    assert {reading.precision for models in readings for reading in models} == {"auto"}


def info_of(study: Study) -> DatasetInfo:
    return DatasetInfo(
        spec=study.dataset,
        content="digits",
        class_names=["0", "1"],
        train_images=8,
        test_images=4,
        full_train_images=8,
        full_test_images=4,
        identity="a" * 64,
        source_file=None,
        source_sha256=None,
    )


def test_each_run_gets_a_run_file_that_is_written_only_when_it_changes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    study = load_study([REPOSITORY / "config/demo.yaml"], base=BASE)
    path = write_study(study)
    folder = StudyFolder.of_file(path)
    write_json(folder.dataset_info, info_of(study))
    runs = write_run_files(path, no_device)
    assert runs == [folder.run(settings).run for settings in all_run_settings(study)]
    first = RunFile.model_validate_json(runs[0].read_text(encoding="utf-8"))
    assert first.dataset_identity == "a" * 64

    before = [run.stat().st_mtime_ns for run in runs]
    assert write_run_files(path, no_device) == runs
    assert [run.stat().st_mtime_ns for run in runs] == before


def test_run_files_are_not_written_for_the_dataset_of_another_configuration(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    study = load_study([REPOSITORY / "config/demo.yaml"], base=BASE)
    path = write_study(study)
    other = load_study(
        [REPOSITORY / "config/demo.yaml", overlay(tmp_path, "dataset: {limit: {train: 10}}")],
        base=BASE,
    )
    write_json(StudyFolder.of_file(path).dataset_info, info_of(other))
    with pytest.raises(UserError, match=r"made for another `dataset:`.*resnet-sizes data"):
        write_run_files(path, no_device)


def test_a_runs_hash_depends_on_every_setting_but_not_on_the_study_around_it():
    base = load_study([], base=BASE)
    hashes = {content_hash(run) for run in all_run_settings(base)}
    assert len(hashes) == 3 * (10 + 5)  # models, and seeds of both protocols
    renamed = base.model_copy(update={"name": "other", "seeds": list(range(11))})
    assert hashes < {content_hash(run) for run in all_run_settings(renamed)}


def test_the_committed_schemas_and_page_of_keys_are_those_of_the_records(tmp_path):
    command = [sys.executable, REPOSITORY / "scripts" / "write_reference.py", tmp_path]
    subprocess.run(command, check=True)
    made = [path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file()]
    page = Path("config/README.md")
    assert {page, *(path for path in made if path.suffix == ".json")} == set(made)
    for path in made:
        committed = (REPOSITORY / path).read_text(encoding="utf-8")
        assert committed == (tmp_path / path).read_text(encoding="utf-8"), "run: make schemas"
    schemas = Path("workflow/schemas")
    assert {*(REPOSITORY / schemas).iterdir()} == {REPOSITORY / p for p in made if p != page}
    for key in (
        "training.learning_rate",
        "dataset.limit.train",
        "protocol_definitions.<name>.stem",
    ):
        assert f"`{key}`" in (tmp_path / page).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "command", [["data"], ["evidence"], ["fetch"], ["report"], ["status"], ["study", "runs"]]
)
@pytest.mark.parametrize("named", ["tiny", "results/tiny", "overlay.yaml", "gone/study.json"])
def test_every_command_finds_a_study_by_name_folder_overlay_or_file(
    command: list[str], named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(REPOSITORY / "config", tmp_path / "config")
    (tmp_path / "overlay.yaml").write_text("name: tiny")
    study = tmp_path / "results/tiny/study.json"
    study.parent.mkdir(parents=True)
    study.write_text("half a file")
    error = CliRunner().invoke(app, [*command, named]).exception
    assert isinstance(error, UserError)
    missing = named == "gone/study.json"
    expected = "gone/study.json: no such file" if missing else "results/tiny/study.json: is not"
    assert expected in str(error)
    assert not missing or "Studies that have begun here: tiny" in str(error)


@pytest.mark.parametrize(
    ("finished", "said"),
    [
        (
            0,
            [
                "0 of 3 runs have results. Mend what is named above; the same command then goes on "
                "with the others."
            ],
        ),
        (
            2,
            [
                "2 of 3 runs have results. Mend what is named above; the same command then goes on "
                "with the others.",
                "A report on what is there: resnet-sizes report --partial demo",
            ],
        ),
        (
            3,
            [
                "Every run has results. If one of them is reported as invalid above, delete the "
                "file named there; the same command then makes it again."
            ],
        ),
    ],
)
def test_a_workflow_that_failed_says_how_to_go_on(tmp_path, monkeypatch, finished, said):
    monkeypatch.chdir(tmp_path)
    plan = WorkflowPlan(load_study([BASE.parent / "demo.yaml"], base=BASE), str)
    for files in plan.run_folders[:finished]:
        files.folder.mkdir(parents=True)
        files.metrics.write_text("{}")
    assert plan.closing_words((), failed=True) == said
