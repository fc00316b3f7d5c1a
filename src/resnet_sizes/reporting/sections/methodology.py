"""The methods: what the article says and leaves open, what was done here, and how it is judged."""

from collections.abc import Hashable
from dataclasses import dataclass

from resnet_sizes.i18n.numbers import decimal, rounded
from resnet_sizes.io.errors import UserError
from resnet_sizes.reporting.text.context import ReportContext
from resnet_sizes.reporting.text.escaping import Safe, code
from resnet_sizes.reporting.text.printed import from_article
from resnet_sizes.reporting.text.recipes import RecipeWords
from resnet_sizes.schemas.article.article import Stated
from resnet_sizes.schemas.evidence.values import seed_keys
from resnet_sizes.schemas.run.weights import weights_version
from resnet_sizes.schemas.study.protocol import TORCHVISION_WEIGHTS, TrainingRecipe, display_name


class MethodTexts:
    """What was done here where the article says something of the method, or leaves it open.

    The table is in `report/tables/methods.j2`.
    """

    def __init__(self, report: ReportContext) -> None:
        self._report = report
        self._recipes = RecipeWords(report)
        self._answers = self._recipes.answers()

    def of_stated(self, item: Stated) -> Safe:
        """How a model is trained of which the article says something; says who deviates."""
        report, words = self._report, self._report.words
        deviates = "deviates" if len(report.protocols) == 1 else "one-deviates"

        def answer(protocol: str, model: str) -> Safe:
            form = "as-stated" if item.holds_in(report.recipe(protocol, model)) else deviates
            return words(f"methods.{form}", ours=self._recipes.initial_weights(protocol, model))

        if item.model not in report.study.models:
            return words("methods.not-studied")
        return self._recipes.grouped(answer, [item.model])

    def of_open(self, choice: str) -> Safe:
        """What is chosen where the article leaves it open. Raises UserError for an unknown id."""
        words = self._report.words
        constant = {"gpu": self._report.cell("hardware.device", without="missing")}
        constant |= {key: words(f"choices.{key}") for key in ("epoch", "loss")}
        if choice in self._answers:
            return self._recipes.grouped(self._answers[choice])
        if choice in constant:
            return constant[choice]
        raise UserError(
            f"{self._report.study.article}: open_choices: the report has no answer to {choice!r}; "
            f"it knows {', '.join(sorted({*self._answers, *constant}))}. Use one of these ids, or "
            "add an answer in src/resnet_sizes/reporting/"
        )

    @property
    def weights_files(self) -> Safe | None:
        """The files of the initial weights, if there are any."""
        return self._recipes.weights_files()

    @property
    def unmentioned(self) -> list[str]:
        """The aspects on which the article is silent."""
        covered = {choice.id for choice in self._report.article.open_choices}
        return [key for key in self._recipes.unmentioned() if key not in covered]


def seeds_of_study(report: ReportContext) -> Safe:
    """`0, 1 e 2`; where readings have seeds of their own, how many and which of each."""
    study, values, words = report.study, report.values, report.words

    def of_reading(name: str) -> Safe:
        key, keys = seed_keys(study, name)
        seeds, printed = study.seeds_of(name), [values.value(each) for each in keys]
        in_a_row = len(seeds) > 2 and seeds == list(range(seeds[0], seeds[-1] + 1))
        return words(
            f"seeds-of-reading.{'row' if in_a_row else 'one' if len(seeds) == 1 else 'other'}",
            reading=code(name),
            number=values.value(key),
            first=printed[0],
            last=printed[-1],
            seeds=words.listed(printed),
        )

    if study.has_same_seeds:
        _, keys = seed_keys(study, report.protocols[0])
        return words.listed([values.value(key) for key in keys])
    return words.listed([of_reading(name) for name in report.protocols])


def seed_fixes(report: ReportContext) -> Safe:
    """What a seed fixes, by whether none, some or all runs start from given weights."""
    given = {
        report.recipe(name, model).weights != "none"
        for name in report.protocols
        for model in report.models
    }
    form = "some" if len(given) > 1 else "all" if True in given else "none"
    return report.words(f"seed-fixes.{form}")


@dataclass(frozen=True)
class Deviation:
    """One thing that the article says and the study does otherwise: two whole sentences."""

    summary: Safe
    conclusion: Safe


def deviations(report: ReportContext) -> list[Deviation]:
    """What the article says of a model of the study and a protocol does otherwise."""
    words, recipes = report.words, RecipeWords(report)
    found = []
    for item in report.article.stated:
        ours = {
            code(name): recipes.initial_weights(name, item.model)
            for name in report.protocols
            if item.model in report.study.models
            and not item.holds_in(report.recipe(name, item.model))
        }
        if not ours:
            continue
        form = "sole" if len(report.protocols) == 1 else "one" if len(ours) == 1 else "other"
        items = [words("deviations.item", name=name, ours=text) for name, text in ours.items()]
        found.append(
            Deviation(
                summary=words(
                    f"deviations.summary.{form}",
                    text=report.from_article(item.id, item.text),
                    ours=next(iter(ours.values())),
                    items=words.listed(items),
                ),
                conclusion=words(
                    f"deviations.conclusion.{form}",
                    model=display_name(item.model),
                    names=words.listed(ours),
                ),
            )
        )
    return found


CONFOUNDING_FIELDS = (
    "trainable", "input_size", "stem", "normalisation", "augmentation", "optimizer", "schedule",
    "precision",
)  # fmt: skip
"""What may vary between the networks of one protocol, besides the weights."""


@dataclass(frozen=True)
class Confounds:
    """Sentences on what varies with depth, and the readings in which something does."""

    sentences: list[Safe]
    names: Safe
    count: int


def confounds(report: ReportContext) -> Confounds | None:
    """What varies with depth in a reading, so that a difference has more than one explanation.

    Readings that say the same share a sentence; None where depth alone varies.
    """
    words = report.words
    readings: dict[tuple[Safe, ...], list[Safe]] = {}
    for protocol in report.protocols:
        found = tuple(_varying(report, protocol))
        if found:
            readings.setdefault(found, []).append(code(protocol))
    if not readings:
        return None
    sentences = []
    for clauses, names in readings.items():
        form = "sole" if len(report.protocols) == 1 else "one" if len(names) == 1 else "other"
        begin = words(f"confounds.begin.{form}", names=words.listed(names))
        sentences.append(Safe(f"{begin} {words('confounds.separator').join(clauses)}."))
    named = [name for names in readings.values() for name in names]
    return Confounds(sentences, words.listed(named), len(named))


def _varying(report: ReportContext, protocol: str) -> list[Safe]:
    """The clauses on what varies with depth in one protocol."""
    words = report.words
    recipes = {str(model): report.recipe(protocol, model) for model in report.study.models}
    clauses = []
    pretrained = [model for model, recipe in recipes.items() if recipe.weights != "none"]
    if pretrained and len(pretrained) < len(recipes):
        models = _listed_models(report, pretrained)
        clauses.append(words.counted("confounds.pretrained", len(pretrained), models=models))
    origins: dict[str, list[str]] = {}
    for model in pretrained:
        origins.setdefault(_weights_origin(model, recipes[model]), []).append(model)
    if len(origins) > 1:
        items = [
            words(
                "confounds.origin-item",
                models=_listed_models(report, models),
                origin=words(f"confounds.origins.{origin}"),
            )
            for origin, models in origins.items()
        ]
        clauses.append(words("confounds.origins.differ", items=Safe("; ".join(items))))
    others = [
        words(f"confounds.others.{name}")
        for name in CONFOUNDING_FIELDS
        if len({getattr(recipe, name) for recipe in recipes.values()}) > 1
    ]
    if others:
        clauses.append(words("confounds.vary", items=words.listed(others)))
    return clauses


def _weights_origin(model: str, recipe: TrainingRecipe) -> str:
    if recipe.weights in TORCHVISION_WEIGHTS:
        return weights_version(model, recipe.weights)
    return "file"


def _listed_models(report: ReportContext, models: list[str]) -> Safe:
    return report.words.listed([display_name(model) for model in models])


def criteria(report: ReportContext) -> list[tuple[list[str], Safe]]:
    """The criteria of the article file, each once, to stand after a colon, with the claims that
    they judge."""
    by_text: dict[str, list[str]] = {}
    for claim in report.article.claims:
        if claim.criterion is not None:
            by_text.setdefault(report.in_language(claim.criterion), []).append(claim.id)
    return [(ids, from_article(ids[0], _uncapitalised(text))) for text, ids in by_text.items()]


def _uncapitalised(text: str) -> str:
    """The text with a small first letter, unless its first word is a name such as ResNet-50."""
    first = text.split(maxsplit=1)[0]
    ordinary = first[1:] == first[1:].lower() and not any(c.isdigit() for c in first)
    return text[0].lower() + text[1:] if ordinary else text


def same_tests(report: ReportContext) -> Safe | None:
    """The sentence that names claims with the same rule and parameters, if there are any."""
    groups: dict[Hashable, list[str]] = {}
    for claim in report.article.claims:
        groups.setdefault(claim.deciding_numbers(report.article.base_model), []).append(claim.id)
    shared = [report.words.listed(ids) for ids in groups.values() if len(ids) > 1]
    if not shared:
        return None
    listed = report.words("same-test.separator").join(shared)
    return report.words("same-test.groups", groups=listed)


def seed_deviation(report: ReportContext) -> Safe | None:
    """The points by which accuracies of runs that differ in the seed alone are supposed to vary
    where more seeds are planned, with the source; None where the article file knows none."""
    deviation = report.article.judging.seed_deviation
    if deviation is None:
        return None
    number = report.values.followed(
        "judging.seed_deviation.points", Safe(decimal(deviation.points, 1, report.language))
    )
    form = "one" if rounded(deviation.points, 1) < 2 else "other"
    points = report.words(f"results.points.{form}", number=number)
    source = report.from_article("judging", deviation.source)
    citation = f" [-@{deviation.reference}]" if deviation.reference else ""
    return Safe(f"{points}: {source}{citation}")
