"""A network is one entry: of the project, or from outside of it."""

import json
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from rendering import Page, render
from report_studies import TEMPLATES, context_of
from synthetic import PROTOCOLS, make_study
from synthetic_runs import HEAD_PARAMETERS, MACS, PARAMETERS
from torch import nn
from typer.testing import CliRunner

from documented import blocks
from resnet_sizes.cli.app import app
from resnet_sizes.evidence.build import build_evidence
from resnet_sizes.io.errors import UserError
from resnet_sizes.io.hashes import file_hash
from resnet_sizes.reporting.figures.style import look_of
from resnet_sizes.reporting.inputs import read_inputs
from resnet_sizes.reporting.render.engines import choose_engine
from resnet_sizes.reporting.sections.article import render_article
from resnet_sizes.schemas.run.run import RunFile
from resnet_sizes.schemas.study.networks import NETWORKS, Network, display_name
from resnet_sizes.schemas.study.protocol import TrainingRecipe
from resnet_sizes.training.engine.networks import (
    backbone,
    build_network,
    count_parameters,
    macs_per_image,
    ready_for_training,
)
from small_runs import CPU

REPOSITORY = Path(__file__).parents[2]

OUTSIDER = "squat50"
ENTRY = Network(
    label="Squat-50 (b)",
    depth=50,
    build="torchvision.models:resnext50_32x4d",
    stems=["imagenet"],
)
"""As many layers as ResNet-50 and WideResNet-50-2."""


@pytest.fixture
def outsider(monkeypatch: pytest.MonkeyPatch) -> str:
    """One more network, by one entry; synthetic runs have no sizes of it."""
    monkeypatch.setitem(NETWORKS, OUTSIDER, ENTRY)
    for model in (OUTSIDER, "wide_resnet50_2"):
        for sizes in (PARAMETERS, MACS, HEAD_PARAMETERS):
            monkeypatch.setitem(sizes, model, 20_000_000)
    return OUTSIDER


@pytest.mark.parametrize("models", [("resnet18",), ()], ids=["over a shallower one", "all equal"])
def test_networks_of_equal_depth_stand_beside_each_other(
    tmp_path: Path, outsider: str, models: tuple[str, ...]
) -> None:
    alike = ("resnet50", "wide_resnet50_2", outsider)
    every = (*models, *alike)
    study = make_study(
        tmp_path,
        models=every,
        accuracies={model: 0.8 + place / 50 for place, model in enumerate(every)},
        minutes=dict.fromkeys(every, 40.0),
        losses=dict.fromkeys(every, (2.0, 0.5)),
        full=False,
        epochs=2,
    )
    build_evidence(study, study.parent / "evidence", allow_partial=False)
    values = json.loads((study.parent / "evidence" / "values.json").read_text())["values"]
    base = models[0] if models else "resnet50"
    for model in set(alike) - {base}:
        increment = values[f"scratch-32.{model}.layers_increment"]["value"]
        assert increment == pytest.approx((50 / NETWORKS[base].depth - 1) * 100)
    inputs = read_inputs(study, study.parent / "evidence")
    for language in ("pt", "en"):
        qmd = render_article(context_of(inputs, language), TEMPLATES, choose_engine("pandoc")).text
        for label in ("ResNet-50", "WideResNet-50-2", "Squat-50 (b)"):
            assert f"| {label} |" in qmd
    looks = [look_of(model, every) for model in alike]
    for one, other in combinations(looks, 2):
        assert sum(one[part] != other[part] for part in one) >= 2


def test_a_label_that_could_be_markup_is_printed_as_it_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    labels = ("my_net_2", "A -- 1", "A _x_ 1", "B+3 (1.5) ... 2")
    names = [f"own{place}" for place in range(len(labels))]
    for place, (name, label) in enumerate(zip(names, labels, strict=True)):
        entry = ENTRY.model_dump() | {"label": label, "depth": 3 + place}
        monkeypatch.setitem(NETWORKS, name, Network.model_validate(entry))
        for sizes in (PARAMETERS, MACS, HEAD_PARAMETERS):
            monkeypatch.setitem(sizes, name, 20_000_000)
    study = make_study(
        tmp_path,
        models=names,
        accuracies={name: 0.8 + place / 50 for place, name in enumerate(names)},
        minutes={name: 40.0 + place for place, name in enumerate(names)},
        losses=dict.fromkeys(names, (2.0, 0.5)),
        full=False,
        epochs=2,
    )
    build_evidence(study, study.parent / "evidence", allow_partial=False)
    for language in ("pt", "en"):
        render(study, tmp_path / language, language)
        page = Page((tmp_path / language / "report.html").read_text(encoding="utf-8"))
        described = " ".join(image.get("alt") or "" for image in page.all("img"))
        for label in labels:
            assert label in page.text
            assert label in described


def test_every_network_has_a_look_of_its_own_and_those_of_before_have_theirs() -> None:
    for one, other in combinations((look_of(model, NETWORKS) for model in NETWORKS), 2):
        assert one != other
    assert look_of("resnet152", ["resnet18", "resnet50", "resnet152"]) == {
        "color": "#00805F",
        "linestyle": (0, (5, 1.2, 1, 1.2)),
        "marker": "^",
    }


def test_networks_that_are_shown_together_have_colours_of_their_own() -> None:
    names = list(NETWORKS)
    for chosen in (["resnet18", "wide_resnet50_2", "resnet56"], names[2::5], names[:5]):
        assert len({look_of(model, chosen)["color"] for model in chosen}) == len(chosen)
    deep = [name for name in names if name.startswith("plain") or name == "resnet110"]
    deep += [name.replace("plain", "resnet") for name in deep if name.startswith("plain")]
    looks = {model: look_of(model, deep) for model in deep}
    for one, other in combinations(deep, 2):
        if looks[one]["color"] == looks[other]["color"]:
            assert NETWORKS[one].depth != NETWORKS[other].depth
            assert looks[one]["marker"] != looks[other]["marker"]


def test_no_two_networks_have_one_label() -> None:
    assert len({display_name(model) for model in NETWORKS}) == len(NETWORKS)


@pytest.mark.parametrize(
    ("depth", "millions"), [(20, 0.27), (32, 0.46), (44, 0.66), (56, 0.85), (110, 1.7)]
)
def test_the_networks_for_cifar_have_the_parameters_that_the_paper_prints(
    depth: int, millions: float
) -> None:
    recipe = TrainingRecipe(stem="cifar")
    network = build_network(f"resnet{depth}", recipe, 10)
    found = count_parameters(network, recipe)[0]
    assert round(found / 1e6, 1 if depth == 110 else 2) == millions
    layers = [each for each in network.modules() if isinstance(each, nn.Conv2d | nn.Linear)]
    assert len(layers) == depth
    if depth < 110:
        assert count_parameters(build_network(f"plain{depth}", recipe, 10), recipe)[0] == found


def test_shortcuts_pass_every_second_pixel_on_and_plain_networks_have_none() -> None:
    torch.manual_seed(0)
    images = torch.randn(2, 3, 32, 32)
    recipe = TrainingRecipe(stem="cifar")
    for model in ("resnet20", "plain20"):
        network = build_network(model, recipe, 10)
        first = network.layer2[0]
        for convolution in (first.conv1, first.conv2):
            nn.init.zeros_(convolution.weight)
        maps = network.layer1(network.relu(network.bn1(network.conv1(images))))
        passed = first(maps)
        assert passed.shape == (2, 32, 16, 16)
        if model == "resnet20":
            assert torch.equal(passed[:, 8:24], maps[:, :, ::2, ::2])
            assert not passed[:, :8].any()
            assert not passed[:, 24:].any()
        else:
            assert not passed.any()


def test_weights_are_drawn_as_he_et_al_draw_them() -> None:
    torch.manual_seed(0)
    network = build_network("resnet56", TrainingRecipe(stem="cifar"), 10)
    weight = network.layer3[4].conv1.weight
    assert weight.std().item() == pytest.approx((2 / (64 * 9)) ** 0.5, rel=0.02)
    assert network.fc.weight.std().item() == pytest.approx((2 / 64) ** 0.5, rel=0.1)


def test_a_frozen_network_for_cifar_gives_the_same_in_its_fastest_form() -> None:
    torch.manual_seed(0)
    recipe = TrainingRecipe(stem="cifar", weights="V1", trainable="head")
    network = build_network("resnet20", recipe, 10).eval()
    images = torch.randn(4, 3, 32, 32)
    with torch.no_grad():
        before = network(images)
        after = ready_for_training(network, recipe, CPU, "fp32")(images)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in network.modules())
    torch.testing.assert_close(after, before, rtol=1e-4, atol=1e-4)


OWN = """
import torch


class Tiny(torch.nn.Module):
    def __init__(self, num_classes):
        super().__init__()
        self.layers = torch.nn.Sequential(
            torch.nn.Conv2d(3, 4, 3, stride=4, padding=1), torch.nn.ReLU(), torch.nn.Flatten()
        )
        self.last = torch.nn.Linear(4 * 64, num_classes)

    def forward(self, images):
        return self.last(self.layers(images))


def tiny(num_classes):
    return Tiny(num_classes)


def one_too_many(num_classes):
    return Tiny(num_classes + 1)


def broken(num_classes):
    raise RuntimeError("no such layer")


NUMBER = 1
"""


class Folder:
    """A working directory with a study of digits on a network of one's own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "config").mkdir()
        self.module = folder / "config" / "my_networks.py"
        self.module.write_text(OWN, encoding="utf-8")
        for name in ("article.yaml", "devices.yaml", "config.yaml"):
            source = REPOSITORY / "config" / name
            if source.is_file():
                (folder / "config" / name).write_bytes(source.read_bytes())
        articles = REPOSITORY / "articles"
        if articles.is_dir():
            (folder / "articles").symlink_to(articles)
        self.write()

    def write(self, build: str = "config.my_networks:tiny", **keys: Any) -> None:
        """The study."""
        own = {"label": "Tiny (mine)", "depth": 2, "build": build, "head": "last"} | keys
        study = {
            "name": "own",
            "dataset": {"source": "digits", "limit": {"train": 40, "test": 20}},
            "networks": {"tiny": own},
            "models": ["tiny"],
            "protocols": ["scratch-32"],
            "seeds": [0],
            "training": {"epochs": 1, "batch_size": 20, "device": "cpu", "threads": 1},
        }
        (self.folder / "config" / "own.yaml").write_text(yaml.safe_dump(study), encoding="utf-8")

    def run(self, *arguments: str, fails: bool = False) -> str:
        """What a command says."""
        done = CliRunner().invoke(app, list(arguments))
        assert (done.exit_code != 0) == fails, (done.output, done.exception)
        return f"{done.output} {done.exception}"

    def train(self, fails: bool = False) -> str:
        """From the configuration to the results."""
        self.run("study", "write", "config/own.yaml")
        self.run("data", "results/own/study.json")
        self.run("study", "runs", "results/own/study.json")
        run = "results/own/runs/scratch-32/tiny/seed-0/run.json"
        dataset = "results/own/data/dataset.safetensors"
        return self.run("train", run, "--dataset", dataset, "--device", "cpu", fails=fails)

    def run_file(self) -> RunFile:
        """What the run is told."""
        path = self.folder / "results/own/runs/scratch-32/tiny/seed-0/run.json"
        return RunFile.model_validate_json(path.read_text(encoding="utf-8"))


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Folder]:
    monkeypatch.chdir(tmp_path)
    yield Folder(tmp_path)
    NETWORKS.pop("tiny", None)


def test_a_network_of_ones_own_is_trained_by_its_dotted_path(own: Folder) -> None:
    own.train()
    run = own.run_file()
    assert run.network is not None
    assert run.network.file == Path("config/my_networks.py")
    metrics = json.loads(
        (own.folder / "results/own/runs/scratch-32/tiny/seed-0/metrics.json").read_text()
    )
    assert metrics["parameters"] == 4 * 3 * 9 + 4 + 256 * 10 + 10
    assert macs_per_image("tiny", run.reading, 10, run.network) == metrics["macs_per_image"]

    # Another content is another run; its name in the report is none.
    before = run
    own.write(label="Another name", depth=3)
    own.train()
    assert own.run_file() == before
    own.module.write_text(OWN.replace("3, 4, 3,", "3, 4, 5,"), encoding="utf-8")
    told = own.run(
        "train",
        "results/own/runs/scratch-32/tiny/seed-0/run.json",
        *("--dataset", "results/own/data/dataset.safetensors", "--device", "cpu"),
        fails=True,
    )
    assert (
        "config/my_networks.py is not there, or not what it was when the run was planned"
        in " ".join(told.split())
    )
    own.train()
    assert own.run_file() != before


COLUMN = """
schema_version: 1
languages: [en]
article: {title: Parameters alone, authors: [Somebody], year: 2021, language: en}
setup: {data: digits, train_images: 1437, test_images: 360, iterations: 100}
table:
  - {model: resnet20, error: "9.72", parameters: "0.27"}
  - {model: tiny, error: "50.0", parameters: "0.003"}
claims:
  - id: B1
    place: table
    text: {en: "Parameters of ResNet-20, 0.27 million."}
    rule: cell
    model: resnet20
    column: parameters
    printed: "0.27"
  - id: B2
    place: table
    text: {en: "Parameters of ours."}
    rule: cell
    model: tiny
    column: parameters
    printed: "0.003"
open_choices: []
"""


def test_a_column_of_parameters_has_those_of_ones_own_network_as_its_run_counted_them(
    own: Folder,
) -> None:
    (own.folder / "column.yaml").write_text(COLUMN, encoding="utf-8")
    path = own.folder / "config/own.yaml"
    path.write_text(path.read_text() + "article: column.yaml\n", encoding="utf-8")
    own.train()
    own.run("evidence", "results/own/study.json")
    evidence = own.folder / "results/own/evidence"
    values = json.loads((evidence / "values.json").read_text())["values"]
    found = {model: values[f"parameters.{model}"] for model in ("resnet20", "tiny")}
    assert found["tiny"]["value"] == pytest.approx((4 * 3 * 9 + 4 + 256 * 10 + 10) / 1e6)
    assert found["resnet20"]["value"] == pytest.approx(0.269722)
    places = {model: tuple(each["sources"][0].values()) for model, each in found.items()}
    assert places == {
        "resnet20": ("network_costs.json", "networks[resnet20].parameters"),
        "tiny": ("runs/scratch-32/tiny/seed-0/metrics.json", "parameters"),
    }
    verdicts = json.loads((evidence / "verdicts.json").read_text())["verdicts"]
    assert [each["verdict"] for each in verdicts] == ["true-by-construction"] * 2
    own.run("report", "own", "--format", "html", "--engine", "pandoc")


def test_the_documented_network_is_trained(own: Folder) -> None:
    (own.folder / "config" / "mine.py").write_text(blocks("A network", "python")[0])
    [written] = yaml.safe_load(blocks("A network", "yaml")[0])["networks"].values()
    own.write(**{"head": "fc", **written})
    own.train()
    found = own.folder / "results/own/runs/scratch-32/tiny/seed-0/metrics.json"
    assert json.loads(found.read_text())["parameters"] == 3 * 32 * 32 * 10 + 10
    assert own.run_file().network.file == Path("config/mine.py")


@pytest.mark.parametrize(
    ("build", "told"),
    [
        ("config.none:tiny", "tiny.build: there is no config/none.py (looked in"),
        (
            "config.my_networks:tinny",
            "my_networks.py has no 'tinny' at its top level. Did you mean 'tiny'?",
        ),
        ("config.my_networks:forward", "my_networks.py has no 'forward' at its top level"),
        ("config.tiny", "networks.tiny.build: found 'config.tiny'; allowed: text of the form"),
    ],
)
def test_a_network_that_is_nowhere_stops_before_any_run(own: Folder, build: str, told: str) -> None:
    own.write(build=build)
    said = " ".join(own.run("study", "write", "config/own.yaml", fails=True).split())
    assert told in said
    assert ("models[0]" in said) == ("networks.tiny.build" in said)  # an entry that is none


@pytest.mark.parametrize(
    ("build", "told"),
    [
        ("config.my_networks:NUMBER", "'int' object is not callable"),
        ("config.my_networks:one_too_many", "it gives logits [2, 11]; allowed: [2, 10]"),
        ("config.my_networks:broken", "my_networks.py, line 26: RuntimeError: no such layer"),
    ],
)
def test_what_is_no_network_is_told_with_the_remedy(own: Folder, build: str, told: str) -> None:
    own.write(build=build)
    said = " ".join(own.train(fails=True).split())
    assert told in said
    assert "config/my_networks.py" in said


def test_a_file_that_is_no_python_stops_before_any_run(own: Folder) -> None:
    own.module.write_text(OWN.replace("return Tiny(num_classes)\n", "return Tiny(num_classes\n"))
    told = " ".join(own.run("study", "show", "config/own.yaml", fails=True).split())
    assert "tiny.build: config/my_networks.py: SyntaxError: '(' was never closed (my_netw" in told


LENET = """
from torch import nn
from torch.nn import functional


class LeNet(nn.Module):
    def __init__(self, num_classes):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 6, 5)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.narrow = nn.Conv2d(16, 8, 1, bias=False)
        self.fc = nn.Linear(8 * 5 * 5, num_classes)

    def forward(self, x):
        x = functional.max_pool2d(functional.relu(self.conv1(x)), 2)
        x = functional.max_pool2d(functional.relu(self.conv2(x)), 2)
        x = self.narrow(x)
        x = x.view(x.size(0), -1)
        return self.fc(x)


class Pixels(nn.Module):
    def __init__(self, num_classes):
        super().__init__()
        self.fc = nn.Linear(3 * 32 * 32, num_classes)

    def forward(self, x):
        return self.fc(x.view(-1, 3 * 32 * 32))


class Functional(nn.Module):
    def __init__(self, num_classes):
        super().__init__()
        self.kernels = nn.Parameter(nn.init.kaiming_normal_(nn.Conv2d(3, 4, 3).weight.data))
        self.fc = nn.Linear(4 * 30 * 30, num_classes)

    def forward(self, x):
        return self.fc(functional.conv2d(x, self.kernels).view(x.size(0), -1))
"""


@pytest.mark.parametrize("build", ["LeNet", "Pixels", "Functional"])
def test_a_network_may_flatten_maps_as_the_tutorials_do(own: Folder, build: str) -> None:
    own.module.write_text(LENET, encoding="utf-8")
    own.write(build=f"config.my_networks:{build}", head="fc")
    own.train()
    # The engine's layout for a CPU, where the head alone is trained.
    recipe = TrainingRecipe(weights="V1", trainable="head")
    network = build_network("tiny", recipe, 10, own.run_file().network)
    images = torch.randn(4, 3, 32, 32)
    with torch.no_grad():
        before = network(images)
        network = ready_for_training(network, recipe, CPU, "fp32")
        images = images.contiguous(memory_format=torch.channels_last)
        torch.testing.assert_close(network.fc(backbone(network)(images)), before)


def in_forward(*lines: str) -> str:
    """Our network with these lines before its last."""
    last = "        return self.last(self.layers(images))"
    assert last in OWN
    return OWN.replace(last, "\n".join([*(f"        {line}" for line in lines), last]))


NO_PARAMETERS = """
import torch


def tiny(num_classes):
    return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.AdaptiveAvgPool1d(num_classes))
"""


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (NO_PARAMETERS, "it has no parameters, so there is nothing to train"),
        (
            in_forward("if self.training:", "    raise KeyError('only trained')"),
            "config/my_networks.py, line 15: KeyError: 'only trained'",
        ),
        (
            in_forward("images = images[:2] if len(images) > 2 else images"),
            "ValueError: Expected input batch_size (2) to match target batch_size (20)",
        ),
        (
            in_forward("assert len(images) > 1, 'one is too few'"),
            "config/my_networks.py, line 14: AssertionError: one is too few",
        ),
        ("raise SystemExit('enough')\n" + OWN, "line 1: SystemExit: enough"),
        (in_forward("raise SystemExit(0)"), "config/my_networks.py, line 14: SystemExit: 0"),
        (OWN.replace("return Tiny(num_classes)", "return 7"), "'int' object has no attribute"),
    ],
)
def test_what_fails_in_ones_own_network_is_told_as_such(own: Folder, code: str, told: str) -> None:
    own.module.write_text(code, encoding="utf-8")
    said = " ".join(own.train(fails=True).split())
    assert told in said
    assert "This file is your own: correct it" in said


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({"label": "ResNet-18"}, "tiny: name or label is that of another network"),
        ({"label": "a|b"}, "networks.tiny.label"),
        ({"label": "7"}, "networks.tiny.label"),  # every 7 of the page would be that name
        ({"label": "5 seeds"}, "networks.tiny.label"),
        ({"label": "a  1"}, "networks.tiny.label"),  # a page prints one blank
        ({"depth": 0}, "networks.tiny.depth"),
        ({"layers": 3}, "networks.tiny.layers: unknown key"),
    ],
)
def test_what_the_report_could_not_print_is_refused(
    own: Folder, keys: dict[str, Any], told: str
) -> None:
    own.write(**keys)
    assert told in " ".join(own.run("study", "write", "config/own.yaml", fails=True).split())


def test_protocols_say_which_networks_cannot_be_so(own: Folder) -> None:
    assert "cifar" not in PROTOCOLS["scratch-32"]["stem"]
    path = own.folder / "config" / "own.yaml"
    path.write_text("name: own\nmodels: [resnet20]\nprotocols: [scratch-32]\nseeds: [0]\n")
    told = " ".join(own.run("study", "write", "config/own.yaml", fails=True).split())
    assert "scratch-32.stem: is 'imagenet', but resnet20 has 'cifar' alone" in told
    path.write_text("name: own\nmodels: [resnet19]\nprotocols: [scratch-32]\nseeds: [0]\n")
    told = " ".join(own.run("study", "write", "config/own.yaml", fails=True).split())
    assert "models[0]: found 'resnet19'; allowed: resnet18," in told
    assert "Did you mean 'resnet1" in told


def test_a_network_that_fails_where_its_initial_weights_are_fetched_is_told(own: Folder) -> None:
    own.write(build="config.my_networks:broken")
    torch.save({"last.weight": torch.zeros(10, 256)}, own.folder / "state.pth")
    path = own.folder / "config/own.yaml"
    recipe = {"weights": "state.pth", "description": {"en": "A reading."}}
    study = yaml.safe_load(path.read_text()) | {"protocol_definitions": {"scratch-32": recipe}}
    path.write_text(yaml.safe_dump(study), encoding="utf-8")
    own.run("study", "write", "config/own.yaml")
    told = " ".join(own.run("fetch", "own", fails=True).split())
    assert "config/my_networks.py, line 26: RuntimeError: no such layer. This file is your" in told


def test_nobody_elses_network_is_run_in_a_replay(own: Folder) -> None:
    from resnet_sizes.training.job.replay import first_losses

    own.train()
    metrics = type("Found", (), {"run": own.run_file()})
    with pytest.raises(UserError, match="not run here"):
        first_losses(metrics, None, 10, None, 5, CPU)  # type: ignore[arg-type]


def test_a_hash_in_the_configuration_is_that_of_the_file_as_it_is(own: Folder) -> None:
    """As where what `study show` printed becomes a study."""
    own.write(sha256="0" * 64)
    own.train()
    network = own.run_file().network
    assert network is not None
    assert network.sha256 == file_hash(own.module)
