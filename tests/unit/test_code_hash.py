"""The hash of the training code follows what the code does, and nothing else of it."""

import ast
import importlib
import os
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from resnet_sizes.io import code_hash as module
from resnet_sizes.io.code_hash import TRAINING, code_hash, training_code_hash

SOURCE = Path(module.__file__).parents[1] / "training"

FIXED = '''
"""A package with a bit of everything."""
import math
from functools import partial as part

from resnet_sizes.io.errors import UserError

RATE: float = 5e-4
SIZES = {"small": (1, 2.5, -3j), "bytes": b"\\x00\\xff", "none": None, "dots": ...}


class Loop(dict, metaclass=type):
    """Documented."""

    steps: int = 0
    """Documented too."""

    @property
    def rate(self) -> float:
        return math.nan if self.steps else RATE

    async def run(self, *sizes, scale=1, **others):
        async with self as one, self:
            await one
        for size in sizes:
            yield f"{size!r:>{scale}}é\\n" f"{size=}" "tail"


def step(x, /, y=2, *, z: "int" = 3) -> None:
    global COUNT
    COUNT = part(step, y)(lambda a, b=RATE: a @ b if z else [*x, {**SIZES}])
    try:
        del x[1:2, ::3]
    except* (ValueError, OSError) as group:
        raise UserError(f"{x} has no words that count") from group
    while (n := x.pop()) is not None and not 0 <= n < 10:
        match n:
            case {"a": 1, **rest} | [_, *rest]:
                continue
            case Loop(steps=0) if rest:
                break
    return {k: v async for k, v in x} if n else (i for i in range(n) if i)
'''
FIXED_HASH = "2f406b98f82c99d871af3f2ad0ed891335f3a7a922244252f630205c54e25ee2"


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of an empty package `hashed` that can be found."""
    folder = tmp_path / "hashed"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    yield folder
    for name in [name for name in sys.modules if name.split(".")[0] == "hashed"]:
        del sys.modules[name]


@pytest.fixture
def training(package: Path) -> Path:
    """A copy of the code that decides results."""
    for part in ("engine", "features"):
        shutil.copytree(SOURCE / part, package / part, ignore=shutil.ignore_patterns("__pycache__"))
    for path in package.rglob("*.py"):
        text = path.read_text().replace("resnet_sizes.training", "hashed")
        path.write_text(text.replace("from resnet_sizes.", "from hashed."))
    return package


def hash_of_copy() -> str:
    return code_hash("hashed.engine", "hashed.features.extraction")


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text, f"{path.name} has changed; choose something else to edit"
    path.write_text(text.replace(old, new))


def other_pythons() -> list[str]:
    """Interpreters from 3.12 on that are on this machine and start, one per version."""
    versions = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    found = {}
    for minor in range(12, 20):
        own = sorted(str(path) for path in versions.glob(f"3.{minor}.*/bin/python"))
        for path in [*own, shutil.which(f"python3.{minor}")]:
            # What pyenv puts on the path starts only where it is chosen.
            if path and subprocess.run([path, "-c", ""], capture_output=True).returncode == 0:
                found[minor] = path
    return list(found.values())


def test_a_fixed_source_has_the_stored_hash(package: Path) -> None:
    (package / "fixed.py").write_text(FIXED, encoding="utf-8")
    assert code_hash("hashed") == FIXED_HASH


def test_every_python_gives_the_same_hash(package: Path) -> None:
    others = other_pythons()
    if not others:
        pytest.skip("no Python but this one is on this machine")
    (package / "fixed.py").write_text(FIXED, encoding="utf-8")
    program = (
        "from resnet_sizes.io.code_hash import code_hash, training_code_hash as own;"
        "print(code_hash('hashed'), own())"
    )
    paths = os.pathsep.join([str(SOURCE.parents[1]), str(package.parent)])
    for python in others:
        done = subprocess.run(
            [python, "-c", program],
            env=os.environ | {"PYTHONPATH": paths},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.split() == [FIXED_HASH, training_code_hash()], python


def test_hashing_the_training_code_imports_no_torch() -> None:
    program = (
        "import sys; from resnet_sizes.io.code_hash import training_code_hash;"
        "print(len(training_code_hash()), 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.split() == ["64", "False"]


def test_comments_docstrings_annotations_and_formatting_do_not_count(training: Path) -> None:
    before = hash_of_copy()
    for path in training.rglob("*.py"):
        tree = ast.parse(path.read_text())
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef):
                node.returns = None
                node.body.insert(0, ast.Expr(ast.Constant("Another docstring.")))
        # Without a comment or a line break of ours.
        path.write_text(ast.unparse(ast.fix_missing_locations(tree)))
    assert hash_of_copy() == before


def test_names_of_files_do_not_count(training: Path) -> None:
    before = hash_of_copy()
    (training / "engine/batches.py").rename(training / "engine/inputs.py")
    for path in training.rglob("*.py"):
        path.write_text(path.read_text().replace("engine.batches", "engine.inputs"))
    assert hash_of_copy() == before


def test_moves_between_files_do_not_count(training: Path) -> None:
    before = hash_of_copy()
    state = training / "engine/state.py"
    clock = training / "engine/clock.py"
    imports, _, rest = clock.read_text().partition("class Clock")
    state.write_text(imports + state.read_text() + "\n\nclass Clock" + rest)
    clock.unlink()
    for path in training.rglob("*.py"):
        path.write_text(path.read_text().replace("engine.clock", "engine.state"))
    assert hash_of_copy() == before


@pytest.mark.parametrize(
    "name", ["flip_and_crop", "CROP_PADDING", "Preprocessor", "_TwoByTwoMatrix", "Trainer", "_fold"]
)
def test_a_definition_that_is_renamed_everywhere_does_not_count(training: Path, name: str) -> None:
    before = hash_of_copy()
    for path in training.rglob("*.py"):
        path.write_text(re.sub(rf"\b{name}\b", "another_name", path.read_text()))
    assert hash_of_copy() == before


def test_a_module_of_ours_that_is_renamed_does_not_count(training: Path) -> None:
    before = hash_of_copy()
    for path in training.rglob("*.py"):
        text = path.read_text().replace("hashed.schemas.run.run", "hashed.schemas.moved")
        path.write_text(text.replace("hashed.tensor_files", "hashed.tensors"))
    assert hash_of_copy() == before


def test_the_words_of_errors_logs_and_warnings_do_not_count(training: Path) -> None:
    before = hash_of_copy()
    networks = training / "engine/networks.py"
    replace(networks, "does not fit {run.model}:", "has other shapes than {run.model.upper()}:")
    replace(training / "engine/loop.py", "Lower ", "Please lower ")
    extraction = training / "features/extraction.py"
    replace(extraction, 'log.info("%s: %d images are done already", path, len(done))', "pass")
    replace(extraction, "a stop would cost this pass", "a stop costs")
    reading = "    state = read_weights(run, weights)\n"
    messages = '    log.debug("%s", run)\n    warnings.warn("slow")\n'
    replace(networks, reading, messages + reading)
    assert hash_of_copy() == before


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("engine/batches.py", "CROP_PADDING = 4", "CROP_PADDING = 5"),
        ("engine/batches.py", "0.4914", "0.4915"),
        ("engine/batches.py", ".lt(0.5)", ".le(0.5)"),
        ("engine/batches.py", "antialias=True", "antialias=False"),
        ("engine/loop.py", "if run.iterations else epoch", "if run.epochs else epoch"),
        ("engine/loop.py", "momentum=recipe.momentum", "momentum=recipe.weight_decay"),
        ("engine/loop.py", "kind = Adam if", "kind = AdamW if"),
        ("engine/loop.py", "self.optimizer.zero_grad(set_to_none=True)", "pass"),
        ("engine/networks.py", "set_determinism(run.deterministic", "id(run.deterministic"),
        ("engine/networks.py", "network.eval()\n", "network.train()\n"),
        ("engine/convolutions.py", "(0, 1), (1, 0)", "(1, 0), (0, 1)"),
        ("engine/numerics.py", '"bf16": torch.bfloat16', '"bf16": torch.float16'),
        ("engine/state.py", "step: int = 0", "step: int = 1"),
        ("features/extraction.py", "median(seconds) * len(images) / count", "median(seconds)"),
        (
            "engine/loop.py",
            "        self._scaler.step(self.optimizer)\n        self._scaler.update()\n",
            "        self._scaler.update()\n        self._scaler.step(self.optimizer)\n",
        ),
    ],
)
def test_what_decides_a_result_counts(training: Path, file: str, old: str, new: str) -> None:
    before = hash_of_copy()
    replace(training / file, old, new)
    assert hash_of_copy() != before


def numbers_of(path: Path) -> list[tuple[Path, ast.Constant]]:
    """The numbers in a module, but for those within the words of an error."""
    tree = ast.parse(path.read_text())
    silent = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.Raise | ast.FormattedValue)
        for inner in ast.walk(node)
    }
    return [
        (path, node)
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and type(node.value) in (int, float)
        if id(node) not in silent
    ]


def test_every_number_counts(training: Path) -> None:
    before = hash_of_copy()
    found = [number for path in sorted(training.glob("engine/*.py")) for number in numbers_of(path)]
    for path, number in random.Random(0).sample(found, 12):
        text = path.read_text()
        lines = text.splitlines()
        line, start, end = lines[number.lineno - 1], number.col_offset, number.end_col_offset
        value = number.value + 1  # type: ignore[operator]
        lines[number.lineno - 1] = f"{line[:start]}{value}{line[end:]}"
        path.write_text("\n".join(lines))
        assert hash_of_copy() != before, (path.name, line)
        path.write_text(text)


def test_a_call_of_another_definition_counts_even_if_names_are_exchanged(package: Path) -> None:
    adds = "def {}(x):\n    return x + {}\n\n"
    calls = "def c(x):\n    return {}(x)\n"
    (package / "one.py").write_text(adds.format("a", 1) + adds.format("b", 2) + calls.format("a"))
    before = code_hash("hashed")
    (package / "one.py").write_text(adds.format("a", 1) + adds.format("b", 2) + calls.format("b"))
    assert code_hash("hashed") != before
    (package / "one.py").write_text(adds.format("a", 2) + adds.format("b", 1) + calls.format("b"))
    assert code_hash("hashed") == before


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ("x = first()\nx = second()\n", "x = second()\nx = first()\n", False),
        ("x = first()\ny = second()\n", "y = second()\nx = first()\n", True),
        ("import a\na.start()\nb = 1\n", "import a\nb = 1\na.start()\n", True),
        ("def f(x):\n    return x\n", "def f(y):\n    return y\n", False),
        ("import torch.nn as nn\nA = nn.Linear\n", "from torch import nn\nA = nn.Linear\n", True),
        ("from torch import nn\nA = nn.Linear\n", "from torch import fx\nA = fx.Linear\n", False),
        ("class A:\n    x: int = 1\n", "class A:\n    x: float = 1\n", False),
        ("A: int = 1\n", "A = 1\n", True),
        ("def f(a):\n    def g():\n        return a\n", "def f(a):\n    pass\n", False),
        ("if TYPE_CHECKING:\n    a()\n", "", True),
        ("if not TYPE_CHECKING:\n    a()\n", "", False),
        (
            "A = [i for i in B]\nC = [i for i in D]\n",
            "C = [i for i in D]\nA = [i for i in B]\n",
            True,
        ),
        ('raise E("a", 1)\n', 'raise E("b", 1)\n', True),
        ('raise E("a", 1)\n', 'raise E("a", 2)\n', False),
        ('f("a")\n', 'f("b")\n', False),
        ('assert a, "b"\n', "assert a\n", True),
    ],
)
def test_what_counts_in_small(package: Path, old: str, new: str, same: bool) -> None:
    (package / "one.py").write_text(old)
    before = code_hash("hashed")
    (package / "one.py").write_text(new)
    assert (code_hash("hashed") == before) is same


def test_a_package_may_import_its_own_modules_by_their_names(package: Path) -> None:
    hashes = set()
    for number in (1, 2):
        (package / "one.py").write_text(f"X = {number}\n")
        (package / "__init__.py").write_text("from hashed import one\n\nY = one.X\nZ = one\n")
        hashes.add(code_hash("hashed"))
    assert len(hashes) == 2


def test_texts_beside_the_modules_and_new_modules_count(package: Path) -> None:
    hashes = {code_hash("hashed")}
    for name, text in (("words.yaml", "one: a\n"), ("words.yaml", "one: b\n"), ("new.py", "X = 1")):
        (package / name).write_text(text)
        hashes.add(code_hash("hashed"))
    assert len(hashes) == 4


def test_a_name_of_nothing_is_an_error() -> None:
    with pytest.raises(ModuleNotFoundError, match=r"resnet_sizes\.nothing"):
        code_hash("resnet_sizes.nothing")


def test_all_that_decides_a_result_is_hashed() -> None:
    assert TRAINING == (
        "resnet_sizes.training.engine",
        "resnet_sizes.training.features.extraction",
        "resnet_sizes.schemas.study.schedules",
        "resnet_sizes.schemas.run.subset",
    )
    assert training_code_hash() == code_hash(*TRAINING)
