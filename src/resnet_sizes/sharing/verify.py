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
from resnet_sizes.io.code_hash import training_code_hash
from resnet_sizes.io.errors import UserError
from resnet_sizes.io.files import read_bytes, read_if_valid, read_record
from resnet_sizes.io.hashes import file_hash
from resnet_sizes.io.messages import looked_in
from resnet_sizes.io.shipped import SHIPPED, shipped
from resnet_sizes.reporting.build import build_report, made_with, report_text
from resnet_sizes.reporting.inputs import read_inputs
from resnet_sizes.reporting.render.engines import choose_engine
from resnet_sizes.reporting.sections.metadata import DATA
from resnet_sizes.schemas.article.folder import ArticleFolder
from resnet_sizes.schemas.evidence.verdicts import Verdicts, evidence_inputs
from resnet_sizes.schemas.paths import RunFolder, StudyFolder
from resnet_sizes.schemas.run.metrics import Metrics
from resnet_sizes.schemas.run.run import StudyFile, all_run_settings, read_study
from resnet_sizes.schemas.run.tensors import DatasetInfo, read_dataset_info, read_predictions
from resnet_sizes.schemas.run.weights import WeightsInfo, weights_key
from resnet_sizes.schemas.study.study import REPORT_FILES
from resnet_sizes.schemas.verification import Finding, Group, MadeWith, Outcome, Verification
from resnet_sizes.sharing.description import OtherCode, remade
from resnet_sizes.sharing.differences import ABSENT, Difference, differences
from resnet_sizes.sharing.open_archive import (
    CERTIFICATE,
    METADATA,
    REMEDY,
    check_files,
    finding,
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
    with opened(path) as result, chdir(result.root):
        found = list(check_files(result, digest))
        try:
            study_file = read_study(result.study_file)
        except UserError as error:
            raise UserError(f"{path}: {error}") from None
        # Templates can do anything, so those that come with a result are not used.
        article = Path(study_file.study.article)
        if in_archive():
            article = SHIPPED / "articles" / article.parent.name / article.name
        folder, templates = ArticleFolder(article), templates_here().absolute()
        check = _Check(result.study_file, study_file, templates, folder, result.is_archive)
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

    @property
    def folder(self) -> StudyFolder:
        return StudyFolder.of_file(self.path)

    def findings(self) -> Iterator[Finding]:
        """What was found of runs, evidence and reports, in this order."""
        study = self.study_file.study
        yield self._found(
            "study", self.path, "agrees", "its hash is that of the configuration that it holds"
        )
        for named in (study.article, study.devices):
            # An archive's own files count, none of whoever reads it.
            is_foreign = self.is_archive and not Path(named).resolve().is_relative_to(Path.cwd())
            there = Path(named) if self.is_archive else shipped(named)
            if is_foreign or not there.is_file():
                detail = f"is not there ({looked_in()}), and the study names it. {REMEDY}"
                yield self._found("study", Path(named), "differs", detail)
                return
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
                yield self._found("evidence", self.folder.evidence, "differs", str(error))
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
        try:
            for name, lines in remade(self.study_file, self.folder, listed, self.templates):
                yield self._compared("files", Path(name), lines)
        except OtherCode as error:
            yield self._found("files", Path(METADATA), "not-compared", str(error))
        except UserError as error:
            yield self._found("files", Path(CERTIFICATE), "differs", str(error))

    def _found(self, group: Group, path: Path, outcome: Outcome, detail: str) -> Finding:
        folder = self.folder.folder
        shown = path.relative_to(folder) if path.is_relative_to(folder) else path
        return finding(group, shown.as_posix(), outcome, detail)

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
            if metrics.code.training_hash != code:
                detail = (
                    "was made by another version of the training code "
                    f"({metrics.code.training_hash[:12]}…; here it is {code[:12]}…)"
                )
                yield self._found("runs", files.metrics, "not-compared", detail)

    def _check_states(self, made: Verdicts) -> Iterator[Finding]:
        for state in made.runs:
            finished = state.state == "finished"
            detail = "its accuracy is that of its predictions, and its files belong together"
            if not finished:
                # It speaks of files where they were linked to.
                detail = re.sub(r"\S*/resnet-sizes-verify-\w+/", "", state.problem or "is missing")
            yield finding("runs", f"runs/{state.run}", "agrees" if finished else "differs", detail)
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
            detail = (
                "was made by another version of the code, or of the table of GPUs: what comes out "
                "here and did not exist there is passed over"
            )
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
        claimed = self.folder.report(language)
        evidence = StudyFolder.of_file(again).evidence
        try:
            data = from_json(read_bytes(claimed / DATA, REMEDY))
            told = data["values"] | {each["id"]: each["verdict"] for each in data["verdicts"]}
            made_by = MadeWith.model_validate(data["made_with"]) if "made_with" in data else None
        except (UserError, ValueError, LookupError, TypeError, AttributeError) as error:
            yield self._found("report", claimed / DATA, "differs", f"cannot be read ({error})")
            return
        formats = [each for each, file in REPORT_FILES.items() if (claimed / file).is_file()]
        try:
            engine = choose_engine(made_by.engine if made_by else "pandoc", formats)
        except UserError:  # no Quarto
            engine = choose_engine("pandoc")
        here = made_with(engine, self.templates, self.article)
        if made_by is None or made_by.code != here.code:
            detail = (
                "was made by another version of the code, or of the templates, than is here "
                f"({self.templates}): {DATA} was compared, text and pages were not"
            )
            yield self._found("report", claimed, "not-compared", detail)
            found = read_inputs(again, evidence)
            own = found.record.model_dump(mode="json")["values"]
            own |= {each.id: each.verdict for each in found.verdicts.overall}
            known = (each for each in differences(told, own) if ABSENT not in each)
            yield self._compared("report", claimed / DATA, known)
            return
        inputs = read_inputs(again, evidence, self.article)
        try:
            text, record, strays = report_text(inputs, language, made_by, self.templates, claimed)
        except UserError as error:  # it is no page
            yield self._found("report", claimed, "differs", str(error))
            return
        told = differences(_lines(claimed / "article.qmd"), text.splitlines())
        yield self._compared("report", claimed / "article.qmd", told)
        own = json.loads(json.dumps(record))
        yield self._compared("report", claimed / DATA, differences(data, own))
        if made_by != here:
            detail = (
                f"its pages and figures are of {_programs(made_by)}; here is {_programs(here)}. "
                "The numbers of the page are held against the evidence; figures and words are not"
            )
            yield self._found("report", claimed, "not-compared", detail)
            if strays:
                yield self._compared("report", claimed / "report.html", strays)
            return
        with TemporaryDirectory(prefix="resnet-sizes-verify-") as name:
            made = Path(name) / language
            options = formats, made_by.engine, self.templates, self.article
            build_report(again, evidence, made, language, *options)
            for page in sorted({each.name for each in made.iterdir()} - {"article.qmd", DATA}):
                there = claimed / page
                same = there.is_file() and file_hash(there) == file_hash(made / page)
                lines = [] if same else ["is not what the same programs make of the evidence"]
                yield self._compared("report", there, lines)


def _log_problems(files: RunFolder, metrics: Metrics) -> list[str]:
    """Where the log of a run's epochs, if there is one, is not what its metrics tell of them."""
    try:
        lines = [from_json(line) for line in read_bytes(files.log, "").splitlines()]
    except (UserError, ValueError) as error:
        return [f"{files.log.name} cannot be read ({error})"] if files.log.exists() else []
    found = differences(lines, metrics.model_dump(mode="json")["epochs"])
    return [f"{files.log.name}: {difference}" for difference in islice(found, 1)]


def _programs(made: MadeWith) -> str:
    versions = made.engine_versions | made.drawn_with
    return ", ".join(f"{name} {version}" for name, version in versions.items())


def _evidence_differences(path: Path, made: Path, is_current: bool) -> Iterator[Difference]:
    """What differs in one file; of an older version's only what both have."""
    content = read_bytes(path, REMEDY)
    if made.suffix != ".json":
        lines = content.decode(errors="replace").splitlines()
        yield from differences(lines, made.read_text("utf-8").splitlines())
        return
    # They follow from files and code, which have findings of their own.
    follows = ("made_from", "checksum", "files") if made.name == "verdicts.json" else ()
    for difference in differences(from_json(content), from_json(made.read_bytes())):
        is_known = is_current or difference.claimed is not ABSENT
        if is_known and not difference.place.startswith(follows):
            yield difference


def _lines(path: Path) -> list[str]:
    return path.read_text("utf-8", errors="replace").splitlines() if path.is_file() else []


def summary(found: Verification) -> Mapping[Group, dict[Outcome, int]]:
    """How often each outcome was found, by group, in the order of the groups."""
    groups = dict.fromkeys(each.group for each in found.findings)
    return {group: found.counts(group) for group in groups}
