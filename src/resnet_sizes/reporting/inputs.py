"""Everything that a report is made from, read and checked."""

import os
from dataclasses import dataclass
from pathlib import Path

from resnet_sizes.io.errors import UserError
from resnet_sizes.io.files import read_record
from resnet_sizes.io.hashes import check_hashes, content_hash
from resnet_sizes.schemas.article.article import Article, load_article
from resnet_sizes.schemas.evidence.audit import Audit
from resnet_sizes.schemas.evidence.figures import Figures
from resnet_sizes.schemas.evidence.values import Value, Values, values_by_place
from resnet_sizes.schemas.evidence.verdicts import Verdicts
from resnet_sizes.schemas.run.run import StudyFile
from resnet_sizes.schemas.study.study import Study


@dataclass(frozen=True)
class Inputs:
    """The records of one study."""

    study: Study
    article: Article
    values: Values
    verdicts: Verdicts
    audit: Audit
    figures: Figures
    verdicts_file: str
    """`verdicts.json`, as sources of values name files: from the study's folder."""


def read_inputs(study_path: Path, evidence: Path) -> Inputs:
    """Read `study.json`, the article file that it names, and the evidence.

    Raises UserError for a missing, broken or changed file, and where the evidence was made
    from another configuration of the study or another article file.
    """
    study_file = read_record(
        study_path, StudyFile, "Write it with: resnet-sizes study write <overlays>"
    )
    remedy = f"Run: resnet-sizes evidence {study_path}"
    verdicts = read_record(evidence / "verdicts.json", Verdicts, remedy)
    if verdicts.study_hash != study_file.study_hash:
        raise UserError(
            f"{evidence / 'verdicts.json'}: was made from another configuration of the study "
            f"than {study_path} holds (hash {verdicts.study_hash[:12]}…, expected "
            f"{study_file.study_hash[:12]}…). {remedy}"
        )
    path = Path(study_file.study.article)
    article = load_article(path)
    if verdicts.article_hash != content_hash(article):
        raise UserError(
            f"{evidence / 'verdicts.json'}: was made from another article file than {path} holds "
            f"now (hash {verdicts.article_hash[:12]}…, expected {content_hash(article)[:12]}…). "
            f"{remedy}"
        )
    check_hashes(evidence, verdicts.files, remedy)
    values = read_record(evidence / "values.json", Values, remedy)
    audit = read_record(evidence / "audit.json", Audit, remedy)
    verdicts_file = Path(os.path.relpath(evidence / "verdicts.json", study_path.parent)).as_posix()
    found = values.values | _numbers_elsewhere(audit, verdicts, verdicts_file)
    values = values.model_copy(update={"values": found})
    figures = read_record(evidence / "figures.json", Figures, remedy)
    return Inputs(study_file.study, article, values, verdicts, audit, figures, verdicts_file)


def _numbers_elsewhere(audit: Audit, verdicts: Verdicts, file: str) -> dict[str, Value]:
    """The numbers of audit.json and the distances of readings, which lie in no other file."""
    found = values_by_place(
        "audit", audit.model_dump(mode="json"), Path(file).with_name("audit.json").as_posix()
    )
    distances = [distance.model_dump(mode="json") for distance in verdicts.distances]
    return found | values_by_place("distances", distances, file, "distances")
