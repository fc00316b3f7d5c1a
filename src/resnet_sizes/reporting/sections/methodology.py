"""The methods: seeds, what deviates from the article, what varies with depth, how it is judged.

What was done where the article leaves choices open is in `recipes.py`.
"""

from collections.abc import Hashable
from typing import Literal

from resnet_sizes.reporting.sections.recipes import RecipeWords
from resnet_sizes.reporting.text.context import ReportContext
from resnet_sizes.reporting.text.escaping import Safe, code
from resnet_sizes.reporting.text.printed import from_article
from resnet_sizes.schemas.evidence.values import seed_keys
from resnet_sizes.schemas.run.weights import weights_version
from resnet_sizes.schemas.study.protocol import TORCHVISION_WEIGHTS, display_name


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
        return words.listed(map(values.value, seed_keys(study, report.protocols[0])[1]))
    return words.listed(map(of_reading, report.protocols))


def seed_fixes(report: ReportContext) -> Safe:
    """What a seed fixes, by whether none, some or all runs start from given weights."""
    given = {
        report.recipe(name, model).weights != "none"
        for name in report.protocols
        for model in report.models
    }
    form = "some" if len(given) > 1 else "all" if True in given else "none"
    return report.words(f"seed-fixes.{form}")


def deviations(report: ReportContext, place: Literal["summary", "conclusion"]) -> list[Safe]:
    """What the article says of a model of the study and a protocol does otherwise, a sentence
    each: what it is, or which verdicts it concerns."""
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
        items = [words("deviations.item", name=name, ours=text) for name, text in ours.items()]
        sentence = words(
            f"deviations.{place}.{_form(report, len(ours))}",
            text=report.from_article(item.id, item.text),
            ours=next(iter(ours.values())),
            items=words.listed(items),
            model=display_name(item.model),
            names=words.listed(ours),
        )
        found.append(sentence)
    return found


def _form(report: ReportContext, readings: int) -> str:
    """The form of a text on so many readings of the study."""
    return "sole" if len(report.protocols) == 1 else "one" if readings == 1 else "other"


CONFOUNDING_FIELDS = (
    "trainable", "input_size", "stem", "normalisation", "augmentation", "optimizer", "schedule",
    "milestones", "factor", "warmup", "precision",
)  # fmt: skip
"""What may vary between the networks of one protocol, besides the weights."""


def confounds(report: ReportContext) -> dict[Safe, list[Safe]]:
    """Sentences on what varies with depth in a reading, so that a difference has more than one
    explanation, each with the readings of which it is true; empty where depth alone varies."""
    words = report.words
    readings: dict[Safe, list[Safe]] = {}
    for protocol in report.protocols:
        if clauses := _varying(report, protocol):
            said = words("confounds.separator").join(clauses)
            readings.setdefault(said, []).append(code(protocol))
    found = {}
    for said, names in readings.items():
        form = _form(report, len(names))
        begin = words(f"confounds.begin.{form}", names=words.listed(names))
        found[Safe(f"{begin} {said}.")] = names
    return found


def _varying(report: ReportContext, protocol: str) -> list[Safe]:
    """The clauses on what varies with depth in one protocol."""
    words = report.words
    recipes = {model: report.recipe(protocol, model) for model in report.study.models}
    clauses = []
    pretrained = {m: recipe.weights for m, recipe in recipes.items() if recipe.weights != "none"}
    if 0 < len(pretrained) < len(recipes):
        names = map(display_name, pretrained)
        clauses.append(words.about("confounds.pretrained", names, "models"))
    origins: dict[str, list[str]] = {}
    for model, weights in pretrained.items():
        shipped = weights in TORCHVISION_WEIGHTS
        origin = weights_version(model, weights) if shipped else "file"
        origins.setdefault(origin, []).append(display_name(model))
    if len(origins) > 1:
        items = [
            words(
                "confounds.origin-item",
                models=words.listed(names),
                origin=words(f"confounds.origins.{origin}"),
            )
            for origin, names in origins.items()
        ]
        clauses.append(words("confounds.origins.differ", items=Safe("; ".join(items))))
    others = [
        words(f"confounds.others.{name}")
        for name in CONFOUNDING_FIELDS
        if len({repr(getattr(recipe, name)) for recipe in recipes.values()}) > 1
    ]
    if others:
        clauses.append(words("confounds.vary", items=words.listed(others)))
    return clauses


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


def same_tests(report: ReportContext) -> Safe:
    """The sentence that names claims with the same rule and parameters; empty without any."""
    groups: dict[Hashable, list[str]] = {}
    for claim in report.article.claims:
        groups.setdefault(claim.deciding_numbers(report.article.base_model), []).append(claim.id)
    shared = [report.words.listed(ids) for ids in groups.values() if len(ids) > 1]
    if not shared:
        return Safe()
    listed = report.words("same-test.separator").join(shared)
    return report.words("same-test.groups", groups=listed)
