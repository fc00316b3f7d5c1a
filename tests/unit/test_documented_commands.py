"""Each command in README.md and docs/ is one that can be typed."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer

from resnet_sizes.cli.app import app

PROJECT = Path(__file__).parents[2]
PAGES = sorted([*PROJECT.glob("*.md"), *PROJECT.glob("docs/**/*.md"), *PROJECT.glob("*/README.md")])
MADE_BY_THE_READER = (
    "config/mine.yaml",
    "config/meu.yaml",
    "config/YOURS.yaml",
    "config/NAME.yaml",
    "config/tiny.yaml",  # docs/articles.md tells what to put there
)


def commands(page: Path) -> list[list[str]]:
    """The lines of a page's shell blocks as words, comments and continuation lines resolved."""
    text = page.read_text(encoding="utf-8")
    blocks = re.findall(r"^ *```sh\n(.*?)^ *```", text, re.DOTALL | re.MULTILINE)
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    return [words for line in lines for part in line.split("&&") if (words := split(part))]


def split(line: str) -> list[str]:
    words = shlex.split(line.replace("…", ""), comments=True)
    while words and re.fullmatch(r"[A-Z_]+=\S*", words[0]):
        words = words[1:]
    return words


def of_program(program: str) -> list[tuple[str, list[str]]]:
    """The arguments with which pages call a program, each with the page's name."""
    found = [(page.name, words) for page in PAGES for words in commands(page)]
    return [(name, words[1:]) for name, words in found if words[0] == program]


def unknown(arguments: list[str]) -> str | None:
    """What typer says of a command or option that does not exist; runs nothing."""
    command: Any = typer.main.get_command(app)
    try:
        while hasattr(command, "resolve_command"):
            if arguments in ([], ["--help"]):
                return None
            context = command.make_context("documented", list(arguments))
            _, command, arguments = command.resolve_command(context, arguments)
        command.make_context("documented", list(arguments))
    except Exception as error:  # a study that is not there is no fault of the page
        said = str(error)
        return said if "No such" in said else None
    return None


@pytest.mark.parametrize(("page", "arguments"), of_program("resnet-sizes"))
def test_a_command_of_ours_takes_what_is_documented(page: str, arguments: list[str]) -> None:
    assert unknown(arguments) is None


@pytest.mark.parametrize("wrong", ["verfy results/x", "verify x.zip --replays 5", "study shows"])
def test_a_command_that_does_not_exist_would_be_noticed(wrong: str) -> None:
    assert unknown(wrong.split())


@pytest.mark.parametrize(("page", "arguments"), of_program("make"))
def test_a_target_of_make_is_there(page: str, arguments: list[str]) -> None:
    makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
    targets = [word for word in arguments if "=" not in word and not word.startswith("-")]
    missing = [each for each in targets if not re.search(rf"^{each}:", makefile, re.MULTILINE)]
    assert missing == [], page


@pytest.mark.parametrize(("page", "arguments"), of_program("snakemake"))
def test_a_configuration_that_is_named_is_there(page: str, arguments: list[str]) -> None:
    named = [word for word in arguments if word.startswith("config/")]
    missing = [each for each in named if each not in MADE_BY_THE_READER]
    assert [each for each in missing if not (PROJECT / each).is_file()] == [], page
