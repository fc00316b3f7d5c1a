"""The workflow passes Snakemake's own checks."""

import re


def test_the_linter_finds_nothing_but_the_environment_advice(project):
    """Rules name no conda environment or container on purpose: they call a command of this
    package, which is installed once by `make setup` or from environment.yml."""
    output = project.snakemake("--lint", check=False).stdout
    titles = set(re.findall(r"^    \* (.+):$", output, flags=re.MULTILINE))
    assert titles == {"Specify a conda environment or container for each rule."}, output


def test_the_rule_graph_can_be_drawn(project):
    graph = project.snakemake("--rulegraph", "--configfile", "config/tiny.yaml").stdout
    for rule in ("dataset", "run", "train", "evidence", "report"):
        assert f'label = "{rule}"' in graph
