"""The two recipes of a container: what apptainer.def does is what the Containerfile does."""

import re
from pathlib import Path

PROJECT = Path(__file__).parents[2]


def containerfile() -> str:
    """Its instructions, each on one line."""
    text = (PROJECT / "Containerfile").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return re.sub(r" *\\\n *", " ", "\n".join(lines))


def definition(section: str) -> list[str]:
    """The lines of a section of apptainer.def."""
    text = (PROJECT / "apptainer.def").read_text(encoding="utf-8")
    found = re.search(rf"^%{section}\n((?: .*\n)+)", text, re.MULTILINE)
    assert found, section
    return [line.strip() for line in found[1].splitlines()]


def test_both_begin_with_the_same_image() -> None:
    image = re.search(r"^FROM (\S+) AS project", containerfile(), re.MULTILINE)
    text = (PROJECT / "apptainer.def").read_text(encoding="utf-8")
    assert image
    assert f"Bootstrap: docker\nFrom: {image[1]}\n" in text


def test_both_install_the_same_packages_and_the_lock() -> None:
    steps = [step for run in re.findall(r"^RUN (.*)", containerfile(), re.MULTILINE)
             for step in run.split(" && ")]  # fmt: skip
    of_a_user = ("useradd", "install --directory", "resnet-sizes", "snakemake")
    expected = [step for step in steps if not step.startswith(of_a_user)]
    assert len(expected) == 4
    post = [step.replace("{{ torch }}", "$TORCH") for step in definition("post")]
    assert [step for step in post if step in expected] == expected
    assert [step.split()[0] for step in post if step not in expected] == ["cd", "rm", "chmod"]


def test_both_set_the_same_variables_for_those_who_run() -> None:
    values = dict(re.findall(r"(\b[A-Z0-9]+)=(\S+)", " ".join(definition("environment"))))
    environment = re.search(r"^ENV (.*)", containerfile(), re.MULTILINE)
    assert environment
    built_with = {"PIP_NO_CACHE_DIR"}
    there = dict(re.findall(r"(\w+)=(\S+)", environment[1]))
    assert values == {name: there[name] for name in there.keys() - built_with}
