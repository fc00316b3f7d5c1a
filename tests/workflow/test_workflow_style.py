"""The workflow passes Snakemake's own checks."""

import json


def test_the_linter_finds_nothing_but_the_environment_advice(project):
    """Rules name no conda environment or container on purpose: they call a command of this
    package, which is installed once by `make setup` or from environment.yml."""
    done = project.run("snakemake", "--lint", "json", check=False)
    findings = json.loads(done.stdout[done.stdout.index("{") :])
    titles = {
        lint["title"]
        for kind in ("snakefiles", "rules")
        for finding in findings[kind]
        for lint in finding["lints"]
    }
    assert titles <= {"Specify a conda environment or container for each rule."}, titles


def test_the_rule_graph_can_be_drawn(project):
    graph = project.run("snakemake", "--rulegraph", "--configfile", "config/tiny.yaml").stdout
    for rule in ("study", "dataset", "runs", "train", "evidence", "report"):
        assert f'label = "{rule}"' in graph
