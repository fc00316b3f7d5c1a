"""The values of synthetic studies, without the files."""

from pathlib import Path

from synthetic import LEDGER

from resnet_sizes.evidence.overall import judge_readings
from resnet_sizes.evidence.runs import read_runs
from resnet_sizes.evidence.values import collect_values, with_verdict_counts
from resnet_sizes.evidence.verdicts import judge
from resnet_sizes.records.files import read_record
from resnet_sizes.records.layout import StudyFolder
from resnet_sizes.records.ledger_file import load_ledger
from resnet_sizes.records.run import StudyFile
from resnet_sizes.records.values import Value
from resnet_sizes.records.verdicts import Verdicts

ACCURACIES = {
    "resnet18": (0.80, 0.81, 0.82),
    "resnet50": (0.83, 0.84, 0.85),
    "resnet152": (0.86, 0.87, 0.88),
}
VERDICTS_FILE = "evidence/verdicts.json"


def values_of(study: Path) -> dict[str, Value]:
    runs = read_runs(read_record(study, StudyFile, ""), StudyFolder.of_file(study), True)
    ledger = load_ledger(LEDGER)
    values = collect_values(runs, ledger)
    judged = judge(ledger, runs, ())
    verdicts = Verdicts(
        study=runs.study.name,
        study_hash="0" * 64,
        ledger_hash="0" * 64,
        demo=False,
        verdicts=judged,
        overall=judge_readings(ledger, judged),
        nearness=[],
        nearest=[],
        runs=list(runs.states),
        strangers=[],
        files={},
    )
    return with_verdict_counts(values, verdicts, VERDICTS_FILE).values
