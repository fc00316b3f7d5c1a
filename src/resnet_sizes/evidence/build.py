"""A study's results → its evidence: table, values, numbers of the figures, and verdicts."""

import logging
import os
from pathlib import Path

from resnet_sizes.evidence.audit import audit
from resnet_sizes.evidence.judging.judge import judge
from resnet_sizes.evidence.judging.readings import distances, judge_readings, nearest, ruled_out
from resnet_sizes.evidence.runs.read import read_runs
from resnet_sizes.evidence.statistics.sampling import samplings
from resnet_sizes.evidence.values.collect import collect_values, with_value_keys
from resnet_sizes.evidence.values.figure_values import figure_numbers
from resnet_sizes.evidence.values.table import comparison_table, write_table
from resnet_sizes.io.files import write_json
from resnet_sizes.io.hashes import content_hash, hashes_of
from resnet_sizes.schemas.article.article import load_article
from resnet_sizes.schemas.evidence.verdicts import Verdicts, evidence_inputs
from resnet_sizes.schemas.hardware import load_devices, shipped_network_costs
from resnet_sizes.schemas.paths import StudyFolder
from resnet_sizes.schemas.run.run import read_study

log = logging.getLogger("resnet_sizes")


def build_evidence(study_path: Path, output: Path, allow_partial: bool) -> Verdicts:
    """Write `table.csv`, `audit.json`, `values.json`, `figures.json` and, last, `verdicts.json`
    with the hashes of all of them to `output`, each atomically, and return the verdicts.

    `study_path` is a `study.json` with its dataset's record and its runs beside it; the article
    and the table of GPUs are the files that its keys `article` and `devices` name. Raises
    UserError as `read_runs` and `load_article` do; nothing is written then.
    """
    study_file = read_study(study_path)
    study = study_file.study
    article = load_article(Path(study.article))
    devices = load_devices(Path(study.devices))
    folder = StudyFolder.of_file(study_path)
    runs = read_runs(study_file, folder, allow_partial)
    for state in runs.states:
        if state.state != "finished":
            log.info("%s is left out: %s", state.run, state.problem or "it is missing")
    for name in runs.unrequested:
        log.info("%s is left out: the study does not ask for it", name)
    for each in runs.origins:
        log.info("%s: %d runs count; not: %s", each.origin.path, len(each.used), each.left_out)

    readings = samplings(runs)
    outliers = [name for each in readings for name in each.outlying_runs()]
    for name in outliers:
        log.warning(
            "warning: %s: its accuracy is an outlier among its network's seeds (Grubbs' test). "
            "Intervals and tests suppose normal seeds, and are less sure here",
            name,
        )
    audited = audit(article, study.protocol_definitions, devices, shipped_network_costs())
    judged = judge(article, readings)
    overall = judge_readings(article, judged.verdicts, ruled_out(audited))
    compared = distances(article, readings)
    # One path whatever the working directory, so that equal results give equal bytes.
    file = Path(os.path.relpath(output / "verdicts.json", folder.folder)).as_posix()
    values = collect_values(runs, article, judged.verdicts, overall, file)

    write_table(comparison_table(study, values.values, article), output / "table.csv")
    write_json(output / "audit.json", audited)
    write_json(output / "values.json", values)
    write_json(output / "figures.json", figure_numbers(runs, article, values.values))
    names = ("table.csv", "audit.json", "values.json", "figures.json")
    verdicts = Verdicts(
        study=study.name,
        study_hash=study_file.study_hash,
        article_hash=content_hash(article),
        made_from=evidence_inputs(Path(study.devices)),
        demo=study.demo,
        verdicts=with_value_keys(judged.verdicts, article, study, values.values),
        overall=overall,
        distances=compared,
        nearest=nearest(compared),
        recommendations=judged.recommendations,
        runs=list(runs.states),
        unrequested=list(runs.unrequested),
        pooled=list(runs.origins),
        outliers=outliers,
        files=hashes_of(output / name for name in names),
    ).sealed()
    write_json(output / "verdicts.json", verdicts)
    return verdicts
