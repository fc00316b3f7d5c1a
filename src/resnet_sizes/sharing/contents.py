"""What goes into an archive of a result, and under which names: unpacked it is a project that
runs, with the study's results in their place."""

import re
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

import resnet_sizes
from resnet_sizes.io.errors import UserError
from resnet_sizes.io.shipped import shipped
from resnet_sizes.schemas.article.folder import ArticleFolder
from resnet_sizes.schemas.base import where_now
from resnet_sizes.schemas.paths import StudyFolder
from resnet_sizes.schemas.run.run import all_run_settings
from resnet_sizes.schemas.study.study import REPORT_FILES, Study

PROJECT = (
    "Snakefile", "workflow", "config", "articles", "report", "profiles", "scripts", "docs",
    "Makefile", "README.md", "LICENSE", "pyproject.toml", "requirements.lock", "environment.yml",
)  # fmt: skip
"""Files and folders of the project, beside `src/`, without which nobody could run it again."""

_MADE = re.compile(
    r"(audit|figures|report|values|verdicts)\.json|.+\.(bib|csl|css|csv|lua|png|qmd|svg|typ)|figure-"
    rf".+\.pdf|(after-body|\w+-link|metadata|page)\.html|{'|'.join(REPORT_FILES.values())}"
)
"""Names of files of evidence and reports: pages and records that somebody adds are none."""


def archive_files(study_path: Path, study: Study) -> dict[str, Path]:
    """Every file of the archive but those that describe it, by its name there, sorted.

    Run in the project's folder. Raises UserError where the study names an article file or a table
    of GPUs outside of it, or has no results.
    """
    project = [path for name in PROJECT for path in files_of(Path(name))]
    package = Path(resnet_sizes.__file__).parent
    found = {path.as_posix(): path for path in project} | _named(study)
    found |= {
        f"src/resnet_sizes/{path.relative_to(package).as_posix()}": path
        for path in files_of(package)
    }
    folder, top = StudyFolder.of_file(study_path), f"results/{study.name}"
    found |= {
        f"{top}/{path.relative_to(folder.folder).as_posix()}": path
        for path in _results(folder, study)
    }
    return dict(sorted(found.items()))


def known_files(names: Iterable[str], folder: StudyFolder, study: Study) -> set[str]:
    """Those of an unpacked archive's files that are of the project, or that the study makes."""
    project = {*PROJECT, "src", *_named(study)}
    found = {name for name in names if project & {name, name.partition("/")[0]}}
    return found | {path.as_posix() for path in _results(folder, study)}


def _named(study: Study) -> dict[str, Path]:
    """The files that the configuration names, as they must lie in an archive too."""
    for key, name in (("article", study.article), ("devices", study.devices)):
        if Path(name).is_absolute() or ".." in PurePosixPath(name).parts:
            raise UserError(
                f"{key}: is {name!r}, outside of the project's folder, so it would lie nowhere in "
                f"an archive. Copy it to config/, change {key} in the configuration, and run "
                "snakemake again: no run is repeated."
            )
    code = [network.file for network in study.networks.values()]
    code += [study.dataset.own_code[0]] if study.dataset.own_code else []
    article = where_now(Path(study.article))
    own = ArticleFolder(article)
    named = [article, Path(study.devices), *code]
    named += [article.parent / path.relative_to(own.folder) for path in own.files()]
    return {path.as_posix(): shipped(path) for path in named if shipped(path).is_file()}


def _results(folder: StudyFolder, study: Study) -> list[Path]:
    """Records, runs with those of others, evidence and reports; no pixels, no logs of jobs, nothing
    unfinished."""
    runs = [folder.run(settings) for settings in all_run_settings(study)]
    parts = [each for run in runs for each in (run.run, run.log, *run.results(True))]
    reports = [path for name in study.report.languages for path in files_of(folder.report(name))]
    made = (path for path in files_of(folder.evidence) + reports if _MADE.fullmatch(path.name))
    return [
        folder.study,
        folder.dataset_info,
        *sorted((folder.folder / "weights").glob("*.json")),
        *(path for path in parts if path.is_file()),
        *(files_of(folder.pool.parent) if study.pool else ()),
        *made,
    ]


def files_of(path: Path) -> list[Path]:
    """A file, or all of a folder's but hidden ones and what Python keeps."""
    if path.is_file():
        return [path]
    found = (each for each in sorted(path.rglob("*")) if each.is_file())
    return [each for each in found if not _is_private(each.relative_to(path).parts)]


def _is_private(parts: tuple[str, ...]) -> bool:
    return any(part.startswith(".") or part == "__pycache__" for part in parts)
