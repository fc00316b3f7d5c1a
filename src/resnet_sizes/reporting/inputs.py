"""Everything that a report is made from, read and checked."""

from dataclasses import dataclass
from pathlib import Path

from resnet_sizes.records.audit import Audit
from resnet_sizes.records.base import content_hash
from resnet_sizes.records.errors import UserError
from resnet_sizes.records.evidence_files import check_hashes
from resnet_sizes.records.files import read_record
from resnet_sizes.records.ledger import Ledger
from resnet_sizes.records.ledger_file import load_ledger
from resnet_sizes.records.run import StudyFile
from resnet_sizes.records.study import Study
from resnet_sizes.records.values import Values
from resnet_sizes.records.verdicts import Verdicts


@dataclass(frozen=True)
class Inputs:
    """The records of one study, and the folder of its evidence."""

    study: Study
    ledger: Ledger
    values: Values
    verdicts: Verdicts
    audit: Audit
    evidence: Path


def read_inputs(study_path: Path, evidence: Path) -> Inputs:
    """Read `study.json`, the ledger that it names, and the evidence.

    Raises UserError for a missing, broken or changed file, and where the evidence was made
    from another configuration of the study or another ledger.
    """
    study_file = read_record(
        study_path, StudyFile, "Write it with: resnet-sizes study write <overlays>"
    )
    remedy = f"Make the evidence anew with: resnet-sizes evidence {study_path}"
    verdicts = read_record(evidence / "verdicts.json", Verdicts, remedy)
    if verdicts.study_hash != study_file.study_hash:
        raise UserError(
            f"{evidence / 'verdicts.json'}: was made from another configuration of the study "
            f"than {study_path} holds (hash {verdicts.study_hash[:12]}…, expected "
            f"{study_file.study_hash[:12]}…). {remedy}"
        )
    article = Path(study_file.study.article)
    ledger = load_ledger(article)
    if verdicts.ledger_hash != content_hash(ledger):
        raise UserError(
            f"{evidence / 'verdicts.json'}: was made from another ledger than {article} holds "
            f"now (hash {verdicts.ledger_hash[:12]}…, expected {content_hash(ledger)[:12]}…). "
            f"{remedy}"
        )
    check_hashes(evidence, verdicts.files, remedy)
    values = read_record(evidence / "values.json", Values, remedy)
    audit = read_record(evidence / "audit.json", Audit, remedy)
    return Inputs(study_file.study, ledger, values, verdicts, audit, evidence)
