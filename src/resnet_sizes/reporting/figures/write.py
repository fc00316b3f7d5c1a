"""All figures of a study, in each language and format."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from matplotlib.figure import Figure

from resnet_sizes.evidence.runs.read import StudyRuns
from resnet_sizes.evidence.values.article_values import article_values
from resnet_sizes.reporting.figures.accuracy import accuracy_curves, draw_accuracies
from resnet_sizes.reporting.figures.confusion import confusion_matrices, draw_confusion
from resnet_sizes.reporting.figures.files import Format, write_figure
from resnet_sizes.reporting.figures.forest import draw_forest
from resnet_sizes.reporting.figures.loss import draw_losses, loss_curves
from resnet_sizes.reporting.figures.pareto import draw_pareto, pareto_points
from resnet_sizes.reporting.figures.style import Language, settings
from resnet_sizes.schemas.article.article import Article
from resnet_sizes.schemas.evidence.values import Value


def figures_of(
    runs: StudyRuns, article: Article, values: Mapping[str, Value], language: Language
) -> Iterator[tuple[str, Callable[[], Figure]]]:
    """The name of each figure with what draws it, of the study's first protocol."""
    losses, accuracies = loss_curves(runs), accuracy_curves(runs)
    points, matrices = pareto_points(runs), confusion_matrices(runs)
    printed = article_values(article, runs, values, runs.study.protocols[0])
    yield "loss", lambda: draw_losses(losses, language)
    yield "accuracy", lambda: draw_accuracies(accuracies, language)
    yield "pareto", lambda: draw_pareto(points, language)
    yield "confusion", lambda: draw_confusion(matrices, language)
    yield "forest", lambda: draw_forest(printed, language)


def write_figures(
    runs: StudyRuns,
    article: Article,
    values: Mapping[str, Value],
    output: Path,
    languages: Sequence[Language],
    formats: Sequence[Format],
) -> list[Path]:
    """Write `figure-<name>.<language>.<format>` to the folder `output`, each atomically.

    `values` are those of values.json. A figure is drawn once for all of its formats. Returns
    the paths of what was written.
    """
    written: list[Path] = []
    if not formats:
        return written
    with settings():
        for language in languages:
            for name, draw in figures_of(runs, article, values, language):
                stem = output / f"figure-{name}.{language}"
                written += write_figure(draw(), stem, formats)
    return written
