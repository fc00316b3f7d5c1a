"""Fetching, against a server on this machine that misbehaves on demand."""

import gzip
import hashlib
import logging
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from filelock import FileLock
from pydantic import ValidationError

from data_studies import study_on
from local_server import Answer, LocalServer, refused_address, serve
from resnet_sizes.data.fetch import DownloadFailed, download, fetch_images, local_source
from resnet_sizes.io.errors import UserError
from resnet_sizes.schemas.study.study import Study

CONTENT = gzip.compress(b"images and labels" * 9000, mtime=0) + bytes(200_000)
MD5 = hashlib.md5(CONTENT).hexdigest()
NAME = "cifar-10-python.tar.gz"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalServer]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with serve() as running:
        yield running


@dataclass
class Downloads:
    """A folder to download to."""

    folder: Path

    @property
    def target(self) -> Path:
        return self.folder / NAME

    def study(self, *addresses: str, timeout: float = 5, **dataset: Any) -> Study:
        """A study that gets CIFAR-10 from these addresses, the last one being the origin."""
        return study_on(
            {"source": "cifar10", **dataset},
            {
                "folder": str(self.folder),
                "timeout": timeout,
                "allow_http": True,
                "cifar10": {
                    "file": NAME,
                    "md5": MD5,
                    "bytes": len(CONTENT),
                    "mirrors": list(addresses[:-1]),
                    "origin": addresses[-1] if addresses else refused_address(),
                },
            },
        )

    def leftovers(self) -> list[str]:
        """What lies there besides the archive and the lock."""
        files = {path.name for path in self.folder.iterdir()} if self.folder.exists() else set()
        return sorted(files - {NAME, f".{NAME}.lock"})


@pytest.fixture
def downloads(tmp_path: Path) -> Downloads:
    return Downloads(tmp_path / "downloads")


def test_a_good_archive_is_fetched_from_the_first_mirror(
    server: LocalServer, downloads: Downloads
) -> None:
    good, other = server.add("/good", Answer(CONTENT)), server.add("/other", Answer(CONTENT))
    assert fetch_images(downloads.study(good, other)) == downloads.target
    assert downloads.target.read_bytes() == CONTENT
    assert server.requests == [("/good", None)]
    assert downloads.leftovers() == []


def test_an_archive_that_is_there_is_not_fetched_again(
    server: LocalServer, downloads: Downloads
) -> None:
    study = downloads.study(server.add("/good", Answer(CONTENT)))
    assert fetch_images(study) == fetch_images(study) == local_source(study)
    assert len(server.requests) == 1


def test_a_dead_mirror_gives_way_to_the_next(
    server: LocalServer, downloads: Downloads, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    dead = refused_address()
    study = downloads.study(dead, server.add("/good", Answer(CONTENT)))
    started = time.monotonic()
    assert fetch_images(study) == downloads.target
    assert time.monotonic() - started < 1.5
    assert f"{dead}: ConnectionRefusedError: Connection refused" in caplog.messages


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Answer(CONTENT[:-1] + b"x"), r"sent \d+ bytes with MD5 [0-9a-f]{32} instead of " + MD5),
        (Answer(CONTENT[:-1000]), rf"sent {len(CONTENT) - 1000} bytes instead of {len(CONTENT)}"),
        (
            Answer(CONTENT, sent=150_000),
            r"IncompleteRead: IncompleteRead\(\d+ bytes read, \d+ more expected",
        ),
        (Answer(CONTENT + b"more"), rf"sent more than the {len(CONTENT)} bytes"),
        (Answer(b"<html>Log in to the network", headers={"Content-Type": "text/html"}), "27 bytes"),
        (Answer(b"gone", status=404), "HTTP 404 Not Found"),
        (Answer(CONTENT, delay=30), "TimeoutError: timed out"),
        (Answer(CONTENT, sent=150_000, stall=30), "TimeoutError: timed out"),
    ],
    ids=[
        "wrong hash",
        "shorter file",
        "cut short",
        "longer file",
        "login page",
        "404",
        "hanging",
        "stalled",
    ],
)
def test_a_bad_answer_is_refused_with_its_reason(
    server: LocalServer, downloads: Downloads, answer: Answer, reason: str
) -> None:
    address = server.add("/bad", answer)
    started = time.monotonic()
    with pytest.raises(UserError, match=rf"{address}: .*{reason}"):
        fetch_images(downloads.study(address, timeout=0.5))
    assert time.monotonic() - started < 3
    assert not downloads.target.exists()


def test_a_bad_mirror_does_not_spoil_the_next(server: LocalServer, downloads: Downloads) -> None:
    wrong_hash = server.add("/wrong", Answer(b"x" * len(CONTENT)))
    cut_short = server.add("/cut", Answer(b"x" * len(CONTENT), sent=150_000))
    good = server.add("/good", Answer(CONTENT, ranges=True))
    assert fetch_images(downloads.study(wrong_hash, cut_short, good)) == downloads.target
    assert downloads.target.read_bytes() == CONTENT
    # The bytes that were cut short were wrong too, so continuing failed and it started over.
    assert [asked for path, asked in server.requests if path == "/good"][1:] == [None]
    assert downloads.leftovers() == []


@pytest.mark.parametrize("ranges", [True, False], ids=["server continues", "server starts over"])
def test_an_interrupted_download_is_continued(
    server: LocalServer, downloads: Downloads, ranges: bool
) -> None:
    cut = server.add("/cut", Answer(CONTENT, sent=150_000))
    good = server.add("/good", Answer(CONTENT, ranges=ranges))
    assert fetch_images(downloads.study(cut, good)) == downloads.target
    assert downloads.target.read_bytes() == CONTENT
    (_, asked) = server.requests[-1]
    assert asked is not None
    assert 0 < int(asked.removeprefix("bytes=").rstrip("-")) <= 150_000
    assert len(server.requests) == 2


def test_an_archive_labelled_as_gzip_encoded_is_not_unpacked(
    server: LocalServer, downloads: Downloads
) -> None:
    address = server.add("/good", Answer(CONTENT, headers={"Content-Encoding": "gzip"}))
    assert fetch_images(downloads.study(address)) == downloads.target
    assert downloads.target.read_bytes() == CONTENT


def test_a_moved_archive_is_followed(server: LocalServer, downloads: Downloads) -> None:
    server.add("/new", Answer(CONTENT))
    moved = server.add("/old", Answer(b"moved", status=302, headers={"Location": "/new"}))
    assert fetch_images(downloads.study(moved)) == downloads.target


def test_when_every_address_fails_the_message_says_why_and_what_to_do(
    server: LocalServer, downloads: Downloads
) -> None:
    dead = refused_address()
    gone = server.add("/gone", Answer(b"", status=410))
    started = time.monotonic()
    with pytest.raises(UserError) as error:
        fetch_images(downloads.study(dead, gone))
    assert time.monotonic() - started < 1.5
    lines = str(error.value).splitlines()
    assert f"  {dead}: ConnectionRefusedError: Connection refused" in lines
    assert f"  {gone}: HTTP 410 Gone" in lines
    by_hand = next(line for line in lines if "by hand" in line)
    for part in (NAME, str(len(CONTENT)), MD5, str(downloads.target.absolute())):
        assert part in by_hand
    assert "dataset.path" in str(error.value)
    assert lines[-1].strip() == (
        "snakemake --cores all --resources gpu=1 --configfile config/demo.yaml"
    )
    assert downloads.leftovers() == []


def test_an_address_that_is_none_is_a_reason_not_a_crash(downloads: Downloads) -> None:
    with pytest.raises(UserError, match=r"ftp://example\.org/x: is no address to ask; allowed: "):
        fetch_images(downloads.study("ftp://example.org/x", refused_address()))


def test_an_unknown_host_is_named_as_such(
    downloads: Downloads, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(
        UserError, match=r"http://mirror\.example/x: gaierror: Name or service not known"
    ):
        fetch_images(downloads.study("http://mirror.example/x"))


def test_a_server_that_continues_elsewhere_is_left(
    server: LocalServer, downloads: Downloads
) -> None:
    cut = server.add("/cut", Answer(CONTENT, sent=150_000))
    elsewhere = {"Content-Range": f"bytes 7-{len(CONTENT) - 1}/{len(CONTENT)}"}
    wrong = server.add("/wrong", Answer(CONTENT[7:], status=206, headers=elsewhere))
    with pytest.raises(UserError, match=f"{wrong}: continued at a different position"):
        fetch_images(downloads.study(cut, wrong))
    good = server.add("/good", Answer(CONTENT, ranges=True))
    assert fetch_images(downloads.study(good)) == downloads.target


def test_a_damaged_archive_is_replaced(server: LocalServer, downloads: Downloads) -> None:
    downloads.folder.mkdir()
    downloads.target.write_bytes(CONTENT[:-5])
    study = downloads.study(server.add("/good", Answer(CONTENT)))
    with pytest.raises(UserError, match=f"is damaged: {len(CONTENT) - 5} bytes instead of"):
        local_source(study)
    assert fetch_images(study) == downloads.target
    assert downloads.target.read_bytes() == CONTENT


def test_a_damaged_archive_stays_until_there_is_a_better_one(downloads: Downloads) -> None:
    downloads.folder.mkdir()
    damaged = CONTENT[:-5] + b"wrong"
    downloads.target.write_bytes(damaged)
    with pytest.raises(
        UserError, match=f"{NAME}: is there, but is not the published file: \\d+ bytes with MD5"
    ):
        fetch_images(downloads.study())
    assert downloads.target.read_bytes() == damaged


def test_the_offline_check_names_the_command_that_fetches(downloads: Downloads) -> None:
    with pytest.raises(UserError, match=r"no such file\. Run: resnet-sizes fetch results/tested/"):
        local_source(downloads.study())


def test_two_fetches_at_once_download_once(server: LocalServer, downloads: Downloads) -> None:
    study = downloads.study(server.add("/good", Answer(CONTENT, delay=0.3)))
    found: list[Path | None] = []
    threads = [threading.Thread(target=lambda: found.append(fetch_images(study))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [downloads.target] * 3
    assert len(server.requests) == 1


def test_a_waiting_fetch_says_so(
    server: LocalServer, downloads: Downloads, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    downloads.folder.mkdir()
    study = downloads.study(server.add("/good", Answer(CONTENT)))
    with FileLock(downloads.folder / f".{NAME}.lock"):
        waiting = threading.Thread(target=fetch_images, args=(study,))
        waiting.start()
        deadline = time.monotonic() + 5
        while not any("waiting" in line for line in caplog.messages):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert server.requests == []
    waiting.join()
    assert downloads.target.read_bytes() == CONTENT


def test_a_folder_that_cannot_be_made_is_a_user_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    downloads = Downloads(tmp_path / "file" / "downloads")
    with pytest.raises(UserError, match=r"cannot be written .*Move what lies there"):
        fetch_images(downloads.study())


def test_an_own_copy_is_used_without_network(tmp_path: Path, downloads: Downloads) -> None:
    copy = tmp_path / "copy.tar.gz"
    copy.write_bytes(CONTENT)
    assert fetch_images(downloads.study(path=str(copy))) == copy
    assert not downloads.folder.exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "does not exist"),
        (CONTENT[1:], "is not the official CIFAR-10 archive, nor its batches: .* bytes instead of"),
        (
            CONTENT[:-1] + b"x",
            "is not the official CIFAR-10 archive, nor its .* MD5 .* instead of",
        ),
    ],
)
def test_an_own_copy_that_is_not_the_archive_is_refused(
    tmp_path: Path, downloads: Downloads, content: bytes | None, message: str
) -> None:
    copy = tmp_path / "copy.tar.gz"
    if content is not None:
        copy.write_bytes(content)
    with pytest.raises(UserError, match=rf"^dataset\.path: {copy} {message}"):
        fetch_images(downloads.study(path=str(copy)))


def test_digits_need_no_file_and_a_folder_must_be_there(tmp_path: Path) -> None:
    assert fetch_images(study_on({"source": "digits"})) is None
    folder = study_on({"source": "image-folder", "path": str(tmp_path)})
    assert fetch_images(folder) == tmp_path
    missing = study_on({"source": "image-folder", "path": str(tmp_path / "nowhere")})
    with pytest.raises(UserError, match=r"^dataset\.path: .*nowhere does not exist"):
        fetch_images(missing)


def test_an_address_without_https_is_refused_before_anything_is_asked(tmp_path: Path) -> None:
    for downloads in (
        {"cifar10": {"origin": "http://host/x"}},
        {"cifar10": {"mirrors": ["ftp://user:word@host/x"]}},
        {"weights": {"mirrors": ["http://host/x"]}},
    ):
        with pytest.raises(ValidationError, match=r"does not begin with https://") as error:
            study_on({"source": "cifar10"}, downloads)
        assert "user:word@" not in str(error.value).split("[type=")[0]


def test_an_address_without_https_is_not_asked_after_a_redirect_either(
    server: LocalServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = server.add("/target", Answer(CONTENT))
    moved = server.add("/moved", Answer(status=302, headers={"Location": target}))
    told = "is no address to ask; allowed: https://, and http:// with downloads.allow_http"
    with pytest.raises(DownloadFailed, match=told):
        download(moved, tmp_path / "partial", len(CONTENT), 5)
    assert server.requests == []
    # As if the first address were encrypted.
    plain = requests.Session().adapters["http://"]
    monkeypatch.setattr(requests.Session, "get_adapter", lambda self, url: (
        plain if url == moved else self.adapters[url.partition("//")[0] + "//"]
    ))  # fmt: skip
    with pytest.raises(DownloadFailed):
        download(moved, tmp_path / "partial", len(CONTENT), 5)
    assert [path for path, _ in server.requests] == ["/moved"]


def test_names_passwords_and_tokens_of_addresses_are_not_told(
    server: LocalServer, downloads: Downloads, caplog: pytest.LogCaptureFixture
) -> None:
    host = server.address.removeprefix("http://")
    dead = refused_address().removeprefix("http://")
    addresses = [
        f"http://someone:opensesame@{host}/archive?token=opensesame",
        f"http://someone:opensesame@{dead}?token=opensesame",
        f"http://{host}:opensesame/?token=opensesame",  # no port: the library quotes the address
        "https://someone:opensesame@127.0.0.1:1/archive?token=opensesame",
    ]
    with caplog.at_level(logging.DEBUG, "resnet_sizes"), pytest.raises(UserError) as error:
        fetch_images(downloads.study(*addresses))
    told = caplog.text + str(error.value)
    assert f"http://…@{host}/archive?…" in told
    assert "opensesame" not in told.replace(f"{host}:opensesame", "")


def test_what_a_server_says_cannot_steer_the_terminal(
    server: LocalServer, downloads: Downloads
) -> None:
    with pytest.raises(UserError) as error:
        fetch_images(downloads.study(f"{server.address}/\x1b[2J"))
    assert "\x1b" not in str(error.value).replace("/\x1b[2J", "")
