"""The values of synthetic studies, without the files."""

from collections.abc import Sequence
from pathlib import Path

from synthetic import ARTICLE

from resnet_sizes.evidence.judging.judge import judge
from resnet_sizes.evidence.judging.readings import judge_readings
from resnet_sizes.evidence.runs.read import StudyRuns, read_runs
from resnet_sizes.evidence.statistics.sampling import samplings
from resnet_sizes.evidence.values.collect import collect_values
from resnet_sizes.io.files import read_record
from resnet_sizes.schemas.article.article import Article, load_article
from resnet_sizes.schemas.evidence.values import Value
from resnet_sizes.schemas.evidence.verdicts import Verdict
from resnet_sizes.schemas.paths import StudyFolder
from resnet_sizes.schemas.run.run import StudyFile

ACCURACIES = {
    "resnet18": (0.80, 0.81, 0.82),
    "resnet50": (0.83, 0.84, 0.85),
    "resnet152": (0.86, 0.87, 0.88),
}
VERDICTS_FILE = "evidence/verdicts.json"


def values_of(study: Path) -> dict[str, Value]:
    """All values of a study, judged by the shipped article file."""
    runs = read_runs(read_record(study, StudyFile, ""), StudyFolder.of_file(study), True)
    article = load_article(ARTICLE)
    return collected(runs, article, judge(article, samplings(runs)).verdicts)


def collected(
    runs: StudyRuns, article: Article, judged: Sequence[Verdict] = ()
) -> dict[str, Value]:
    """The values of runs and of the verdicts on them."""
    overall = judge_readings(article, judged) if judged else []
    return collect_values(runs, article, judged, overall, VERDICTS_FILE).values
