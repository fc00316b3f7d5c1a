"""The numbers of the figures, and the values that their captions and descriptions print."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from statistics import mean

import numpy as np
import numpy.typing as npt

from resnet_sizes.evidence.runs.read import StudyRuns, on_one_device
from resnet_sizes.evidence.runs.validate import FinishedRun
from resnet_sizes.evidence.values.value_book import ValueBook, in_percent
from resnet_sizes.schemas.article.article import Article
from resnet_sizes.schemas.article.claims.base import overlap, printed_ends
from resnet_sizes.schemas.article.claims.printed_number import PrintedMean
from resnet_sizes.schemas.article.columns import COLUMNS, own_key, prediction_keys
from resnet_sizes.schemas.evidence import figures as records
from resnet_sizes.schemas.evidence.values import Source, Value
from resnet_sizes.schemas.evidence.verdicts import CONFIDENCE
from resnet_sizes.schemas.run.tensors import PREDICTION_NAMES
from resnet_sizes.schemas.study.protocol import by_depth, shallowest

Finished = tuple[FinishedRun, ...]

Shares = npt.NDArray[np.float64]
"""Fractions of the images of each true class (rows) by predicted class (columns)."""

_LEAST_WRITTEN = 0.005
"""Fractions that would print as 0 % are not written into the matrix."""
_MOST_CLASSES_WRITTEN = 21
"""With more, numbers would be too small to read."""


def figure_numbers(
    runs: StudyRuns, article: Article, values: Mapping[str, Value]
) -> records.Figures:
    """What the figures show of the study's first protocol; `values` are those of values.json."""
    protocol = runs.study.protocols[0]
    finished, own = _finished(runs, protocol), _finished(runs.own, protocol)
    points = [
        records.ModelPoints(
            model=model,
            minutes=[run.outcome.minutes for run in found],
            accuracies=[run.outcome.accuracy for run in found],
            computed=any(run.has_computed_time for run in found),
        )
        for model, found in own.items()  # times are a device's own
    ]
    front = None
    if on_one_device(run for found in own.values() for run in found):
        front = pareto_front({of.model: (mean(of.minutes), mean(of.accuracies)) for of in points})
    return records.Figures(
        study=runs.study.name,
        protocol=protocol,
        content=runs.info.content,
        class_names=runs.info.class_names,
        curves=[_curves(model, found) for model, found in finished.items()],
        points=points,
        front=front,
        confusion=[_matrix(protocol, model, found) for model, found in finished.items()],
        printed=list(printed_accuracies(article, runs, values, protocol)),
        confidence=CONFIDENCE,
    )


def _finished(runs: StudyRuns, protocol: str) -> dict[str, Finished]:
    """The finished runs of each model that has any, from shallow to deep."""
    found = {model: runs.of(protocol, model) for model in by_depth(runs.study.models)}
    return {model: finished for model, finished in found.items() if finished}


def _curves(model: str, finished: Finished) -> records.ModelCurves:
    curves = {
        name: [[getattr(epoch, name) for epoch in run.metrics.epochs] for run in finished]
        for name in ("train_loss", "train_accuracy", "test_accuracy")
    }
    return records.ModelCurves(model=model, **curves)


def _matrix(protocol: str, model: str, finished: Finished) -> records.ConfusionMatrix:
    shares = mean_shares(finished)
    return records.ConfusionMatrix(
        model=model,
        cells=list(confusion_cells(shares, f"{protocol}.{model}")),
        empty_classes=np.flatnonzero(np.isnan(shares).all(axis=1)).tolist(),
        largest=largest_confusion(shares),
    )


def mean_shares(runs: Sequence[FinishedRun]) -> Shares:
    """Means over one model's runs: float64 `[classes, classes]`; NaN of a class without test
    images. Every run has the same test images, so each row adds up to 1."""
    counts = np.sum([run.confusion for run in runs], axis=0, dtype=np.float64)
    images = counts.sum(axis=1, keepdims=True)
    shares: Shares = np.divide(counts, images, out=np.full_like(counts, np.nan), where=images > 0)
    return shares


def largest_confusion(shares: Shares) -> records.ConfusionCell | None:
    """The most frequent mistake, the first of equal ones; None where there is none."""
    mistakes = np.where(np.eye(len(shares), dtype=bool), 0.0, np.nan_to_num(shares))
    true, predicted = divmod(int(mistakes.argmax()), len(shares))
    share = float(mistakes[true, predicted])
    return records.ConfusionCell(true=true, predicted=predicted, share=share) if share > 0 else None


def hardest_class(shares: Shares) -> records.ConfusionCell:
    """The class that is least often recognised, with the share that is."""
    recognised = np.nan_to_num(np.diagonal(shares), nan=np.inf)
    hardest = int(recognised.argmin())
    return records.ConfusionCell(true=hardest, predicted=hardest, share=float(recognised[hardest]))


def confusion_cells(shares: Shares, prefix: str) -> Iterator[records.ConfusionCell]:
    """The entries above zero, row by row; those that a figure writes have a key in values.json,
    which begins with `prefix` (`<protocol>.<model>`)."""
    least = _LEAST_WRITTEN if len(shares) <= _MOST_CLASSES_WRITTEN else np.inf
    for true, predicted in np.argwhere(np.nan_to_num(shares) > 0).tolist():
        share = float(shares[true, predicted])
        key = f"{prefix}.confusion.cells.{true}.{predicted}" if share >= least else None
        yield records.ConfusionCell(true=true, predicted=predicted, share=share, key=key)


def pareto_front(points: Mapping[str, tuple[float, float]]) -> list[str]:
    """The models of the Pareto front, from fast to slow; a point is `(minutes, accuracy)`. A model
    is on it unless another is at least as fast and as accurate, and better in one."""

    def is_beaten(own: tuple[float, float]) -> bool:
        others = (other for other in points.values() if other != own)
        return any(minutes <= own[0] and accuracy >= own[1] for minutes, accuracy in others)

    return sorted((m for m in points if not is_beaten(points[m])), key=points.__getitem__)


def printed_accuracies(
    article: Article, runs: StudyRuns, values: Mapping[str, Value], protocol: str
) -> Iterator[records.PrintedAccuracy]:
    """The accuracies or errors of the article's table and their increments, column by column: what
    one protocol's runs have a number for, and the article no mean of several runs. Our increments
    are over the study's shallowest model; those over another one are left out."""
    same_base = article.base_model == shallowest(runs.study.models)
    means = [(of.model, of.column) for of in article.claims if isinstance(of, PrintedMean)]
    for column in article.columns:
        held = COLUMNS[column]
        if held.by_definition or held.kind != "percent" or (held.over_base and not same_base):
            continue
        for row in article.table:
            printed = row.cells[column]
            ours = own_key(column, protocol, row.model)
            if printed is None or ours not in values or (row.model, column) in means:
                continue
            bounds = prediction_keys(column, protocol, row.model)
            keys = [ours, *(key for key in bounds if key in values)]
            numbers = [in_percent(values[key]) for key in keys]
            yield records.PrintedAccuracy(
                model=row.model,
                column=column,
                printed=printed,
                ours=numbers[0],
                interval=(numbers[1], numbers[2]) if len(numbers) == 3 else None,
                keys=[f"article.{row.model}.{column}", *keys],
            )


def is_inside(value: records.PrintedAccuracy) -> bool | None:
    """Whether a number that rounds to the printed one lies in the interval; None without one."""
    interval = value.interval
    return None if interval is None else overlap(interval, printed_ends(value.printed))


def add_figure_values(book: ValueBook, runs: StudyRuns, article: Article) -> None:
    """The book holds the other values already. Figures are of the first protocol alone; verdicts on
    the others rest on predictions too, which the shares of their classes have as sources."""
    for protocol in runs.study.protocols:
        for model, finished in _finished(runs, protocol).items():
            _add_confusion(book, f"{protocol}.{model}", finished, runs.info.class_names)
    protocol = runs.study.protocols[0]
    for model, finished in _finished(runs, protocol).items():
        prefix = f"{protocol}.{model}"
        # Where the curves end on the training images, and begin on the test images.
        last, first = "epochs[-1].train_accuracy", "epochs[0].test_accuracy"
        book.add_mean(f"{prefix}.final_train_accuracy", "fraction", finished, last)
        book.add_mean(f"{prefix}.first_test_accuracy", "fraction", finished, first)
        for cell in confusion_cells(mean_shares(finished), prefix):
            if cell.key is not None:
                book.add(cell.key, cell.share, "fraction", *_of_predictions(finished))
    if printed := list(printed_accuracies(article, runs, book.values, protocol)):
        keys = [key for value in printed for key in value.keys]
        sources = [source for key in keys for source in book.values[key].sources]
        prefix, inside = f"{protocol}.printed_accuracies", [is_inside(each) for each in printed]
        with_interval = len(inside) - inside.count(None)
        book.add(f"{prefix}.with_interval", with_interval, "count", *sources)
        book.add(f"{prefix}.inside", inside.count(True), "count", *sources)


def _of_predictions(finished: Finished) -> list[Source]:
    pairs = product(finished, PREDICTION_NAMES)
    return [Source(file=run.predictions_file, field=field) for run, field in pairs]


def _add_confusion(book: ValueBook, prefix: str, finished: Finished, names: list[str]) -> None:
    """The most frequent mistake, if there is one, and the class least often recognised."""
    shares, sources = mean_shares(finished), _of_predictions(finished)

    def add_class(key: str, number: int) -> None:
        named = Source(file="data/dataset.json", field=f"class_names[{number}]")
        book.add(f"{prefix}.{key}", names[number], "text", named, *sources)

    if mistake := largest_confusion(shares):
        add_class("confusion.true", mistake.true)
        add_class("confusion.predicted", mistake.predicted)
        book.add(f"{prefix}.confusion.share", mistake.share, "fraction", *sources)
    hardest = hardest_class(shares)
    add_class("hardest_class.name", hardest.true)
    book.add(f"{prefix}.hardest_class.share", hardest.share, "fraction", *sources)
