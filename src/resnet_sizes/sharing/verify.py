"""Somebody's results, made again from what they rest on, and compared with what is claimed.

Accuracies come from the predictions, and measurements, table, statistics, verdicts, values and
texts from the runs. Nothing of an archive is executed: the code is ours, and so are the templates.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import chdir
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

from pydantic_core import from_json

import resnet_sizes
from resnet_sizes.evidence.build import build_evidence
from resnet_sizes.evidence.runs.read import UnfinishedStudy
from resnet_sizes.io.code_hash import training_code_hash
from resnet_sizes.io.errors import UserError
from resnet_sizes.io.files import MAX_JSON_BYTES, read_bytes, read_if_valid, read_json, read_record
from resnet_sizes.io.hashes import file_hash
from resnet_sizes.io.messages import looked_in, shown, shown_text
from resnet_sizes.io.shipped import SHIPPED, shipped
from resnet_sizes.reporting.build import build_report, made_with, report_text
from resnet_sizes.reporting.inputs import read_inputs
from resnet_sizes.reporting.render.engines import choose_engine
from resnet_sizes.reporting.sections.metadata import DATA
from resnet_sizes.schemas.article.folder import ArticleFolder
from resnet_sizes.schemas.base import MOVED, where_now
from resnet_sizes.schemas.evidence.verdicts import Verdicts, evidence_inputs
from resnet_sizes.schemas.paths import RunFolder, StudyFolder
from resnet_sizes.schemas.run.metrics import Metrics
from resnet_sizes.schemas.run.run import StudyFile, all_run_settings, read_study
from resnet_sizes.schemas.run.tensors import DatasetInfo, read_dataset_info, read_predictions
from resnet_sizes.schemas.run.weights import WeightsInfo, weights_key
from resnet_sizes.schemas.study.study import REPORT_FILES
from resnet_sizes.schemas.verification import Finding, Group, MadeWith, Outcome, Verification
from resnet_sizes.sharing.contents import known_files
from resnet_sizes.sharing.description import PAPERS, lists_this_code, remade
from resnet_sizes.sharing.differences import ABSENT, Difference, differences
from resnet_sizes.sharing.open_archive import (
    CERTIFICATE,
    METADATA,
    OTHER_VERSION,
    REMEDY,
    check_files,
    finding,
    for_readers,
    in_archive,
    listed_files,
    opened,
    pool_problems,
    templates_here,
)
from resnet_sizes.sharing.plausibility import implausible

SHOWN = 5
"""Differences of one file that are named; all of them are counted."""

Replay = Callable[[StudyFile, StudyFolder], Iterable[Finding]]
"""Trains the first steps of a study's runs again."""


def verify(path: Path, digest: str | None = None, replay: Replay | None = None) -> Verification:
    """Check a results folder or an archive, without torch, GPU or network.

    `digest` is what was published of an archive: it must be that of its list of files; `replay`
    is called in the end, and may need torch. Nothing is written. Raises UserError for what is no
    result at all; whatever can be compared is compared, and becomes a finding.
    """
    if digest and not re.fullmatch(r"(?i)(sha256:)?[0-9a-f]{64}", digest):
        raise UserError(f"--digest: found {shown(digest)}; allowed: 64 hex digits.")
    with opened(path) as result, chdir(result.root):
        found = list(check_files(result, digest))
        study_file = read_study(result.study_file)
        # Templates can do anything, so those that come with a result are not used.
        article = Path(study_file.study.article)
        if in_archive():
            now = Path(MOVED.get(article.as_posix(), article))
            article = SHIPPED / "articles" / now.parent.name / now.name
        folder, templates = ArticleFolder(article), templates_here().absolute()
        ours = result.is_archive and lists_this_code(listed_files(Path(METADATA)), templates)
        check = _Check(result.study_file, study_file, templates, folder, result.is_archive, ours)
        found += check.findings()
        if result.is_archive:
            found += check.description()
        if replay:
            found += replay(study_file, check.folder)
        return Verification(
            study=study_file.study.name,
            study_hash=study_file.study_hash,
            digest=file_hash(Path(METADATA)) if result.is_archive else None,
            checked_by=resnet_sizes.__version__,
            findings=found,
        )


@dataclass(frozen=True)
class _Check:
    """One study, with the working directory where its configuration's paths begin."""

    path: Path
    study_file: StudyFile
    templates: Path
    article: ArticleFolder
    """With the prose that texts are made with: of an archive, the shipped one of its name."""
    is_archive: bool
    is_of_this: bool
    """Whether it is an archive whose list proves that its code and templates are the ones here."""

    @property
    def folder(self) -> StudyFolder:
        return StudyFolder.of_file(self.path)

    def findings(self) -> Iterator[Finding]:
        """What was found of runs, evidence and reports, in this order."""
        study = self.study_file.study
        yield self._found("study", self.path, "agrees", "its hash is that of its configuration")
        for what, name in (("article file", study.article), ("table of GPUs", study.devices)):
            named = where_now(Path(name))
            # An archive's own files count, none of whoever reads it.
            is_foreign = self.is_archive and not named.resolve().is_relative_to(Path.cwd())
            there = named if self.is_archive else shipped(named)
            if is_foreign or not there.is_file():
                remedy = REMEDY if self.is_archive else "Put it there."
                detail = f"is not there ({looked_in()}), and the study names it. {remedy}"
                yield self._found("study", Path(name), "differs", detail)
                return
            ours = where_now(named, SHIPPED)
            if self.is_archive and ours.is_file() and file_hash(ours) != file_hash(named):
                detail = f"differs from the {what} that is here, and verdicts rest on what it says"
                yield self._found("study", named, "not-compared", detail)
        try:
            info = read_dataset_info(self.folder.dataset_info, study.dataset)
        except UserError as error:
            yield self._found("study", self.folder.dataset_info, "differs", str(error))
            return
        yield from self._check_runs(info)
        with TemporaryDirectory(prefix="resnet-sizes-verify-") as name:
            again = self._mirrored(Path(name))
            try:
                made = build_evidence(again, StudyFolder.of_file(again).evidence, True)
            # Numbers that no training gives overflow somewhere.
            except (UserError, ValueError, ArithmeticError) as error:
                group: Group = "runs" if isinstance(error, UnfinishedStudy) else "evidence"
                yield self._found(group, self.folder.folder / group, "differs", str(error))
                return
            yield from self._check_states(made)
            yield from self._check_evidence(StudyFolder.of_file(again).evidence)
            # Drawing and rendering take most of the time.
            check, languages = partial(self.check_report, again), study.report.languages
            with ProcessPoolExecutor(len(languages)) as pool:
                for found in pool.map(check, languages):
                    yield from found

    def description(self) -> Iterator[Finding]:
        """What an archive says of itself, but for whom it names and what was found then."""
        listed = listed_files(Path(METADATA))
        if not self.is_of_this:
            detail = f"{OTHER_VERSION} or templates than here: {', '.join(PAPERS)} were not made"
            yield self._found("files", Path(METADATA), "not-compared", detail)
        made = remade(self.study_file, self.folder, listed, self.templates)
        try:
            known = known_files(listed, self.folder, self.study_file.study)
            for name in sorted({*listed} - known - {*PAPERS, CERTIFICATE}):
                yield self._found("files", Path(name), "not-compared", "is no part of the study")
            for name, lines in made if self.is_of_this else islice(made, 1):
                yield self._compared("files", Path(name), lines)
        except UserError as error:
            yield self._found("files", Path(CERTIFICATE), "differs", str(error))

    def _found(self, group: Group, path: Path, outcome: Outcome, detail: str) -> Finding:
        folder = self.folder.folder
        place = path.relative_to(folder) if path.is_relative_to(folder) else path
        name, said = shown_text(place.as_posix()), for_readers(detail, self.is_archive)
        return finding(group, name, outcome, said)

    def _mirrored(self, folder: Path) -> Path:
        """The study's results under another folder, for evidence and reports of our own."""
        study = folder / "results" / self.study_file.study.name
        study.mkdir(parents=True)
        for name in ("study.json", "data", "runs", "pool", "weights"):
            if (self.folder.folder / name).exists():
                (study / name).symlink_to((self.folder.folder / name).absolute())
        return study / "study.json"

    def _check_runs(self, info: DatasetInfo) -> Iterator[Finding]:
        """What a run says of itself, beside what the evidence checks when it reads it."""
        code = training_code_hash()
        own = [self.folder.run(each) for each in all_run_settings(self.study_file.study)]
        pooled = sorted(self.folder.folder.glob("pool/*/runs/*/*/*/metrics.json"))
        for files in (*own, *(RunFolder(path.parent) for path in pooled)):
            try:
                metrics = read_record(files.metrics, Metrics, REMEDY)
                logits, labels = read_predictions(files.predictions, metrics.predictions_sha256)
            except UserError:
                continue  # which the evidence says, with the reason
            problems = [*implausible(metrics, info, logits, labels), *_log_problems(files, metrics)]
            told, card = f"accuracy: {metrics.final_test_accuracy:.4f}", str(_lines(files.card))
            if files.card.is_file() and not (told in card and metrics.run_hash in card):
                problems.append(f"{files.card.name} is not of this run")
            key = weights_key(metrics.run.model, metrics.run.reading)
            known = read_if_valid(self.folder.weights(str(key)), WeightsInfo)
            if key and files in own and (known and known.initial) != metrics.run.initial_weights:
                problems.append(f"its initial weights are not those of weights/{key}.json")
            for problem in problems:
                yield self._found("runs", files.metrics, "differs", problem)
            if not problems:
                detail = "its loss, counts, times and speed could be those of a training"
                yield self._found("runs", files.metrics, "agrees", detail)
            if (theirs := metrics.code.training_hash) != code:
                detail = f"{OTHER_VERSION} of training ({theirs[:12]}…; here it is {code[:12]}…)"
                yield self._found("runs", files.metrics, "not-compared", detail)

    def _check_states(self, made: Verdicts) -> Iterator[Finding]:
        for state in made.runs:
            outcome: Outcome = "agrees" if state.state == "finished" else "differs"
            detail = "its accuracy is that of its predictions, and its files belong together"
            detail = detail if outcome == "agrees" else state.problem or "is missing"
            yield self._found("runs", Path("runs", state.run), outcome, detail)
        for origin in (each.origin for each in made.pooled):
            problems = pool_problems(self.folder, origin)
            yield self._compared("runs", self.folder.pooled(origin.digest).folder, problems)

    def _check_evidence(self, again: Path) -> Iterator[Finding]:
        claimed, is_current = self.folder.evidence, True
        try:
            made_from = read_inputs(self.path, claimed).verdicts.made_from
            is_current = made_from == evidence_inputs(Path(self.study_file.study.devices))
        except UserError as error:
            yield self._found("evidence", claimed, "differs", str(error))
        if not is_current:
            detail = f"{OTHER_VERSION} or table of GPUs: what did not exist there is passed over"
            yield self._found("evidence", claimed / "verdicts.json", "not-compared", detail)
        for made in sorted(again.iterdir()):
            path = claimed / made.name
            found = _evidence_differences(path, made, is_current)
            yield self._compared("evidence", path, found)

    def _compared(self, group: Group, path: Path, found: Iterable[object]) -> Finding:
        """`found` are the differences, or raises why they cannot be told."""
        try:
            lines = [str(each) for each in found]
        except (UserError, OSError, ValueError) as error:
            lines = [str(error)]
        if not lines:
            return self._found(group, path, "agrees", "the same comes out again")
        more = [f"and {len(lines) - SHOWN} more"] if len(lines) > SHOWN else []
        return self._found(group, path, "differs", "; ".join([*islice(lines, SHOWN), *more]))

    def check_report(self, again: Path, language: str) -> list[Finding]:
        """What was found of the report in one language; `again` is the study mirrored."""
        return list(self._check_report(again, language))

    def _check_report(self, again: Path, language: str) -> Iterator[Finding]:
        """The text as templates and evidence give it; whole pages where the same programs made
        them."""
        claimed, study = self.folder.report(language), self.study_file.study
        evidence = StudyFolder.of_file(again).evidence
        try:
            data = read_json(claimed / DATA, REMEDY)
            told = data["values"] | {each["id"]: each["verdict"] for each in data["verdicts"]}
            made_by = MadeWith.model_validate(data["made_with"]) if "made_with" in data else None
        except (UserError, ValueError, LookupError, TypeError, AttributeError) as error:
            detail = str(error) if isinstance(error, UserError) else "is not what a report holds"
            yield self._found("report", claimed / DATA, "differs", detail)
            return
        formats = [each for each, file in REPORT_FILES.items() if (claimed / file).is_file()]
        is_quarto = made_by is not None and made_by.engine == "quarto"
        engine = choose_engine("auto" if is_quarto else "pandoc", formats)
        here = made_with(engine, self.templates, self.article)
        code = made_by.code if made_by else None
        inputs = read_inputs(again, evidence, self.article)
        parts = inputs, language, made_by or here, self.templates, claimed
        try:
            text, record, strays, scripts = report_text(*parts)
        except UserError as error:  # it is no page
            yield self._found("report", claimed, "differs", str(error))
            return
        asked = {claimed / REPORT_FILES[format] for format in study.report.formats}
        for path in sorted(asked - {*claimed.iterdir()}):
            yield self._found("report", path, "not-compared", "is missing; the study asks for it")
        outcome: Outcome = "not-compared"
        if made_by and code == here.code:
            told = differences(_lines(claimed / "article.qmd"), text.splitlines())
            yield self._compared("report", claimed / "article.qmd", told)
            own = json.loads(json.dumps(record))
            yield self._compared("report", claimed / DATA, differences(data, own))
            why = f"its pages and figures are of {_programs(made_by)}; here is {_programs(here)}"
        else:
            why = f"{OTHER_VERSION}, or of the templates, than is here"
            # An article's own prose is part of what makes a report.
            prose = ArticleFolder(Path(study.article))
            if self.is_of_this and code != made_with(engine, self.templates, prose).code:
                outcome, why = "differs", f"{DATA} tells of other code than the archive lists"
            own = inputs.record.model_dump(mode="json")["values"]
            own |= {each.id: each.verdict for each in inputs.verdicts.overall}
            known = (each for each in differences(told, own) if ABSENT not in each)
            yield self._compared("report", claimed / DATA, known)
        if made_by != here:
            detail = f"{why}: numbers of the page are held against the evidence; words are not"
            yield self._found("report", claimed, outcome, detail)
            # Scripts of a page of one's own may be those of older templates.
            strays += scripts if self.is_archive or code == here.code else []
            if strays:
                yield self._compared("report", claimed / "report.html", strays)
            return
        with TemporaryDirectory(prefix="resnet-sizes-verify-") as temporary:
            made = Path(temporary) / language
            options = formats, made_by.engine, self.templates, self.article
            build_report(again, evidence, made, language, *options)
            for name in sorted({each.name for each in made.iterdir()} - {"article.qmd", DATA}):
                there = claimed / name
                same = there.is_file() and file_hash(there) == file_hash(made / name)
                lines = [] if same else ["is not what the same programs make of the evidence"]
                yield self._compared("report", there, lines)


def _log_problems(files: RunFolder, metrics: Metrics) -> list[str]:
    """Where the log of a run's epochs, if there is one, is not what its metrics tell of them."""
    try:
        lines = [from_json(line) for line in read_bytes(files.log, "", MAX_JSON_BYTES).splitlines()]
    except (UserError, ValueError) as error:
        return [f"{files.log.name} cannot be read ({error})"] if files.log.exists() else []
    found = differences(lines, metrics.model_dump(mode="json")["epochs"])
    return [f"{files.log.name}: {difference}" for difference in islice(found, 1)]


def _programs(made: MadeWith) -> str:
    versions = made.engine_versions | made.drawn_with
    return ", ".join(f"{name} {version}" for name, version in versions.items())


def _evidence_differences(path: Path, made: Path, is_current: bool) -> Iterator[Difference]:
    """What differs in one file; of an older version's only what both have."""
    if made.suffix != ".json":
        yield from differences(_lines(path), _lines(made))
        return
    # They follow from files and code, which have findings of their own.
    follows = ("made_from", "checksum", "files") if made.name == "verdicts.json" else ()
    for difference in differences(read_json(path, REMEDY), read_json(made, "")):
        is_known = is_current or difference.claimed is not ABSENT
        if is_known and not difference.place.startswith(follows):
            yield difference


def _lines(path: Path) -> list[str]:
    if not path.is_file():
        return []
    with path.open("rb") as file:  # no more than any of ours has
        return file.read(MAX_JSON_BYTES).decode(errors="replace").splitlines()


def summary(found: Verification) -> Mapping[Group, dict[Outcome, int]]:
    """How often each outcome was found, by group, in the order of the groups."""
    groups = dict.fromkeys(each.group for each in found.findings)
    return {group: found.counts(group) for group in groups}
