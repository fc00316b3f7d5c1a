"""Everything that a report is made from, read and checked."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from resnet_sizes.io.errors import UserError
from resnet_sizes.io.files import read_bytes, read_record
from resnet_sizes.io.hashes import content_hash
from resnet_sizes.schemas.article.article import Article, load_article
from resnet_sizes.schemas.article.folder import ArticleFolder
from resnet_sizes.schemas.evidence.audit import Audit
from resnet_sizes.schemas.evidence.figures import Figures
from resnet_sizes.schemas.evidence.values import Values, values_by_place
from resnet_sizes.schemas.evidence.verdicts import Verdicts
from resnet_sizes.schemas.run.run import StudyFile
from resnet_sizes.schemas.study.study import Study


@dataclass(frozen=True)
class Inputs:
    """The records of one study."""

    study: Study
    article: Article
    record: Values
    """`values.json`, with the numbers of audit.json and the distances of readings, which lie in no
    other file."""
    verdicts: Verdicts
    audit: Audit
    figures: Figures
    verdicts_file: str
    """`verdicts.json`, as sources of values name files: from the study's folder."""
    folder: ArticleFolder
    """With the article's own prose and bibliography."""


def read_inputs(study_path: Path, evidence: Path, folder: ArticleFolder | None = None) -> Inputs:
    """Read `study.json`, the article file that it names, and the evidence; the article's own prose
    comes from its folder, or another.

    Raises UserError for a missing, broken or changed file, and where the evidence was made
    from another configuration of the study or another article file.
    """
    study_file = read_record(
        study_path, StudyFile, "Write it with: resnet-sizes study write <overlays>"
    )
    remedy = f"Run: resnet-sizes evidence {study_path}"
    verdicts = read_record(evidence / "verdicts.json", Verdicts, remedy)

    def check_origin(found: str, expected: str, other: str) -> None:
        if found != expected:
            raise UserError(
                f"{evidence / 'verdicts.json'}: was made from another {other} (hash "
                f"{found[:12]}…, expected {expected[:12]}…). {remedy}"
            )

    configuration = f"configuration of the study than {study_path} holds"
    check_origin(verdicts.study_hash, study_file.study_hash, configuration)
    path = Path(study_file.study.article)
    article = load_article(path)
    check_origin(
        verdicts.article_hash, content_hash(article), f"article file than {path} holds now"
    )
    for name, expected in verdicts.files.items():
        found = hashlib.sha256(read_bytes(evidence / name, remedy)).hexdigest()
        if found != expected:
            raise UserError(
                f"{evidence / name}: was changed, or was not written together with "
                f"{evidence / 'verdicts.json'}, which lists it (SHA-256 {found[:12]}…, expected "
                f"{expected[:12]}…). {remedy}"
            )
    record = read_record(evidence / "values.json", Values, remedy)
    audit = read_record(evidence / "audit.json", Audit, remedy)
    figures = read_record(evidence / "figures.json", Figures, remedy)
    place = Path(os.path.relpath(evidence, study_path.parent))
    verdicts_file, audit_file = ((place / f"{n}.json").as_posix() for n in ("verdicts", "audit"))
    distances = [distance.model_dump(mode="json") for distance in verdicts.distances]
    values = record.values | values_by_place("audit", audit.model_dump(mode="json"), audit_file)
    values |= values_by_place("distances", distances, verdicts_file, "distances")
    record = record.model_copy(update={"values": values})
    own = folder or ArticleFolder(path)
    return Inputs(study_file.study, article, record, verdicts, audit, figures, verdicts_file, own)
