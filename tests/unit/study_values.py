"""The values of synthetic studies, without the files."""

from pathlib import Path

from synthetic import ARTICLE

from resnet_sizes.evidence.judging.aggregate import judge_readings
from resnet_sizes.evidence.judging.judge import judge
from resnet_sizes.evidence.runs.read import read_runs
from resnet_sizes.evidence.values.collect import collect_values, with_verdict_counts
from resnet_sizes.io.files import read_record
from resnet_sizes.schemas.article.load import load_article
from resnet_sizes.schemas.evidence.values import Value
from resnet_sizes.schemas.evidence.verdicts import Verdicts
from resnet_sizes.schemas.paths import StudyFolder
from resnet_sizes.schemas.run.run import StudyFile

ACCURACIES = {
    "resnet18": (0.80, 0.81, 0.82),
    "resnet50": (0.83, 0.84, 0.85),
    "resnet152": (0.86, 0.87, 0.88),
}
VERDICTS_FILE = "evidence/verdicts.json"


def values_of(study: Path) -> dict[str, Value]:
    runs = read_runs(read_record(study, StudyFile, ""), StudyFolder.of_file(study), True)
    article = load_article(ARTICLE)
    values = collect_values(runs, article)
    judged = judge(article, runs, ())
    verdicts = Verdicts(
        study=runs.study.name,
        study_hash="0" * 64,
        article_hash="0" * 64,
        demo=False,
        verdicts=judged,
        overall=judge_readings(article, judged),
        nearness=[],
        nearest=[],
        runs=list(runs.states),
        strangers=[],
        files={},
    )
    return with_verdict_counts(values, verdicts, VERDICTS_FILE).values
