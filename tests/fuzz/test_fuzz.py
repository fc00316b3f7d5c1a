"""A few hundred inputs of each kind; many more by hand: `python tests/fuzz/run.py`."""

import signal
import time
from pathlib import Path
from random import Random

import pytest
from fuzz_harness import SECONDS, Kind, Tally, fuzz
from fuzz_kinds import KINDS

from resnet_sizes.io.errors import UserError

COUNT = 300


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_each_input_is_accepted_or_refused_in_time(kind: type[Kind], tmp_path: Path) -> None:
    tally = fuzz(kind(tmp_path), tmp_path, COUNT, seed=0)  # type: ignore[call-arg]
    assert not tally.findings, {what: f.content[:200] for what, f in tally.findings.items()}
    assert tally.accepted > 0
    assert tally.refused > 0
    assert tally.inputs == COUNT


class Broken:
    """A reader that does what the inputs say."""

    name = "broken"
    suffix = ""
    refusals = ()

    def __init__(self, what: str) -> None:
        self._what = what

    def make(self, random: Random) -> bytes:
        return self._what.encode()

    def read(self, path: Path) -> None:
        match path.read_text():
            case "crash":
                raise KeyError("deep inside")
            case "hang":
                time.sleep(60)
            case "memory":
                bytearray(b"x") * (700 * 1024**2)
            case "steers":
                raise UserError("a name: \x1b[2J")
            case "secret":
                raise UserError("https://user:secret@host is not there")
            case "refused":
                raise UserError("too large. Make it smaller.")


@pytest.mark.parametrize(
    ("what", "told"),
    [
        ("crash", "KeyError: test_fuzz.py:read > test_fuzz.py:read"),
        ("memory", "took more than 512 MiB of memory"),
        ("steers", "refused with control characters in the message"),
        ("secret", "a secret stands in the message"),
    ],
)
def test_a_broken_reader_is_found(tmp_path: Path, what: str, told: str) -> None:
    assert list(fuzz(Broken(what), tmp_path, 2, seed=0).findings) == [told]


def test_a_reader_that_hangs_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fuzz_harness.SECONDS", 0.1)
    assert SECONDS == 5
    before = signal.getsignal(signal.SIGALRM)
    assert list(fuzz(Broken("hang"), tmp_path, 1, seed=0).findings) == ["did not end"]
    assert signal.getsignal(signal.SIGALRM) is before


def test_acceptance_and_refusal_are_counted(tmp_path: Path) -> None:
    tally: Tally = fuzz(Broken("refused"), tmp_path, 3, seed=0)
    assert (tally.accepted, tally.refused, tally.findings) == (0, 3, {})
    assert fuzz(Broken("fine"), tmp_path, 3, seed=0).accepted == 3


def test_the_same_seed_gives_the_same_inputs(tmp_path: Path) -> None:
    for kind in KINDS:
        made = [
            [instance.make(random) for _ in range(20)]
            for instance, random in ((kind(_new(tmp_path)), Random(5)) for _ in range(2))
        ]
        if kind.name not in ("JSON", "files of weights"):  # these hold paths and times of making
            assert made[0] == made[1], kind.name
        assert len(set(made[0])) > 5


def _new(folder: Path) -> Path:
    path = folder / str(len(list(folder.iterdir())))
    path.mkdir()
    return path
