"""Wrong input stops in seconds with a message that says what to do."""

import os
import socket
from pathlib import Path

import pytest

from resnet_sizes.io.errors import UserError
from resnet_sizes.study.loading import check_files, load_study
from resnet_sizes.study.workflow import checked_study

BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12)
)


CASES = ("overlay", "expected")


@pytest.mark.parametrize(
    CASES,
    [
        ("name: a\nname: b", ["config/wrong.yaml: is not YAML: key 'name' appears twice"]),
        (BOMB, ["config/wrong.yaml: is not YAML: more than 20000 values"]),
        ("name: !!python/object/apply:os.system [id]", ["is not valid JSON or YAML"]),
    ],
)
def test_a_wrong_configuration_plans_nothing(project, overlay, expected):
    config = project.overlay("wrong.yaml", overlay)
    done = project.plan("--configfile", config, check=False)
    assert done.returncode != 0
    assert "Job stats" not in done.stdout
    for text in expected:
        assert text in done.stdout


def test_a_quarto_that_does_not_run_stops_the_plan_where_the_study_asks_for_it(
    project, tmp_path, monkeypatch
):
    program = tmp_path / "quarto"
    program.write_text("#!/bin/sh\nexit 3\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    config = project.overlay("wrong.yaml", "report: {engine: quarto}")
    done = project.plan("--configfile", config, check=False)
    assert done.returncode != 0
    assert "Job stats" not in done.stdout
    assert f"{program} does not run ('quarto --version' ended with exit status 3" in done.stdout
    assert "set report.engine to pandoc in the configuration" in done.stdout


@pytest.mark.parametrize(
    CASES,
    [
        (
            "training: {learning_rate: -1}",
            [
                "config/wrong.yaml: training.learning_rate: found -1; allowed: greater than 0",
                "config/README.md",
            ],
        ),
        (
            "downloads: {cifar10: {origin: 'http://me:word@host/x?token=word'}}",
            ["'http://…@host/x?…' does not begin with https://", "downloads.allow_http"],
        ),
        (
            "trainning: {epochs: 2}",
            ["config/wrong.yaml: trainning: unknown key", "Did you mean 'training'?"],
        ),
        (
            "models: [resnet19]",
            ["config/wrong.yaml: models[0]: found 'resnet19'; allowed: resnet18, resnet34"],
        ),
        (
            "protocols: [probe-512]",
            ["'probe-512' is not defined; allowed:", "scratch-32"],
        ),
        (
            "dataset: {source: image-folder}",
            ["source is 'image-folder' but path is not set", "Set dataset.path"],
        ),
        (
            "protocol_definitions: {scratch-32: {weights: V2}}",
            ["protocol_definitions.scratch-32.weights: is 'V2'", "resnet18; it has: V1"],
        ),
        (
            "protocol_definitions: {scratch-32: {weights: nowhere.pth}}",
            ["protocol_definitions.scratch-32.weights: 'nowhere.pth' does not exist"],
        ),
        ("article: nowhere.yaml", ["article: 'nowhere.yaml' does not exist"]),
        (
            "protocol_definitions: {made: {description: {pt: x, en: x}}}",
            ["made cannot be the name of a protocol"],
        ),
        ("name: a b", ["config/wrong.yaml: name: found 'a b'; allowed: text of the form"]),
        ("seeds: []", ["config/wrong.yaml: seeds: found []"]),
        ("training: [1]", ["config/wrong.yaml: training: found [1]"]),
    ],
)
def test_a_wrong_configuration_is_told_to_commands_too(project, monkeypatch, overlay, expected):
    config = project.overlay("wrong.yaml", overlay)
    monkeypatch.chdir(project.folder)
    with pytest.raises(UserError) as caught:
        check_files(load_study([Path(config)]))
    for text in expected:
        assert text in str(caught.value)
    assert "word@" not in str(caught.value)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_without_network_nothing_is_trained_and_the_message_says_where_to_put_the_file(project):
    address = f"http://127.0.0.1:{free_port()}/cifar-10-python.tar.gz"
    config = project.overlay(
        "dead.yaml",
        "protocols: [scratch-32]\n"  # which needs no weights from the network
        f"downloads: {{allow_http: true, cifar10: {{mirrors: [], origin: '{address}'}}}}",
    )
    done = project.snakemake("--configfile", config, check=False)
    assert done.returncode != 0
    assert "downloads/cifar-10-python.tar.gz" in done.stdout
    assert "c58f30108f718f92721af3b95e74349a" in done.stdout
    assert "config/demo.yaml" in done.stdout
    assert "epoch 1/" not in done.stdout
    assert not list(project.folder.glob("results/article/runs/**/log.jsonl"))


def test_the_offline_overlay_plans_the_three_depths_and_fetches_nothing(project):
    planned = project.planned(config="config/offline.yaml")
    assert planned["train"] == 9
    assert not planned.keys() & {"fetch", "weights"}


def test_the_articles_study_plans_its_runs_after_fetching(project):
    planned = project.planned(config="config/config.yaml")
    assert planned == {
        "fetch": 1,
        "weights": 3,
        "dataset": 1,
        "run": 45,  # three depths, ten seeds of one protocol and five of the other
        "train_seeds": 3,  # of those whose frozen layers' features are kept
        "train": 45,
        "evidence": 1,
        "report": 2,  # languages
    }
    assert not (project.folder / "results").exists(), "a dry run writes nothing"


def test_an_article_with_an_unknown_rule_is_told_by_what_checks_before_any_job(
    project, monkeypatch
):
    monkeypatch.chdir(project.folder)
    article = Path("articles/santos-2024/article.yaml")
    text = article.read_text(encoding="utf-8")
    tiny = Path("config/tiny.yaml")
    configuration = load_study([tiny]).model_dump(mode="json")
    article.write_text(text.replace("rule: ordering", "rule: orderin", 1), encoding="utf-8")
    with pytest.raises(UserError) as caught:
        checked_study(configuration, {}, [tiny])
    assert str(article) in str(caught.value)
    assert "Did you mean 'ordering'" in str(caught.value)


def test_numbers_lists_and_seeds_by_protocol_may_be_given_on_the_command_line(project):
    seeds = "seeds={default: [0], probe-224: [3, 4]}"
    options = ["training={epochs: 1, threads: 2}", "protocols=[probe-224, literal]", "demo=true"]
    overlay = project.overlay("one.yaml", "models: [resnet18]\n")
    assert project.planned("--config", seeds, *options, config=overlay)["train"] == 3


def test_a_wrong_value_from_the_command_line_is_not_blamed_on_a_file(project):
    done = project.plan(
        "--configfile", "config/tiny.yaml", "--config", "training={epochs: 0}", check=False
    )
    assert done.returncode != 0
    assert "--config, or " in done.stdout
    assert "training.epochs: found 0" in done.stdout


def test_folder_yaml_names_the_archive_to_put_in_place(project):
    done = project.plan("--configfile", "config/folder.yaml", check=False)
    assert done.returncode != 0
    assert "dataset.path: 'images.tar.gz' does not exist" in done.stdout
