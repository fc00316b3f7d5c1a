"""What is concluded: which network to choose, and what the results cannot say."""

from resnet_sizes.reporting.sections.discussion import ClaimVerdicts
from resnet_sizes.reporting.text.context import ReportContext
from resnet_sizes.reporting.text.escaping import Safe, code
from resnet_sizes.schemas.evidence.verdicts import Criterion, Recommendation
from resnet_sizes.schemas.study.protocol import display_name

FEW_READINGS = 2
"""Up to so many readings have a list of sentences each; more have tables alone."""

FEW_SEEDS = 3
"""With fewer, nothing is known of the spread between seeds that one would rely on."""


def nothing_tested(claims: list[ClaimVerdicts]) -> bool:
    """Whether no claim that needs data could be tested."""
    return all(item.is_undecided for item in claims if item.needs_data)


class Recommendations:
    """Which network each reading's results recommend."""

    def __init__(self, report: ReportContext) -> None:
        self._report = report
        self._words = report.words
        items = report.verdicts.recommendations
        self._found = {(item.protocol, item.criterion): item for item in items}
        self.criteria = list(dict.fromkeys(item.criterion for item in items))

    def sentences(self) -> dict[str, list[Safe]]:
        """By reading, one per criterion, to stand in a list, without a full stop."""
        found: dict[str, list[Safe]] = {}
        for (protocol, _), item in self._found.items():
            found.setdefault(protocol, []).append(self._sentence(item))
        return found

    def choice(self, protocol: str, criterion: Criterion) -> Safe:
        """The network that a reading recommends by a criterion, for a table."""
        item = self._found.get((protocol, criterion))
        if item is None or item.model is None:
            return self._words("recommendations.cells.none" if item else "none")
        choice = self._words(
            f"recommendations.choices.{criterion}", **self._fillings(protocol, item.model)
        )
        return self._words(f"recommendations.cells.{_form(item)}", choice=choice)

    def _sentence(self, item: Recommendation) -> Safe:
        if item.model is None:
            return self._words(f"recommendations.{item.criterion}.none")
        others = [
            self._words("recommendations.other.item", model=display_name(model))
            for model in self._report.study.models
            if model != item.model
            and self._report.values.has(f"{item.protocol}.{model}.accuracy.mean")
        ]
        return self._words(
            f"recommendations.{item.criterion}.{_form(item)}",
            others=self._words.listed(others),
            **self._fillings(item.protocol, item.model),
        )

    def _fillings(self, protocol: str, model: str) -> dict[str, str]:
        prefix = f"{protocol}.{model}"
        return {
            "model": display_name(model),
            "accuracy": self._report.values.value(f"{prefix}.accuracy.mean"),
            "minutes": self._report.values.value(f"{prefix}.minutes.mean"),
        }


def _form(item: Recommendation) -> str:
    return "firm" if item.firm else "open" if item.tested else "untested"


def limits(report: ReportContext) -> list[Safe]:
    """What the results of this study cannot say, one sentence each, the weightiest first."""
    study, values, words = report.study, report.values, report.words
    differs = [
        words(f"limits.setup-items.{key}")
        for key in ("epochs", "batch_size", "learning_rate")
        if values.number(f"study.{key}") != values.number(f"article.{key}")
    ]
    setup = words.counted("limits.setup", len(differs), items=words.listed(differs))
    runs = [f"{name}.{model}" for name in report.protocols for model in report.models]
    computed = any(
        values.is_computed_time(key) for run in runs if values.has(key := f"{run}.minutes.mean")
    )
    shared = sum(int(values.number(key)) for run in runs if values.has(key := f"{run}.shared_runs"))
    unfinished = len(report.unfinished)
    seeds = {name: len(study.seeds_of(name)) for name in report.protocols}
    few = [name for name, number in seeds.items() if number < FEW_SEEDS]
    each = "one-each" if len(seeds) > 1 else "one"
    form = each if max(seeds.values()) == 1 else "few" if len(few) == len(seeds) else "few-some"
    other_data = values.text("data.content") != "cifar10"
    outliers = [code(name) for name in report.verdicts.outliers]
    outlying = words.counted("limits.outliers", len(outliers), runs=words.listed(outliers))
    found = [
        (study.demo, words("limits.demo")),
        (other_data and not study.demo, words("limits.data")),
        (report.is_subset, words("limits.subset")),
        (bool(differs), setup),
        (bool(few), words(f"limits.seeds.{form}", readings=words.listed(map(code, few)))),
        (bool(outliers), outlying),
        (max(seeds.values()) > 1, words("limits.normality")),
        (bool(unfinished), words.counted("limits.unfinished", unfinished)),
        (True, words.counted("limits.readings", len(report.protocols))),
        (True, words("limits.test-images")),
        (True, words("limits.minutes.computed" if computed else "limits.minutes.measured")),
        (bool(shared), words.counted("limits.shared-device", shared)),
    ]
    if values.has(key := "data.test_images_in_training"):  # there are some
        of_all = {"images": values.value(key), "all": values.value("data.test_images")}
        sentence = words.counted("limits.test-in-training", int(values.number(key)), **of_all)
        found.insert(3, (True, sentence))
    return [sentence for applies, sentence in found if applies]
