"""The workflow passes Snakemake's own checks."""


def test_the_linter_finds_nothing(project):
    said = project.snakemake("--lint")
    assert "Congratulations, your workflow is in a good condition!" in said.stdout


def test_the_rule_graph_can_be_drawn(project):
    graph = project.snakemake("--rulegraph", "--configfile", "config/tiny.yaml").stdout
    for rule in ("dataset", "run", "train", "evidence", "report"):
        assert f'label = "{rule}"' in graph
