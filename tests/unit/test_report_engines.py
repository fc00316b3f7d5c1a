"""What renders the report: Quarto where it is, the embedded engine where it is not."""

import errno
import logging
import os
import re
from pathlib import Path

import pypandoc
import pytest
from rendering import put_program, put_quarto, render
from report_studies import DEMO, TEMPLATES, study_with_evidence
from typer.testing import CliRunner

from resnet_sizes.cli.app import app
from resnet_sizes.io.errors import UserError, WriteError
from resnet_sizes.reporting.render import quarto
from resnet_sizes.reporting.render.engines import choose_engine
from resnet_sizes.reporting.render.pandoc import raise_refusal
from resnet_sizes.schemas.paths import StudyFolder


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
    found = f"Quarto 1.9 or newer would, but {tmp_path / 'old' / 'quarto'} is version 1.8.26"
    assert found in caplog.text
    with pytest.raises(UserError, match=r"1\.9 or newer, but .*/quarto is version 1\.8\.26"):
        choose_engine("quarto")


def test_quarto_that_is_not_there_is_an_error_with_a_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_quarto(tmp_path / "none", monkeypatch)
    with pytest.raises(UserError, match=r"not on the PATH.*--engine pandoc"):
        choose_engine("quarto")


OTHER_MACHINE = b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x02\x00\xb7\x00" + bytes(44)
"""The head of a program for another processor (aarch64), and nothing behind it."""


@pytest.mark.parametrize(
    ("program", "why"),
    [
        pytest.param(OTHER_MACHINE, "Exec format error", id="another processor"),
        pytest.param("", "Exec format error", id="empty"),
        pytest.param("#!/nowhere/deno\n", "No such file or directory", id="no interpreter"),
        pytest.param(
            "#!/bin/sh\necho 1.10.18\nexit 1\n", "ended with exit status 1", id="exit status"
        ),
        pytest.param(
            "#!/bin/sh\necho '\x1b[31mno\xff version\x1b[0m'\n", "and no version", id="no version"
        ),
        pytest.param("#!/bin/sh\nsleep 60\n", "was not done after 1 s", id="hangs"),
    ],
)
def test_a_quarto_that_does_not_run_is_as_good_as_none(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    program: str | bytes,
    why: str,
) -> None:
    monkeypatch.setattr(logging.getLogger("resnet_sizes"), "propagate", True)
    monkeypatch.setattr(quarto, "VERSION_TIME_LIMIT", 1)
    text = program if isinstance(program, bytes) else program.encode("latin-1")
    path = put_program(tmp_path / "bin", monkeypatch, text)
    with caplog.at_level(logging.INFO, logger="resnet_sizes"):
        assert choose_engine("auto").kind == "pandoc"
    with pytest.raises(UserError) as caught:
        choose_engine("quarto")
    for said in (caplog.text, str(caught.value)):
        assert f"{path} does not run (" in said
        assert why in said
        assert "\x1b" not in said


SAID = """
\x1b[1mpandoc \x1b[22m
  to: html
{filler}
error: PDF/UA-1 error: no title
  ┌─ article.typ:12:3
\x1b[91mERROR: Typst compilation failed

Stack trace:
    at renderFiles (file:///opt/quarto/bin/quarto.js:101251:9)
    at async render (file:///opt/quarto/bin/quarto.js:106920:19)\x1b[39m
""".format(filler="\n".join(f"  option-{number}: {'x' * 90}" for number in range(40)))


def put_failing_quarto(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = put_program(folder, monkeypatch, "#!/bin/sh\n")
    (folder / "said").write_text(SAID, encoding="utf-8")
    program.write_text(
        f'#!/bin/sh\n[ "$1" = --version ] && exec echo 1.9.0\ncat "{folder}/said"\nexit 1\n',
        encoding="utf-8",
    )


def test_a_failure_of_quarto_is_told_from_its_first_error_on_without_colours_and_stack(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = study_with_evidence(tmp_path, **DEMO)
    put_failing_quarto(tmp_path / "bin", monkeypatch)
    with pytest.raises(UserError) as caught:
        render(study, tmp_path / "pt", engine="quarto")
    assert str(caught.value) == (
        "quarto render --to html failed (exit status 1):\n"
        "error: PDF/UA-1 error: no title\n"
        "  ┌─ article.typ:12:3\n"
        "ERROR: Typst compilation failed\n"
        "Stack trace:\n"
        "The embedded engine needs no Quarto: set report.engine to pandoc in the configuration, "
        "or call resnet-sizes report with --engine pandoc."
    )
    assert not list((tmp_path / "pt").iterdir())


NUMBER_OF_ITS_OWN = """
if made.suffix == ".html":
    made.write_text(made.read_text().replace("</main>", "<p>4711</p></main>"))
"""


@pytest.mark.parametrize(
    ("format", "fault", "told"),
    [
        pytest.param("html", "made.suffix == '.html' and made.write_text('page')",
                     "report.html has no <main>", id="no page"),
        pytest.param("pdf", "made.suffix == '.pdf' and made.write_text('paper')",
                     "report.pdf is no PDF that can be read", id="no PDF"),
        pytest.param("html", NUMBER_OF_ITS_OWN, "4711 in: 4711", id="a number of its own"),
    ],
)  # fmt: skip
def test_what_quarto_makes_is_checked_as_what_the_embedded_engine_makes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, format: str, fault: str, told: str
) -> None:
    study = study_with_evidence(tmp_path, **DEMO)
    put_quarto(tmp_path / "bin", monkeypatch, "1.10.18", afterwards=fault)
    with pytest.raises(UserError, match=re.escape(told)):
        render(study, tmp_path / "pt", engine="quarto", formats=[format])
    assert not list((tmp_path / "pt").iterdir())


@pytest.mark.parametrize(
    ("fault", "told", "formats"),
    [
        pytest.param(
            None, "quarto render --to html failed (exit status 1)", ["html", "pdf"], id="it fails"
        ),
        pytest.param(
            NUMBER_OF_ITS_OWN, "these numbers have no source", ["html"], id="it is refused"
        ),
    ],
)
def test_auto_goes_on_with_the_embedded_engine_where_quarto_fails(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    fault: str | None,
    told: str,
    formats: list[str],
) -> None:
    study = study_with_evidence(tmp_path, **DEMO, languages=("en",))
    if fault is None:
        put_failing_quarto(tmp_path / "bin", monkeypatch)
    else:
        put_quarto(tmp_path / "bin", monkeypatch, "1.10.18", afterwards=fault)
    (tmp_path / "report").symlink_to(TEMPLATES)
    monkeypatch.chdir(tmp_path)
    options = [f"--format={format}" for format in formats]
    answer = CliRunner().invoke(app, ["report", str(study), *options], catch_exceptions=False)
    assert answer.exit_code == 0
    [line] = [line for line in answer.stderr.splitlines() if "because Quarto did not" in line]
    assert told in line
    assert "\x1b" not in answer.stderr
    folder = StudyFolder.of_file(study).report("en")
    assert "--engine pandoc" in (folder / "article.qmd").read_text(encoding="utf-8")
    assert "4711" not in (folder / "report.html").read_text(encoding="utf-8")
    if "pdf" in formats:
        assert (folder / "report.pdf").read_bytes().startswith(b"%PDF-")


def test_a_quarto_of_a_folder_named_from_the_working_directory_is_called_elsewhere_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_program(tmp_path / "bin", monkeypatch, "#!/bin/sh\necho 1.9.0 > article.html\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"bin{os.pathsep}/usr/bin{os.pathsep}/bin")
    (tmp_path / "report").mkdir()
    assert quarto.render(tmp_path / "report", "html", "2025-01-01T20:00:00Z").is_file()


def test_what_a_user_sets_for_typst_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_program(tmp_path / "bin", monkeypatch, "#!/bin/sh\nenv > article.pdf\n")
    monkeypatch.setenv("TYPST_FONT_PATHS", "/home/me/fonts")
    made = quarto.render(tmp_path, "pdf", "2025-01-01T20:00:00Z")
    names = [line for line in made.read_text(encoding="utf-8").splitlines() if "TYPST" in line]
    assert names == ["TYPST_IGNORE_SYSTEM_FONTS=true"]


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


def test_a_quarto_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study = study_with_evidence(tmp_path, **DEMO)
    put_quarto(tmp_path / "bin", monkeypatch, "1.9.0")
    hanging = '#!/bin/sh\n[ "$1" = --version ] && exec echo 1.9.0\nexec sleep 60\n'
    (tmp_path / "bin" / "quarto").write_text(hanging, encoding="utf-8")
    monkeypatch.setattr(quarto, "TIME_LIMIT", 1)
    with pytest.raises(UserError, match=r"was not done after 1 s.*--engine pandoc"):
        render(study, tmp_path / "pt", engine="quarto")
    assert not list((tmp_path / "pt").iterdir())
