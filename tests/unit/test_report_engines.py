"""What renders the report: Quarto where it is, the embedded engine where it is not."""

import errno
import logging
import os
import time
from pathlib import Path

import pypandoc
import pytest
from rendering import put_quarto, render
from report_studies import DEMO, study_with_evidence

from resnet_sizes.io.errors import UserError, WriteError
from resnet_sizes.reporting.render import quarto
from resnet_sizes.reporting.render.engines import choose_engine
from resnet_sizes.reporting.render.pandoc import raise_refusal


def without_quarto(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))


def test_auto_takes_quarto_where_it_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = study_with_evidence(tmp_path, **DEMO)
    calls = put_quarto(tmp_path / "bin", monkeypatch, "1.10.18")
    made = render(study, tmp_path / "pt", engine="auto")
    assert [path.name for path in made] == ["article.qmd", "report.html", "report.pdf"]
    assert made[1].read_text() == "page\n"
    assert made[2].read_text() == "paper\n"
    # In sequence, and dated by the data: 1 January 2025, 20:00 UTC.
    assert calls.read_text().splitlines() == [
        "render article.qmd --to html 1735761600",
        "render article.qmd --to typst 1735761600",
    ]
    assert "Quarto [`1.10.18`]" in made[0].read_text(encoding="utf-8")


def test_auto_takes_the_embedded_engine_where_quarto_is_missing_or_old_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(logging.getLogger("resnet_sizes"), "propagate", True)
    with monkeypatch.context() as patch:
        without_quarto(tmp_path / "none", patch)
        assert choose_engine("auto").kind == "pandoc"
    put_quarto(tmp_path / "old", monkeypatch, "1.8.26")
    with caplog.at_level(logging.INFO, logger="resnet_sizes"):
        assert choose_engine("auto").kind == "pandoc"
    assert "Quarto 1.9 or newer would, but this one is 1.8.26" in caplog.text
    with pytest.raises(UserError, match=r"1\.9 or newer, but this one is 1\.8\.26"):
        choose_engine("quarto")


def test_quarto_that_is_not_there_is_an_error_with_a_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_quarto(tmp_path / "none", monkeypatch)
    with pytest.raises(UserError, match=r"not on the PATH.*--engine pandoc"):
        choose_engine("quarto")


def test_a_failure_of_quarto_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study = study_with_evidence(tmp_path, **DEMO)
    put_quarto(tmp_path / "bin", monkeypatch, "1.9.0", status=1)
    with pytest.raises(UserError, match=r"(?s)exit status 1.*--engine pandoc"):
        render(study, tmp_path / "pt", engine="quarto")
    assert not list((tmp_path / "pt").iterdir())


FULL = "article.html: hPutBuf: resource exhausted (No space left on device)"


@pytest.mark.parametrize("engine", ["quarto", "pandoc"])
def test_a_disk_that_an_engine_finds_full_is_told_as_any_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: str
) -> None:
    study = study_with_evidence(tmp_path, **DEMO)
    put_quarto(tmp_path / "bin", monkeypatch, "1.9.0")
    program = tmp_path / "bin" / "quarto"
    answer = f'#!/bin/sh\n[ "$1" = --version ] && exec echo 1.9.0\necho "{FULL}" >&2\nexit 1\n'
    program.write_text(answer, encoding="utf-8")
    monkeypatch.setattr(pypandoc, "get_pandoc_path", lambda: str(program))
    with pytest.raises(WriteError) as caught:
        render(study, tmp_path / "pt", engine=engine)
    assert str(caught.value) == (
        f"{tmp_path / 'pt'}: cannot be written (No space left on device). Free some space or fix "
        "the permissions, then run the same command again."
    )
    assert not list((tmp_path / "pt").iterdir())


@pytest.mark.parametrize(
    ("said", "number"),
    [
        (FULL, errno.ENOSPC),
        ("ERROR: No space left on device (os error 28), writefile 'x'", errno.ENOSPC),
        ("x: hClose: permission denied (Disk quota exceeded)", errno.EDQUOT),
        ("x: withFile: permission denied (Read-only file system)", errno.EROFS),
    ],
)
def test_what_engines_say_of_disks_is_understood(said: str, number: int) -> None:
    with pytest.raises(OSError, match=os.strerror(number)) as caught:
        raise_refusal(said)
    assert caught.value.errno == number


@pytest.mark.parametrize(
    "said", ["", "fork: resource exhausted (Cannot allocate memory)", "unknown variable: x"]
)
def test_other_failures_of_engines_stay_what_they_are(said: str) -> None:
    assert raise_refusal(said) is None, "nothing is raised"


def has_ended(process: int) -> bool:
    """Whether a process that was killed is gone within ten seconds.

    The kernel ends it some time after the signal is sent, and later on a busy machine.
    """
    command = Path("/proc") / str(process) / "cmdline"
    until = time.monotonic() + 10
    while time.monotonic() < until:
        try:
            if b"sleep" not in command.read_bytes():
                return True
        except (FileNotFoundError, ProcessLookupError):
            return True
        time.sleep(0.05)
    return False


def test_a_quarto_that_hangs_is_ended_with_what_it_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = study_with_evidence(tmp_path, **DEMO)
    put_quarto(tmp_path / "bin", monkeypatch, "1.9.0")
    started = tmp_path / "started"
    hanging = '#!/bin/sh\n[ "$1" = --version ] && exec echo 1.9.0\n'
    hanging += f'sleep 60 & echo $! > "{started}"; wait\n'
    (tmp_path / "bin" / "quarto").write_text(hanging, encoding="utf-8")
    monkeypatch.setattr(quarto, "TIME_LIMIT", 1)
    with pytest.raises(UserError, match=r"not done after 1 s.*--engine pandoc"):
        render(study, tmp_path / "pt", engine="quarto")
    assert has_ended(int(started.read_text()))
    assert not list((tmp_path / "pt").iterdir())
