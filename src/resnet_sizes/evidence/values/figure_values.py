"""The values that captions and descriptions of the figures print."""

from collections.abc import Sequence
from statistics import mean

from resnet_sizes.evidence.judging.pareto import mean_points, pareto_front, times_compare
from resnet_sizes.evidence.runs.read import FinishedRun, StudyRuns
from resnet_sizes.evidence.values.article_values import article_values
from resnet_sizes.evidence.values.confusion import (
    cell_key,
    hardest_class,
    largest_confusion,
    mean_shares,
    written_cells,
)
from resnet_sizes.evidence.values.value_book import ValueBook, run_sources, time_sources
from resnet_sizes.schemas.article.article import Article
from resnet_sizes.schemas.evidence.values import Source


def add_figure_values(book: ValueBook, runs: StudyRuns, article: Article, protocol: str) -> None:
    """Of one protocol. The book holds its other values and those of the article already."""
    for model in runs.study.models:
        finished = runs.of(protocol, model)
        if finished:
            _add_accuracies(book, f"{protocol}.{model}", finished)
            _add_confusion(book, f"{protocol}.{model}", finished, runs.info.class_names)
    _add_front(book, runs, protocol)
    _add_printed(book, runs, article, protocol)


def _add_accuracies(book: ValueBook, prefix: str, finished: tuple[FinishedRun, ...]) -> None:
    """Where the curves end on the training images, and begin on the test images."""
    last = [run.metrics.epochs[-1].train_accuracy for run in finished]
    sources = run_sources(finished, "epochs[-1].train_accuracy")
    book.add(f"{prefix}.final_train_accuracy.mean", mean(last), "fraction", *sources)
    first = [run.metrics.epochs[0].test_accuracy for run in finished]
    sources = run_sources(finished, "epochs[0].test_accuracy")
    book.add(f"{prefix}.first_test_accuracy.mean", mean(first), "fraction", *sources)


def add_cells(book: ValueBook, runs: StudyRuns, protocol: str) -> None:
    """The numbers in the confusion matrices of the protocol that the figures show."""
    for model in runs.study.models:
        finished = runs.of(protocol, model)
        for cell in written_cells(mean_shares(finished)) if finished else ():
            key = cell_key(protocol, model, cell)
            book.add(key, cell.share, "fraction", *_of_predictions(finished))


def _of_predictions(finished: Sequence[FinishedRun]) -> list[Source]:
    return [
        Source(file=run.predictions_file, field=field)
        for run in finished
        for field in ("logits", "labels")
    ]


def _add_confusion(
    book: ValueBook, prefix: str, finished: tuple[FinishedRun, ...], class_names: list[str]
) -> None:
    """The most frequent mistake, if there is one, and the class least often recognised."""
    sources = _of_predictions(finished)
    shares = mean_shares(finished)

    def add_class(key: str, number: int) -> None:
        named = Source(file="data/dataset.json", field=f"class_names[{number}]")
        book.add(key, class_names[number], "text", named, *sources)

    mistake = largest_confusion(shares)
    if mistake is not None:
        add_class(f"{prefix}.confusion.true", mistake.true)
        add_class(f"{prefix}.confusion.predicted", mistake.predicted)
        book.add(f"{prefix}.confusion.share", mistake.share, "fraction", *sources)
    hardest = hardest_class(shares)
    add_class(f"{prefix}.hardest_class.name", hardest.true)
    book.add(f"{prefix}.hardest_class.share", hardest.share, "fraction", *sources)


def _add_front(book: ValueBook, runs: StudyRuns, protocol: str) -> None:
    """The models on the Pareto front, from fast to slow; nothing where times do not compare."""
    points = mean_points(runs, protocol)
    if not points or not times_compare(runs, protocol):
        return
    finished = [run for model in points for run in runs.of(protocol, model)]
    sources = [*run_sources(finished, "final_test_accuracy"), *time_sources(finished)]
    front = pareto_front(points)
    book.add(f"{protocol}.pareto.models", ", ".join(front), "text", *sources)
    book.add(f"{protocol}.pareto.count", len(front), "count", *sources)


def _add_printed(book: ValueBook, runs: StudyRuns, article: Article, protocol: str) -> None:
    """How many of the article's accuracies and increments have a number of ours, how many of
    those a prediction interval, and how many are inside of it."""
    found = article_values(article, runs, book.values, protocol)
    if not found:
        return
    counts = {
        "count": len(found),
        "with_interval": sum(value.interval is not None for value in found),
        "inside": sum(value.is_inside is True for value in found),
    }
    sources = [
        source for value in found for key in value.keys for source in book.values[key].sources
    ]
    for name, count in counts.items():
        book.add(f"{protocol}.printed_accuracies.{name}", count, "count", *sources)
