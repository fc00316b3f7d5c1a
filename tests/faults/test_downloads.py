"""A server that misbehaves: the reason is told, no wrong archive stays, the next address serves."""

import hashlib
import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from data_studies import study_on
from local_server import Answer, LocalServer, serve
from resnet_sizes.data import download
from resnet_sizes.data.fetch import fetch
from resnet_sizes.records.errors import UserError
from resnet_sizes.records.study import Study

CONTENT = random.Random(0).randbytes(400_000)
HALF = 200_000
NAME = "archive.tar.gz"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalServer]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(download, "SLOWEST", 1.0)
    with serve() as running:
        yield running


def study_from(folder: Path, *addresses: str) -> Study:
    cifar10 = {
        "file": NAME,
        "md5": hashlib.md5(CONTENT).hexdigest(),
        "bytes": len(CONTENT),
        "mirrors": list(addresses[:-1]),
        "origin": addresses[-1],
    }
    return study_on(
        {"source": "cifar10"},
        {"folder": str(folder), "timeout": 0.8, "cifar10": cifar10, "allow_http": True},
    )


FAULTS = {
    "stalls": (Answer(CONTENT, sent=HALF, stall=30), "time-out: silent for 0.8 s after"),
    "never answers": (Answer(CONTENT, delay=30), "time-out: silent for 0.8 s after 0 of"),
    "drips": (Answer(CONTENT, sent=HALF, drip=0.1), "too slow: less than 65536 bytes in 1 s"),
    "resets": (Answer(CONTENT, sent=HALF, reset=True), "connection reset after"),
    "is cut short": (Answer(CONTENT, sent=HALF), "cut short after"),
    "sends less": (Answer(CONTENT[:HALF]), f"sent {HALF} bytes instead of {len(CONTENT)}"),
    "sends more": (Answer(CONTENT + b"more"), f"sent more than the {len(CONTENT)} bytes"),
    "sends other bytes": (Answer(CONTENT[:-1] + b"x"), "sent MD5"),
    "redirects for ever": (
        Answer(b"", status=302, headers={"Location": "/bad"}),
        "TooManyRedirects",
    ),
    "redirects to nothing": (
        Answer(b"", status=302, headers={"Location": "/nowhere"}),
        "HTTP 404 Not Found",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_reason_is_told_and_no_archive_is_left(
    server: LocalServer, tmp_path: Path, fault: str
) -> None:
    answer, reason = FAULTS[fault]
    address = server.add("/bad", answer)
    started = time.monotonic()
    with pytest.raises(UserError) as error:
        fetch(study_from(tmp_path, address))
    assert time.monotonic() - started < 15
    (line,) = (each for each in str(error.value).splitlines() if f"{address}: " in each)
    assert reason in line
    assert not (tmp_path / NAME).exists()


@pytest.mark.parametrize("fault", FAULTS)
def test_the_next_address_serves(server: LocalServer, tmp_path: Path, fault: str) -> None:
    bad = server.add("/bad", FAULTS[fault][0])
    good = server.add("/good", Answer(CONTENT, ranges=True))
    assert fetch(study_from(tmp_path, bad, good)).read_bytes() == CONTENT
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".part"] == []
