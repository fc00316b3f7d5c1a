"""How claims are judged: the criteria that are ours, and which claims share a test."""

from collections.abc import Hashable
from dataclasses import dataclass

from resnet_sizes.i18n.numbers import decimal, rounded
from resnet_sizes.reporting.text.escaping import Safe
from resnet_sizes.reporting.text.printed import PrintedValues, from_article
from resnet_sizes.reporting.text.words import Words
from resnet_sizes.schemas.article.article import Article


@dataclass(frozen=True)
class Criterion:
    """A criterion of ours, and the claims that it judges."""

    ids: list[str]
    text: Safe


def criteria(article: Article, language: str) -> list[Criterion]:
    """The criteria of the article file, each once, to stand after a colon."""
    by_text: dict[str, list[str]] = {}
    for claim in article.claims:
        if claim.criterion is not None:
            by_text.setdefault(getattr(claim.criterion, language), []).append(claim.id)
    return [
        Criterion(ids, from_article(ids[0], _uncapitalised(text))) for text, ids in by_text.items()
    ]


def _uncapitalised(text: str) -> str:
    """The text with a small first letter, unless its first word is a name such as ResNet-50."""
    first = text.split(maxsplit=1)[0]
    ordinary = first[1:] == first[1:].lower() and not any(c.isdigit() for c in first)
    return text[0].lower() + text[1:] if ordinary else text


def same_tests(article: Article, words: Words) -> Safe | None:
    """The sentence that names claims with the same rule and parameters, if there are any."""
    groups: dict[Hashable, list[str]] = {}
    for claim in article.claims:
        groups.setdefault(claim.deciding_numbers(article.base_model), []).append(claim.id)
    shared = [words.listed(ids) for ids in groups.values() if len(ids) > 1]
    if not shared:
        return None
    return words("same-test.groups", groups=words("same-test.separator").join(shared))


def seed_effect(
    article: Article, values: PrintedValues, words: Words, language: str
) -> Safe | None:
    """By how many points two runs that differ in the seed alone may plausibly differ, with the
    source; None where the article file knows none."""
    effect = article.judging.seed_effect
    if effect is None:
        return None
    number = values.followed(
        "judging.seed_effect.largest_difference",
        Safe(decimal(effect.largest_difference, 1, language)),
    )
    form = "one" if rounded(effect.largest_difference, 1) < 2 else "other"
    points = words(f"results.points.{form}", number=number)
    source = from_article("judging", getattr(effect.source, language))
    citation = f" [-@{effect.reference}]" if effect.reference else ""
    return Safe(f"{points}: {source}{citation}")
