"""How statements are judged: the criteria that are ours, and which statements share a test."""

from collections.abc import Hashable
from dataclasses import dataclass

from resnet_sizes.records.ledger import Ledger
from resnet_sizes.records.numbers import decimal, rounded
from resnet_sizes.records.same_test import deciding_numbers
from resnet_sizes.reporting.escaping import Safe
from resnet_sizes.reporting.printed import PrintedValues, from_ledger
from resnet_sizes.reporting.words import Words


@dataclass(frozen=True)
class Criterion:
    """A criterion of ours, and the statements that it judges."""

    ids: list[str]
    text: Safe


def criteria(ledger: Ledger, language: str) -> list[Criterion]:
    """The criteria of the ledger, each once, to stand after a colon."""
    by_text: dict[str, list[str]] = {}
    for statement in ledger.statements:
        if statement.criterion is not None:
            by_text.setdefault(getattr(statement.criterion, language), []).append(statement.id)
    return [
        Criterion(ids, from_ledger(ids[0], _uncapitalised(text))) for text, ids in by_text.items()
    ]


def _uncapitalised(text: str) -> str:
    """The text with a small first letter, unless its first word is a name such as ResNet-50."""
    first = text.split(maxsplit=1)[0]
    ordinary = first[1:] == first[1:].lower() and not any(c.isdigit() for c in first)
    return text[0].lower() + text[1:] if ordinary else text


def same_tests(ledger: Ledger, words: Words) -> Safe | None:
    """The sentence that names statements with the same rule and parameters, if there are any."""
    groups: dict[Hashable, list[str]] = {}
    for statement in ledger.statements:
        groups.setdefault(deciding_numbers(statement, ledger), []).append(statement.id)
    shared = [words.listed(ids) for ids in groups.values() if len(ids) > 1]
    if not shared:
        return None
    return words("same-test.groups", groups=words("same-test.separator").join(shared))


def seed_effect(ledger: Ledger, values: PrintedValues, words: Words, language: str) -> Safe | None:
    """By how many points two runs that differ in the seed alone may plausibly differ, with the
    source; None where the ledger knows none."""
    effect = ledger.judging.seed_effect
    if effect is None:
        return None
    number = values.followed(
        "judging.seed_effect.largest_difference",
        Safe(decimal(effect.largest_difference, 1, language)),
    )
    form = "one" if rounded(effect.largest_difference, 1) < 2 else "other"
    points = words(f"results.points.{form}", number=number)
    source = from_ledger("judging", getattr(effect.source, language))
    citation = f" [-@{effect.reference}]" if effect.reference else ""
    return Safe(f"{points}: {source}{citation}")
