"""Which sentences are true of the figures; their descriptions are in `report/tables/figures.j2`."""

from typing import Literal

from resnet_sizes.reporting.text.context import ReportContext
from resnet_sizes.reporting.text.escaping import Safe, escape_markdown
from resnet_sizes.reporting.text.words import class_label
from resnet_sizes.schemas.study.protocol import display_name


class FigureTexts:
    """What the text says of the figures of the first reading."""

    def __init__(self, report: ReportContext) -> None:
        self._values = report.values
        self._words = report.words
        self._figures = report.figures

    @property
    def several(self) -> bool:
        """Whether the figures show a spread between seeds."""
        return any(len(each.minutes) > 1 for each in self._figures.points)

    @property
    def computed(self) -> Literal["none", "some", "all"]:
        """Whether times are computed, not measured."""
        kinds = {each.computed for each in self._figures.points}
        return "some" if len(kinds) > 1 else "all" if True in kinds else "none"

    def class_name(self, key: str) -> Safe:
        """The name of a class, which is a value, in the language of the report."""
        label = class_label(self._values.text(key), self._figures.content, self._words)
        return self._values.followed(key, escape_markdown(label))

    @property
    def front(self) -> Safe:
        """Which models are on the Pareto front, and what that says of the others."""
        front, models = self._figures.front, [each.model for each in self._figures.points]
        if len(models) == 1:
            return self._words("figures.pareto.sole", model=display_name(models[0]))
        if front is None:
            return self._words("figures.pareto.none")
        form = "one" if len(front) == 1 else "some" if len(front) < len(models) else "all"
        return self._words(
            f"figures.pareto.{form}", models=self._words.listed(map(display_name, front))
        )

    @property
    def inside(self) -> Safe:
        """How many of the printed numbers lie inside the prediction interval beside them."""
        prefix = f"{self._figures.protocol}.printed_accuracies"
        intervals = int(self._values.number(f"{prefix}.with_interval"))
        inside = int(self._values.number(f"{prefix}.inside"))
        if not intervals:
            return self._words("figures.forest.no-interval")
        form = "all" if inside == intervals else "some" if inside else "zero"
        if form == "some":
            form += ".one" if inside == 1 else ".other"
        return self._words(
            f"figures.forest.{'sole-' if intervals == 1 else ''}{form}",
            inside=self._values.value(f"{prefix}.inside"),
            intervals=self._values.value(f"{prefix}.with_interval"),
        )
