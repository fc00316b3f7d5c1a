"""Figures of synthetic studies, and what is drawn in them."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox
from report_studies import TEMPLATES
from study_values import collected
from synthetic import ARTICLE, make_study

from resnet_sizes.evidence.runs.read import StudyRuns, read_runs
from resnet_sizes.evidence.values.figure_values import figure_numbers
from resnet_sizes.io.files import read_record
from resnet_sizes.reporting.figures.style import FigureContext
from resnet_sizes.reporting.text.words import Words
from resnet_sizes.schemas.article.article import load_article
from resnet_sizes.schemas.evidence.figures import Figures
from resnet_sizes.schemas.paths import StudyFolder
from resnet_sizes.schemas.run.run import StudyFile

FIVE: dict[str, Any] = {
    "models": ("resnet18", "resnet34", "resnet50", "resnet101", "resnet152"),
    "accuracies": {
        "resnet18": (0.8084, 0.811, 0.805),
        "resnet34": (0.812, 0.808, 0.815),
        "resnet50": (0.8355, 0.83, 0.84),
        "resnet101": (0.832, 0.83, 0.839),
        "resnet152": (0.8594, 0.862, 0.855),
    },
    "minutes": {
        "resnet18": (41, 42, 40),
        "resnet34": (70, 72, 69),
        "resnet50": (112, 110, 118),
        "resnet101": (190, 185, 200),
        "resnet152": (262, 260, 270),
    },
    "losses": {
        "resnet18": (1.9, 0.8),
        "resnet34": (1.8, 0.7),
        "resnet50": (1.7, 0.5),
        "resnet101": (1.4, 0.45),
        "resnet152": (1.2, 0.4),
    },
}
"""Every depth, three seeds that differ; two networks are off the Pareto front or near it."""


def runs_of(folder: Path, **choices: Any) -> StudyRuns:
    """The runs of a synthetic study, which may be unfinished."""
    study = make_study(folder, **choices)
    return read_runs(read_record(study, StudyFile, ""), StudyFolder.of_file(study), True)


def numbers_of(runs: StudyRuns, article: Path = ARTICLE) -> Figures:
    """What the figures of a study show."""
    read = load_article(article)
    return figure_numbers(runs, read, collected(runs, read))


def context_of(numbers: Figures, language: str = "pt") -> FigureContext:
    """Numbers with the words of a language."""
    return FigureContext(numbers, Words(TEMPLATES / language, language))


def made_up(language: str = "pt", **numbers: Any) -> FigureContext:
    """Numbers that no study has; those that are not named are empty."""
    empty: dict[str, Any] = {
        "study": "made-up",
        "protocol": "scratch-32",
        "content": "other",
        "class_names": [],
        "curves": [],
        "points": [],
        "front": [],
        "confusion": [],
        "printed": [],
        "confidence": 0.95,
    }
    return context_of(Figures(**empty | numbers), language)


def texts_of(figure: Figure) -> list[Text]:
    """What is written in a figure, and can be seen."""
    return [
        text
        for text in figure.findobj(Text)
        if text.get_text().strip() and text.get_visible() and _is_shown(text)
    ]


def _is_shown(text: Text) -> bool:
    """Ticks outside of the limits have labels that are not drawn."""
    axes = text.axes
    if axes is None:
        return True
    for axis, low, high, place in (
        (axes.xaxis, *sorted(axes.get_xlim()), text.get_position()[0]),
        (axes.yaxis, *sorted(axes.get_ylim()), text.get_position()[1]),
    ):
        labels = [label for tick in axis.get_major_ticks() for label in (tick.label1, tick.label2)]
        if any(text is label for label in labels):
            return low <= place <= high and text.get_visible()
    return True


def boxes_of(figure: Figure) -> dict[str, Bbox]:
    """Where each text stands, in pixels; equal texts are told apart by a number."""
    figure.draw_without_rendering()
    return {
        f"{number} {text.get_text()}": text.get_window_extent()
        for number, text in enumerate(texts_of(figure))
    }


def overlaps(figure: Figure) -> Iterator[str]:
    """Texts that cover each other, or reach out of the figure."""
    boxes = list(boxes_of(figure).items())
    page = figure.bbox
    for position, (name, box) in enumerate(boxes):
        if box.x0 < page.x0 or box.x1 > page.x1 or box.y0 < page.y0 or box.y1 > page.y1:
            yield f"{name} is cut off"
        for other, second in boxes[position + 1 :]:
            if box.overlaps(second):
                yield f"{name} covers {other}"


def main_axes(figure: Figure) -> Axes:
    """The first axes of a figure."""
    return figure.axes[0]


def svg_texts(path: Path) -> list[str]:
    """The texts of an SVG."""
    return re.findall(r"<text[^>]*>([^<]*)</text>", path.read_text(encoding="utf-8"))
