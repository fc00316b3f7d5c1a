"""A server that misbehaves: the reason is told, no wrong archive stays, the next address serves."""

import hashlib
import random
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from data_studies import study_on
from local_server import Answer, LocalServer, serve
from resnet_sizes.data.fetch import download, fetch_images
from resnet_sizes.io.errors import UserError
from resnet_sizes.schemas.study.study import Study

CONTENT = random.Random(0).randbytes(400_000)
HALF = 200_000
NAME = "archive.tar.gz"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalServer]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
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


def redirect(place: str) -> Answer:
    return Answer(status=302, headers={"Location": place})


def headed(head: bytes, body: bytes = CONTENT) -> Answer:
    return Answer(body, head=b"HTTP/1.1 " + head + b"\r\n\r\n")


FAULTS = {
    "stalls": (Answer(CONTENT, sent=HALF, stall=30), "TimeoutError: timed out"),
    "never answers": (Answer(CONTENT, delay=30), "TimeoutError: timed out"),
    "resets": (Answer(CONTENT, sent=HALF, reset=True), "ConnectionResetError: Connection reset"),
    "is cut short": (Answer(CONTENT, sent=HALF), "IncompleteRead: "),
    "sends less": (Answer(CONTENT[:HALF]), f"sent {HALF} bytes instead of {len(CONTENT)}"),
    "sends more": (Answer(CONTENT + b"more"), f"sent more than the {len(CONTENT)} bytes"),
    "sends other bytes": (Answer(CONTENT[:-1] + b"x"), "bytes with MD5 "),
    "redirects for ever": (
        Answer(b"", status=302, headers={"Location": "/bad"}),
        "TooManyRedirects",
    ),
    "redirects to nothing": (
        Answer(b"", status=302, headers={"Location": "/nowhere"}),
        "HTTP 404 Not Found",
    ),
    "redirects to no address": (redirect("http://[bad"), "ValueError: "),
    "redirects to bytes that are no text": (redirect("/\xff"), "UnicodeDecodeError: "),
    "redirects to a port that is none": (
        redirect("http://127.0.0.1:99999999/x"),
        "Port out of range",
    ),
    "redirects to a host that is none": (redirect("http://a..b/x"), "UnicodeError: "),
    "redirects to a host with a long name": (
        redirect(f"http://{'a' * 64}.org/x"),
        "UnicodeError: ",
    ),
    "redirects to another protocol": (redirect("file:///etc/passwd"), "is no address to ask"),
    "redirects to very much": (redirect(f"http://[{'//' * 30_000}"), "ValueError: "),
    "tells two lengths": (
        headed(b"200 OK\r\nContent-Length: 5\r\nContent-Length: 6"),
        "InvalidHeader",
    ),
    "continues at a huge place": (
        headed(b"206 Partial\r\nContent-Range: bytes " + b"9" * 5000 + b"-"),
        "continued at a different position than requested",
    ),
    "tells a chunk's length that is none": (
        headed(b"200 OK\r\nTransfer-Encoding: chunked", b"xyz\r\n"),
        "ValueError: invalid literal",
    ),
    "tells an encoding that is none": (
        headed(b"404 \xff\x1b[2J\r\nContent-Type: text/html; charset=\xff"),
        "HTTP 404 ",
    ),
    "tells a huge line": (headed(b"200 OK\r\nX: " + b"x" * 70_000), "LineTooLong: "),
    "tells many headers": (headed(b"200 OK" + b"\r\nX: x" * 200), "got more than 100 headers"),
    "tells no status": (headed(b"abc"), "ValueError: invalid literal"),
    "speaks another protocol": (Answer(head=b"SSH-2.0-OpenSSH\r\n"), "BadStatusLine: SSH"),
    "says nothing": (Answer(head=b"\r\n"), "BadStatusLine: "),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_reason_is_told_and_no_archive_is_left(
    server: LocalServer, tmp_path: Path, fault: str
) -> None:
    answer, reason = FAULTS[fault]
    address = server.add("/bad", answer)
    started = time.monotonic()
    with pytest.raises(UserError) as error:
        fetch_images(study_from(tmp_path, address))
    assert time.monotonic() - started < 15
    (line,) = (each for each in str(error.value).splitlines() if f"{address}: " in each)
    assert reason in line
    assert line.isprintable()
    assert len(line) < 500
    assert not (tmp_path / NAME).exists()


@pytest.mark.parametrize("fault", FAULTS)
def test_the_next_address_serves(server: LocalServer, tmp_path: Path, fault: str) -> None:
    bad = server.add("/bad", FAULTS[fault][0])
    good = server.add("/good", Answer(CONTENT, ranges=True))
    assert fetch_images(study_from(tmp_path, bad, good)).read_bytes() == CONTENT
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".part"] == []


@pytest.mark.parametrize("fault", ["stalls", "resets", "tells no status"])
def test_bytes_that_are_here_are_not_fetched_again(
    server: LocalServer, tmp_path: Path, fault: str
) -> None:
    cut = server.add("/cut", Answer(CONTENT, sent=HALF // 2))
    bad = server.add("/bad", replace(FAULTS[fault][0], ranges=True))
    good = server.add("/good", Answer(CONTENT, ranges=True))
    assert fetch_images(study_from(tmp_path, cut, bad, good)).read_bytes() == CONTENT
    (asked,) = (asked for path, asked in server.requests if path == "/good")
    assert asked is not None
    assert int(asked.removeprefix("bytes=").rstrip("-")) > 0


def test_addresses_that_are_none_are_told_without_secrets_and_the_next_serves(
    server: LocalServer, tmp_path: Path
) -> None:
    bad = [
        "https://someone:opensesame@a..b/x?token=opensesame",
        f"https://someone:opensesame@{'a' * 64}.org/x?token=opensesame",
        "https://someone:opensesame@host:99999999/x?token=opensesame",
        "https://someone:opensesame@[bad/x?token=opensesame",
    ]
    with pytest.raises(UserError) as error:
        fetch_images(study_from(tmp_path, *bad))
    told = [line for line in str(error.value).splitlines() if line.startswith("  https://…@")]
    assert len(told) == len(bad)
    assert "opensesame" not in str(error.value)
    good = server.add("/good", Answer(CONTENT))
    assert fetch_images(study_from(tmp_path, *bad, good)).read_bytes() == CONTENT


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="has no disk that is always full")
def test_a_full_disk_is_no_fault_of_the_address(server: LocalServer) -> None:
    address = server.add("/good", headed(b"206 Partial\r\nContent-Range: bytes 0-"))
    with pytest.raises(OSError, match="No space left"):
        download(address, Path("/dev/full"), 5000000, 5, allow_http=True)
