"""Initial weights from a file of one's own, and the command `resnet-sizes fetch`."""

import hashlib
import pickle
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torchvision.models import get_model

from local_server import refused_address
from resnet_sizes.cli.data import fetch as fetch_command
from resnet_sizes.data.weights import fetch_weights
from resnet_sizes.io.errors import UserError
from resnet_sizes.io.files import read_record, write_json
from resnet_sizes.io.hashes import content_hash
from resnet_sizes.schemas.paths import StudyFolder
from resnet_sizes.schemas.run.run import StudyFile
from resnet_sizes.schemas.run.weights import WeightsInfo, wanted_weights
from resnet_sizes.schemas.study.study import Study
from resnet_sizes.study.loading import check_files
from state_dicts import saved, state_of
from weights_studies import study_from

OFFLINE = "--configfile config/demo.yaml"


def study_with(path: Path, stem: str = "imagenet") -> Study:
    """ResNet-18 that starts from a file of one's own."""
    return study_from({"mine": {"weights": str(path), "stem": stem}}, ["resnet18"])


def fetched(study: Study, folder: Path) -> WeightsInfo:
    (info,) = fetch_weights(study, StudyFolder(folder), wanted_weights(study))
    assert read_record(StudyFolder(folder).weights(info.key), WeightsInfo, "") == info
    return info


def without(part: str) -> dict[str, torch.Tensor]:
    return {name: tensor for name, tensor in state_of("resnet18").items() if part not in name}


def test_a_file_of_ones_own_is_described_with_its_hash(tmp_path: Path) -> None:
    path = saved(state_of("resnet18"), tmp_path / "mine.pth")
    info = fetched(study_with(path), tmp_path / "results")
    assert info.key == f"resnet18-file-{hashlib.sha256(str(path).encode()).hexdigest()[:8]}"
    assert (info.path, info.source, info.bytes) == (str(path), None, path.stat().st_size)
    assert info.initial.model_dump() == {
        "name": "file",
        "file": "mine.pth",
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
    }


@pytest.mark.parametrize(
    ("state", "stem"),
    [
        (state_of("resnet18", stem="cifar"), "cifar"),
        (without("fc."), "imagenet"),
        (without("num_batches_tracked"), "imagenet"),
        (state_of("resnet18") | {"fc.weight": torch.zeros(10, 512)}, "imagenet"),
    ],
    ids=["cifar stem", "no last layer", "no counters", "ten classes"],
)
def test_all_but_the_last_layer_has_to_fit(
    tmp_path: Path, state: dict[str, torch.Tensor], stem: str
) -> None:
    path = saved(state, tmp_path / "mine.pth")
    info = fetched(study_with(path, stem), tmp_path / "results")
    assert info.initial.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_safetensors_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "mine.safetensors"
    save_file({name: tensor.clone() for name, tensor in state_of("resnet18").items()}, path)
    assert fetched(study_with(path), tmp_path / "results").path == str(path)


class RunsCode:
    """A pickle of this makes a folder wherever it is loaded without care."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[str]]:
        return Path.mkdir, (self.folder,)  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("make", "reasons"),
    [
        (lambda path: None, ["does not exist (looked in", "Put a state dict of resnet18 there"]),
        (lambda path: path.mkdir(), ["is a folder"]),
        (
            lambda path: path.write_bytes(b""),
            ["is not a file of tensors by name alone ("],
        ),
        (lambda path: path.write_text("weights"), ["is not a file of tensors by name alone"]),
        (
            lambda path: path.write_bytes(
                saved(state_of("resnet18"), path.with_name("whole")).read_bytes()[:30_000]
            ),
            ["is not a file of tensors by name alone ("],
        ),
        (lambda path: saved([1, 2], path), ["is not a file of tensors by name alone"]),
        (
            lambda path: saved({"epoch": 3, "state_dict": state_of("resnet18")}, path),
            ["(it holds epoch, state_dict)", "Save the tensors alone"],
        ),
        (
            lambda path: saved(get_model("resnet18", num_classes=2), path),
            ["it holds Python objects", "torch.save(network.state_dict(), PATH)"],
        ),
        (
            lambda path: saved(state_of("resnet34"), path),
            [
                "is not a state dict of resnet18 with stem imagenet",
                'Unexpected key(s) in state_dict: "layer1.2',
            ],
        ),
        (
            lambda path: saved(
                {f"module.{name}": tensor for name, tensor in state_of("resnet18").items()}, path
            ),
            [
                'Missing key(s) in state_dict: "conv1.weight", "bn1.weight"',
                'Unexpected key(s) in state_dict: "module.conv1.weight"',
            ],
        ),
        (
            lambda path: saved(state_of("resnet18", stem="cifar"), path),
            ["size mismatch for conv1.weight: copying a param with shape torch.Size([64, 3,"],
        ),
    ],
    ids=[
        "missing",
        "folder",
        "empty",
        "text",
        "cut short",
        "list",
        "checkpoint",
        "whole network",
        "other network",
        "data parallel",
        "other stem",
    ],
)
def test_a_file_that_cannot_serve_is_told_with_its_remedy(
    tmp_path: Path, make: Callable[[Path], Any], reasons: list[str]
) -> None:
    path = tmp_path / "mine.pth"
    make(path)
    study = study_with(path)
    with pytest.raises(UserError) as error:
        fetch_weights(study, StudyFolder(tmp_path / "results"), wanted_weights(study))
    (key,) = wanted_weights(study)
    for text in [
        f"  {key} (protocol_definitions.mine.weights):\n    {path}: ",
        "replace the file with a valid one, or name another under its key",
        OFFLINE,
        *reasons,
    ]:
        assert text in str(error.value)
    assert "by hand" not in str(error.value)
    assert "mirrors" not in str(error.value)
    assert not (tmp_path / "results").exists()


def test_a_pickle_that_wants_to_run_code_is_refused_and_runs_none(tmp_path: Path) -> None:
    made = tmp_path / "made"
    state = {"conv1.weight": RunsCode(made)}
    plain, torchs = tmp_path / "plain.pth", saved(state, tmp_path / "torchs.pth")
    plain.write_bytes(pickle.dumps(state))
    for path, told in (
        (plain, "is not a file of tensors by name alone"),
        (torchs, "it holds Python objects, and loading these could run any program"),
    ):
        with pytest.raises(UserError, match=told):
            fetched(study_with(path), tmp_path / "results")
    assert not made.exists()
    pickle.loads(plain.read_bytes())
    assert made.exists(), "the pickle would have run code"


def test_what_is_no_safetensors_file_is_told(tmp_path: Path) -> None:
    path = tmp_path / "mine.safetensors"
    path.write_bytes(b"x" * 100)
    with pytest.raises(UserError, match=r"is not a file of tensors by name alone \("):
        fetched(study_with(path), tmp_path / "results")


def test_a_file_for_two_stems_fits_only_one_and_is_told(tmp_path: Path) -> None:
    path = saved(state_of("resnet18"), tmp_path / "mine.pth")
    study = study_from(
        {"a": {"weights": str(path)}, "b": {"weights": str(path), "stem": "cifar"}}, ["resnet18"]
    )
    with pytest.raises(
        UserError, match=r"resnet18 with stem cifar:\n.*size mismatch for conv1\.weight"
    ):
        fetched(study, tmp_path / "results")


def test_a_missing_file_is_told_with_the_study_naming_the_key_of_its_network(
    tmp_path: Path,
) -> None:
    mine = {"weights": "none", "per_model": {"resnet34": {"weights": str(tmp_path / "x.pth")}}}
    study = study_from({"mine": mine}, ["resnet18", "resnet34"]).model_copy(
        update={"article": str(saved({}, tmp_path / "article.yaml"))}
    )
    key = r"protocol_definitions\.mine\.per_model\.resnet34\.weights"
    with pytest.raises(UserError, match=rf"^{key}: '.*x\.pth' does not exist"):
        check_files(study)
    saved(state_of("resnet34"), tmp_path / "x.pth")
    check_files(study)


def test_weights_that_a_network_shares_with_its_protocol_are_the_protocols_key() -> None:
    per_model = {"resnet34": {"weight_decay": 0.1}, "resnet50": {"weights": "V1"}}
    study = study_from(
        {"mine": {"weights": "V1", "per_model": per_model}}, ["resnet18", "resnet34", "resnet50"]
    )
    assert [each.asked_by for each in wanted_weights(study).values()] == [
        ("protocol_definitions.mine.weights",),
        ("protocol_definitions.mine.weights",),
        ("protocol_definitions.mine.per_model.resnet50.weights",),
    ]


def _written(study: Study, tmp_path: Path) -> Path:
    path = tmp_path / "results" / "tested" / "study.json"
    write_json(path, StudyFile(study_hash=content_hash(study), study=study))
    return path


def test_the_command_fetches_images_and_all_weights_or_one_of_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = {
        model: saved(state_of(model), tmp_path / f"{model}.pth")
        for model in ("resnet18", "resnet34")
    }
    images = tmp_path / "images"
    images.mkdir()
    readings = {model: {"weights": str(path)} for model, path in files.items()}
    study = study_from(
        {"mine": {"per_model": readings}},
        list(files),
        dataset={"source": "image-folder", "path": str(images)},
    )
    path = _written(study, tmp_path)
    first, second = wanted_weights(study)

    fetch_command(path, only=second)
    assert capsys.readouterr().out == f"{files['resnet34']}\n"
    assert sorted(file.name for file in path.with_name("weights").iterdir()) == [f"{second}.json"]

    fetch_command(path, only="images")
    assert capsys.readouterr().out == f"{images}\n"

    fetch_command(path)
    assert capsys.readouterr().out.splitlines() == [str(images), *map(str, files.values())]
    assert (path.with_name("weights") / f"{first}.json").is_file()


def test_an_unknown_part_is_told_with_the_allowed_ones(tmp_path: Path) -> None:
    path = _written(
        study_from({"probe": {"weights": "default"}}, ["resnet18", "resnet50"]), tmp_path
    )
    allowed = "images, resnet18-V1, resnet50-V2"
    with pytest.raises(
        UserError, match=rf"--only: found 'resnet50-V1'; allowed for .*: {allowed}\."
    ):
        fetch_command(path, only="resnet50-V1")


def test_without_a_network_the_command_tells_of_images_and_all_weights_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    study = study_from(
        {"probe": {"weights": "default"}},
        ["resnet18", "resnet50", "resnet152"],
        {
            "folder": str(tmp_path / "downloads"),
            "allow_http": True,
            "cifar10": {"mirrors": [], "origin": refused_address()},
        },
        {"source": "cifar10"},
    )
    path = _written(study, tmp_path)
    with pytest.raises(UserError) as error:
        fetch_command(path)
    message = str(error.value)
    assert "CIFAR-10 could not be fetched:" in message
    origin = "https://download.pytorch.org/models"
    for name in ("resnet18-f37072fd.pth", "resnet50-11ad3fa6.pth", "resnet152-f82ba261.pth"):
        assert f"    {origin}/{name}: gaierror: Name or service not known" in message
        prefix = name.partition("-")[2].removesuffix(".pth")
        path = tmp_path / "downloads" / "weights" / name
        known = f"(its SHA-256 begins with {prefix})"
        assert f"  - put {origin}/{name} by hand at {path} {known}" in message
    assert message.count(OFFLINE) == 2
