"""The way from a sentence of the report to the predictions that it rests on."""

from collections.abc import Iterator
from pathlib import Path

from resnet_sizes.evidence.runs.validate import predicted_classes
from resnet_sizes.io.errors import UserError
from resnet_sizes.io.messages import did_you_mean
from resnet_sizes.reporting.inputs import read_inputs
from resnet_sizes.schemas.paths import RunFolder, StudyFolder
from resnet_sizes.schemas.run.tensors import read_predictions


def trace(study_path: Path, claim_id: str) -> Iterator[str]:
    """What the article says, our verdict by reading, its numbers with file and field, and the
    runs whose predictions give them, counted again: lines of text, in this order.

    Raises UserError where the study has no evidence, or no such claim.
    """
    folder = StudyFolder.of_file(study_path)
    inputs = read_inputs(study_path, folder.evidence)
    claims = {claim.id: claim for claim in inputs.article.claims}
    if claim_id not in claims:
        raise UserError(
            f"CLAIM: found {claim_id!r}; allowed: {', '.join(claims)}."
            f"{did_you_mean(claim_id, list(claims))}"
        )
    claim = claims[claim_id]
    yield f"1. The article says ({inputs.study.article}, {claim_id}):"
    yield f"   {claim.text.en or claim.text.pt}"
    verdicts = [each for each in inputs.verdicts.verdicts if each.id == claim_id]
    keys = {key for verdict in verdicts for key in verdict.values.values()}
    overall = {each.id: each for each in inputs.verdicts.overall}
    if claim_id not in overall or not keys <= inputs.record.values.keys():
        raise UserError(
            f"{folder.evidence}: tells of {claim_id} with values or verdicts that it lacks. "
            f"Run: resnet-sizes evidence {study_path}"
        )
    together = overall[claim_id]
    file = (folder.folder / inputs.verdicts_file).as_posix()
    yield f"2. Our verdict ({file}): {together.verdict} ({', '.join(together.reasons)})"
    runs: set[str] = set()
    values = folder.evidence / "values.json"
    for verdict in verdicts:
        yield f"   {verdict.protocol}: {verdict.verdict} ({', '.join(verdict.reasons)})"
        for role, key in verdict.values.items():
            value = inputs.record.values[key]
            yield f"     {role}: {value.as_text} ({values.as_posix()}, {key})"
            for source in value.sources:
                known = folder.folder / source.file
                yield f"       from {known if known.is_file() else source.file}, {source.field}"
                if source.file.startswith(("runs/", "pool/")):
                    runs.add(source.file)
    yield "3. The predictions, counted again:"
    for run in sorted(runs):
        yield from _counted(folder, run)
    if not runs:
        yield "   none: no run enters this verdict."


def _counted(folder: StudyFolder, file: str) -> Iterator[str]:
    predictions = RunFolder((folder.folder / file).parent).predictions
    try:
        logits, labels = read_predictions(predictions)
    except UserError as error:
        yield f"   {error}"
        return
    _, fewest, most = predicted_classes(logits, labels)
    right = str(fewest) if fewest == most else f"{fewest} to {most}"
    yield f"   {predictions}: {right} of {len(labels)} right, {most / len(labels):.4f}"
