"""Fetching torchvision's weights, against a server on this machine that misbehaves on demand."""

import hashlib
import logging
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from local_server import Answer, LocalServer, refused_address, serve
from resnet_sizes.data import weights
from resnet_sizes.data.weights import fetch_weights, torchvision_weights
from resnet_sizes.io.errors import UserError
from resnet_sizes.io.files import read_record
from resnet_sizes.schemas.paths import StudyFolder
from resnet_sizes.schemas.run.weights import WeightsInfo, wanted_weights
from resnet_sizes.schemas.study.networks import NETWORKS
from resnet_sizes.schemas.study.study import Study
from state_dicts import Publisher, state_of
from weights_studies import study_from


@dataclass
class Bench:
    """A publisher, its server, and a folder of downloads."""

    server: LocalServer
    publisher: Publisher
    folder: StudyFolder
    downloads: Path

    def serve(self, base: str, name: str, **changes: Any) -> str:
        """Answer for the file `name` below `base`; returns the address of `base`."""
        content = changes.pop("content", self.publisher.contents.get(name, b""))
        self.server.add(f"{base}/{name}", Answer(content, **changes))
        return self.server.address + base

    def study(self, *mirrors: str, timeout: float = 5, **protocols: dict[str, Any]) -> Study:
        protocols = protocols or {"probe": {"weights": "V1"}}
        models = sorted({model for model, _ in self.publisher.names})
        downloads = {
            "folder": str(self.downloads),
            "allow_http": True,
            "timeout": timeout,
            "weights": {"mirrors": list(mirrors)},
        }
        return study_from(protocols, models, downloads)

    def fetch(self, study: Study) -> list[WeightsInfo]:
        return fetch_weights(study, self.folder, wanted_weights(study))

    def target(self, name: str) -> Path:
        return self.downloads / "weights" / name

    def leftovers(self) -> list[str]:
        """What lies there besides files of weights and locks."""
        folder = self.downloads / "weights"
        names = [path.name for path in folder.iterdir()] if folder.exists() else []
        return [name for name in names if not re.search(r"\.pth(\.lock)?$", name)]


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Bench]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    publisher = Publisher(tmp_path)
    monkeypatch.setattr(weights, "torchvision_weights", publisher.catalogue)
    publisher.origin = refused_address().removesuffix("/archive.tar.gz")
    with serve() as server:
        yield Bench(
            server, publisher, StudyFolder(tmp_path / "results" / "tested"), tmp_path / "down"
        )


@pytest.fixture
def name(bench: Bench) -> str:
    """The name of the published file of ResNet-18."""
    return bench.publisher.publish("resnet18", "V1")


def test_weights_are_fetched_from_the_first_mirror_and_described(bench: Bench, name: str) -> None:
    first, other = bench.serve("/first", name), bench.serve("/other", name)
    (info,) = bench.fetch(bench.study(f"{first}/", other))
    content = bench.publisher.contents[name]
    assert bench.server.requests == [(f"/first/{name}", None)]
    assert bench.target(name).read_bytes() == content
    assert read_record(bench.folder.weights("resnet18-V1"), WeightsInfo, "") == info
    assert info.model_dump() == {
        "schema_version": 1,
        "key": "resnet18-V1",
        "model": "resnet18",
        "path": str(bench.target(name)),
        "bytes": len(content),
        "source": f"{bench.publisher.origin}/{name}",
        "initial": {
            "name": "ResNet18_Weights.IMAGENET1K_V1",
            "file": name,
            "sha256": hashlib.sha256(content).hexdigest(),
        },
    }
    assert bench.leftovers() == []


def test_torchvisions_own_address_is_tried_after_the_mirrors(
    bench: Bench, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    dead, gone = bench.publisher.origin, bench.serve("/gone", name, status=404)
    bench.publisher.origin = bench.serve("/origin", name)
    (info,) = bench.fetch(bench.study(dead, gone))
    assert info.source == f"{bench.publisher.origin}/{name}"
    assert f"{dead}/{name}: ConnectionRefusedError: Connection refused" in caplog.messages
    assert f"{gone}/{name}: HTTP 404 Not Found" in caplog.messages
    assert [path for path, _ in bench.server.requests] == [f"/gone/{name}", f"/origin/{name}"]


def test_fetching_again_does_nothing(bench: Bench, name: str) -> None:
    study = bench.study(bench.serve("/first", name))
    bench.fetch(study)
    files = [bench.folder.weights("resnet18-V1"), bench.target(name)]
    times = [file.stat().st_mtime_ns for file in files]
    bench.fetch(study)
    assert [file.stat().st_mtime_ns for file in files] == times
    assert len(bench.server.requests) == 1


def test_a_file_put_there_by_hand_is_verified_and_used(bench: Bench, name: str) -> None:
    bench.target(name).parent.mkdir(parents=True)
    bench.target(name).write_bytes(bench.publisher.contents[name])
    (info,) = bench.fetch(bench.study())
    assert info.path == str(bench.target(name))
    assert bench.server.requests == []


def test_a_damaged_file_is_replaced(bench: Bench, name: str) -> None:
    content = bench.publisher.contents[name]
    bench.target(name).parent.mkdir(parents=True)
    bench.target(name).write_bytes(content[:-1] + b"x")
    bench.fetch(bench.study(bench.serve("/first", name)))
    assert bench.target(name).read_bytes() == content


def test_a_damaged_file_is_told_and_never_described(bench: Bench, name: str) -> None:
    damaged = bench.publisher.contents[name][:-1] + b"x"
    bench.target(name).parent.mkdir(parents=True)
    bench.target(name).write_bytes(damaged)
    with pytest.raises(
        UserError, match=rf"{name}: is there, but is not the published file: \d+ bytes with SHA"
    ):
        bench.fetch(bench.study())
    assert not bench.folder.weights("resnet18-V1").exists()


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({"content": b"x" * 5000}, "sent 5000 bytes with SHA-256 [0-9a-f]{8} instead of"),
        ({"content": b"<html>Log in to the network"}, "sent 27 bytes with SHA-256"),
        ({"sent": 150_000}, r"IncompleteRead: IncompleteRead\(\d{6} bytes read"),
        ({"status": 404}, "HTTP 404 Not Found"),
        ({"delay": 30}, "TimeoutError: timed out"),
        ({"sent": 150_000, "stall": 30}, "TimeoutError: timed out"),
    ],
    ids=["wrong hash", "login page", "cut short", "404", "hanging", "stalled"],
)
def test_a_bad_answer_is_refused_with_its_reason(
    bench: Bench, name: str, answer: dict[str, Any], reason: str
) -> None:
    mirror = bench.serve("/bad", name, **answer)
    with pytest.raises(UserError, match=f"{mirror}/{name}: {reason}"):
        bench.fetch(bench.study(mirror, timeout=0.3))
    assert not bench.target(name).exists()
    assert not bench.folder.weights("resnet18-V1").exists()


def test_a_server_that_sends_more_than_the_file_can_have_is_cut_off(
    bench: Bench, name: str
) -> None:
    bench.publisher.meta = {"_file_size": 0.1}  # MiB, of a file of 0.4
    mirror = bench.serve("/endless", name, content=bench.publisher.contents[name] * 10)
    with pytest.raises(UserError, match="sent more than the 115343 bytes of the file"):
        bench.fetch(bench.study(mirror))
    assert bench.leftovers() == []


def test_a_download_that_was_cut_off_is_continued(bench: Bench, name: str) -> None:
    cut = bench.serve("/cut", name, sent=150_000)
    bench.fetch(bench.study(cut, bench.serve("/whole", name, ranges=True)))
    (first, nothing), (second, asked) = bench.server.requests
    assert (first, nothing, second) == (f"/cut/{name}", None, f"/whole/{name}")
    assert asked is not None
    assert 0 < int(asked.removeprefix("bytes=").rstrip("-")) <= 150_000
    assert bench.target(name).read_bytes() == bench.publisher.contents[name]


@pytest.mark.parametrize(
    "wrong", [lambda content: b"x" * 1000, lambda content: content + b"x"], ids=["other", "longer"]
)
def test_remains_that_do_not_belong_to_the_file_are_thrown_away(
    bench: Bench, name: str, wrong: Callable[[bytes], bytes]
) -> None:
    content = bench.publisher.contents[name]
    remains = bench.target(f"{name}.part")
    remains.parent.mkdir(parents=True)
    remains.write_bytes(wrong(content))
    bench.fetch(bench.study(bench.serve("/good", name, ranges=True)))
    assert bench.target(name).read_bytes() == content
    assert [asked is None for _, asked in bench.server.requests] == [False, True]
    assert bench.leftovers() == []


def test_two_fetches_at_once_download_once(bench: Bench, name: str) -> None:
    study = bench.study(bench.serve("/first", name, delay=0.3))
    found: list[WeightsInfo] = []
    threads = [threading.Thread(target=lambda: found.extend(bench.fetch(study))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 3
    assert len(bench.server.requests) == 1


def test_protocols_with_the_same_weights_share_one_file(bench: Bench) -> None:
    name = bench.publisher.publish("resnet50", "V2")
    study = bench.study(
        bench.serve("/first", name),
        probe={"weights": "default", "trainable": "head"},
        tuned={"weights": "V2"},
        scratch={},
    )
    assert [info.key for info in bench.fetch(study)] == ["resnet50-V2"]
    assert len(bench.server.requests) == 1


def test_all_are_tried_and_one_message_lists_all_that_could_not_be_had(bench: Bench) -> None:
    names = {model: bench.publisher.publish(model, "V1") for model in ("resnet18", "resnet34")}
    names["resnet50"] = bench.publisher.publish("resnet50", "V1")
    mirror = bench.serve("/first", names["resnet34"])
    with pytest.raises(UserError) as error:
        bench.fetch(bench.study(mirror, probe={"weights": "V1"}, tuned={"weights": "V1"}))
    asked = "(protocol_definitions.probe.weights, protocol_definitions.tuned.weights)"
    refused = "ConnectionRefusedError: Connection refused"
    expected = ["Initial weights could not be fetched:"]
    for model in ("resnet18", "resnet50"):
        expected += [
            f"  {model}-V1 {asked}:",
            f"    {mirror}/{names[model]}: HTTP 404 Not Found",
            f"    {bench.publisher.origin}/{names[model]}: {refused}",
        ]
    expected.append("Do one of these, then run the same command again:")
    for model in ("resnet18", "resnet50"):
        file = names[model]
        expected.append(
            f"  - put {bench.publisher.origin}/{file} by hand at {bench.target(file)} "
            f"(its SHA-256 begins with {file[9:17]})"
        )
    expected += [
        "  - set downloads.weights.mirrors to a folder of them that can be reached",
        "  - leave protocols with initial weights out of `protocols:`",
        "  - or run the demonstration, which needs no network:",
        "    snakemake --cores all --resources gpu=1 --configfile config/demo.yaml",
    ]
    assert str(error.value).splitlines() == expected
    assert bench.folder.weights("resnet34-V1").is_file()
    assert not bench.folder.weights("resnet18-V1").exists()


def test_a_folder_that_cannot_be_made_is_told_with_its_remedy(bench: Bench, name: str) -> None:
    bench.downloads.write_text("in the way")
    with pytest.raises(UserError, match=r"cannot be written .*Move what lies there") as error:
        bench.fetch(bench.study())
    assert "put by hand" not in str(error.value)


def test_a_published_file_that_is_no_state_dict_of_the_network_stops_here(bench: Bench) -> None:
    name = bench.publisher.publish("resnet18", "V1", state_of("resnet34"))
    with pytest.raises(UserError, match=r"is not a state dict of resnet18 with stem"):
        bench.fetch(bench.study(bench.serve("/first", name)))
    name = bench.publisher.publish("resnet18", "V1", {"epoch": 3})
    with pytest.raises(UserError, match=f"{name}: is not a file of tensors .*it holds epoch"):
        bench.fetch(bench.study(bench.serve("/first", name)))


@pytest.mark.parametrize(
    ("model", "version"),
    [(model, version) for model, network in NETWORKS.items() for version in network.weights],
)
def test_torchvision_publishes_the_hash_of_every_file_that_a_study_may_name(
    model: str, version: str
) -> None:
    weights = torchvision_weights(model, version)
    assert re.search(rf"/{model}-[0-9a-f]{{8}}\.pth$", weights.url)
    assert str(weights).lower() == f"{model}_weights.imagenet1k_{version}".lower()
