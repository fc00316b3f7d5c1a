"""A study's evidence → `article.qmd` and the report in each format (`REPORT_FILES`)."""

import glob
import logging
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

from resnet_sizes.io.code_hash import code_hash
from resnet_sizes.io.errors import UserError
from resnet_sizes.io.files import (
    ABANDONED_AFTER,
    copy_together,
    explained_write,
    read_bytes,
    remove_temporaries,
    write_json,
)
from resnet_sizes.io.hashes import content_hash, file_hash
from resnet_sizes.io.shipped import OWN_TEMPLATES, shipped
from resnet_sizes.reporting.checks.number_check import check_numbers, sources_of
from resnet_sizes.reporting.checks.page_check import foreign_scripts, strays
from resnet_sizes.reporting.figures.draw import write_figures
from resnet_sizes.reporting.figures.style import FigureContext
from resnet_sizes.reporting.inputs import Inputs, read_inputs
from resnet_sizes.reporting.render import pandoc
from resnet_sizes.reporting.render.engines import Engine, choose_engine
from resnet_sizes.reporting.sections import metadata
from resnet_sizes.reporting.sections.article import render_article
from resnet_sizes.reporting.text.context import ReportContext, report_context
from resnet_sizes.reporting.text.printed import keys_in
from resnet_sizes.reporting.text.words import AGAIN, Words
from resnet_sizes.schemas.article.article import OWN_FIGURES
from resnet_sizes.schemas.article.folder import ArticleFolder, report_languages
from resnet_sizes.schemas.run.run import batches_per_epoch
from resnet_sizes.schemas.study.study import REPORT_FILES, EngineChoice, ReportFormat
from resnet_sizes.schemas.verification import MadeWith

log = logging.getLogger("resnet_sizes")

# What `article.qmd` names, beside its figures; whoever has Quarto can render it where it lies.
NAMED_ASSETS = (
    "references.bib",
    "abnt.csl",
    "report.css",
    "blocks.lua",
    "decimals.lua",
    "page.html",
    "typst-template.typ",
    "typst-show.typ",
)
EMBEDDED_ASSETS = ("crossref.lua", "page.typ", pandoc.LATEX_PREAMBLE, "article.jats")
SKIP_LINK = "skip-link.html"
LANGUAGE_LINK = "language-link.html"


def build_report(
    study_path: Path,
    evidence: Path,
    output: Path,
    language: str,
    formats: Sequence[ReportFormat],
    engine: EngineChoice,
    templates: Path | None = None,
    own: ArticleFolder | None = None,
) -> list[Path]:
    """Render the report of a study in one language into the folder `output`, from the templates in
    `report/` or another folder.

    `evidence` holds `values.json`, `figures.json` and `verdicts.json`. Everything is drawn and
    rendered in a private folder, formats in sequence, and moved together when all is done.
    The article's `own` prose is that of its folder, or of another. Equal evidence gives equal
    bytes with the embedded engine, which `auto` takes also where Quarto fails. Returns the paths
    of `article.qmd` and of the reports. Raises UserError for missing or broken inputs and a
    missing engine, and WriteError where the disk is full or refuses; what was in `output` is then
    as it was.
    """
    templates = templates or shipped("report")
    chosen = choose_engine(engine, formats)
    report = _context(read_inputs(study_path, evidence, own), templates, language)
    with explained_write(output), _folder_beside(output) as folder:
        training = report.study.training
        images = int(report.values.number("data.train_images")) - training.validation
        figure = report.article.figure, batches_per_epoch(images, training.batch_size)
        drawn = write_figures(FigureContext(report.figures, report.words, *figure), folder)
        copied = _copy_assets(report, templates, folder)
        try:
            made = _render(report, templates, folder, formats, chosen)
        except UserError as error:
            if engine != "auto" or chosen.kind == "pandoc":
                raise
            log.warning("the embedded engine renders the report, because Quarto did not: %s", error)
            made = _render(report, templates, folder, formats, choose_engine("pandoc"))
        # The page, which names others, comes last: a new one has no old file beside it, even where
        # this process is killed among the names.
        named = [*(path.name for path in drawn), *copied, *made]
        copy_together([folder / file for file in named], output)
    # A format that the study no longer asks for would be left with the numbers of an old one.
    for format in REPORT_FILES.keys() - {*formats, *report.study.report.formats}:
        (output / REPORT_FILES[format]).unlink(missing_ok=True)
    return [output / file for file in ("article.qmd", *(REPORT_FILES[each] for each in formats))]


def _render(
    report: ReportContext,
    templates: Path,
    folder: Path,
    formats: Sequence[ReportFormat],
    engine: Engine,
) -> list[str]:
    """Write and check the report in a folder that has its figures and assets; the names of what
    was written, the page last."""
    rendered = render_article(report, templates, engine)
    keys = keys_in(rendered.text)
    written = {
        "article.qmd": rendered.text,
        metadata.AFTER_BODY: metadata.after_body_html(report, keys, templates / "assets"),
        metadata.HEAD: metadata.for_machines("head.html", report, formats, templates),
    }
    for file, content in written.items():
        (folder / file).write_text(content, encoding="utf-8")
    if "latex" in formats:  # in its zip alone
        text = metadata.for_machines(pandoc.LATEX_METADATA, report, formats, templates)
        (folder / pandoc.LATEX_METADATA).write_text(text, encoding="utf-8")
    write_json(
        folder / metadata.DATA,
        metadata.report_data(report, keys, made_with(engine, templates, report.folder)),
    )
    # The page is what is checked, so it is made even where only the PDF is asked for.
    asked: list[ReportFormat] = [*formats, "html"]
    for format in dict.fromkeys(asked):
        try:
            made = engine.render(folder, format, report.created)
        except RuntimeError as error:  # of a program that is given what somebody wrote
            place = report.folder.prose(report.language)
            raise UserError(f"{error}\nIs it of the article's own {place}? {AGAIN}") from error
        made.rename(folder / REPORT_FILES[format])
    check_numbers(folder, rendered, report, engine)
    reports = [REPORT_FILES[each] for each in reversed(REPORT_FILES) if each in formats]
    return [*written, metadata.DATA, *reports]


def _context(inputs: Inputs, templates: Path, language: str) -> ReportContext:
    report_languages(inputs.study, inputs.article, inputs.folder, [language])
    own = inputs.folder.prose(language)
    return report_context(inputs, Words(templates / language, language, own))


def made_with(engine: Engine, templates: Path, own: ArticleFolder) -> MadeWith:
    """What a report is made with here: where others have the same, it has the same bytes."""
    code = code_hash("resnet_sizes.reporting", "resnet_sizes.i18n", "resnet_sizes.schemas")
    files = [(templates, path) for path in sorted(templates.rglob("*")) if path.is_file()]
    files += [(own.folder, path) for path in own.files()]
    texts = [(path.relative_to(top).as_posix(), file_hash(path)) for top, path in files]
    return MadeWith(
        engine=engine.kind,
        engine_versions=dict(engine.versions),
        drawn_with={name: version(name) for name in ("matplotlib", "adjusttext")},
        code=content_hash([code, texts, *OWN_FIGURES.items()]),
    )


def report_text(
    inputs: Inputs, language: str, made: MadeWith, templates: Path, claimed: Path
) -> tuple[str, dict[str, Any], list[str], list[str]]:
    """`article.qmd` and the content of `report.json`, as `build_report` writes them where a report
    is made with the programs that `made` names; of the page in `claimed` the numerals without a
    source, and what it runs that the templates do not have (Quarto has scripts of its own). Nothing
    is rendered. Raises UserError as `build_report` does."""
    engine = Engine(made.engine, tuple(made.engine_versions.items()), pandoc.render)
    report = _context(inputs, templates, language)
    rendered = render_article(report, templates, engine)
    with tempfile.TemporaryDirectory() as name:
        _copy_assets(report, templates, Path(name))
        sources = sources_of(Path(name), rendered, report, engine)
    found, scripts, page = list[str](), list[str](), claimed / "report.html"
    if page.is_file():
        content = read_bytes(page, "", 64 * 1024**2).decode(errors="replace")
        found = [f"{number} has no source: {text}" for number, text in strays(content, sources)]
        # An archive's own scripts count, whether or not they are ours.
        assets = [path for top in (templates, Path("report")) for path in top.glob("assets/*.js")]
        ours = "".join(path.read_text("utf-8", errors="replace") for path in assets)
        scripts = [] if made.engine == "quarto" else foreign_scripts(content, ours)
    data = metadata.report_data(report, keys_in(rendered.text), made)
    return rendered.text, data, found, [f"runs what no template has: {text}" for text in scripts]


def _copy_assets(report: ReportContext, templates: Path, folder: Path) -> list[str]:
    """Copy what the document needs; the names of what it names."""
    assets, own = templates / "assets", templates / report.language
    named = [*(assets / name for name in NAMED_ASSETS), own / SKIP_LINK]
    if report.has_language_link:
        named.append(own / LANGUAGE_LINK)
    for source in [*named, *(assets / name for name in EMBEDDED_ASSETS)]:
        try:
            shutil.copyfile(source, folder / source.name)
        except FileNotFoundError:
            raise UserError(f"{source}: no such file. {OWN_TEMPLATES}") from None
    if report.folder.references.is_file():
        with (folder / NAMED_ASSETS[0]).open("a", encoding="utf-8") as bibliography:
            bibliography.write("\n" + report.folder.references.read_text(encoding="utf-8"))
    return [source.name for source in named]


@contextmanager
def _folder_beside(output: Path) -> Iterator[Path]:
    """A private folder on the same disk, so that what is finished can be moved in one step."""
    output.mkdir(parents=True, exist_ok=True)
    remove_temporaries(output.parent, f"{glob.escape(output.name)}.*", ABANDONED_AFTER)
    with tempfile.TemporaryDirectory(
        dir=output.parent, prefix=f".{output.name}.", suffix=".tmp"
    ) as name:
        yield Path(name)
