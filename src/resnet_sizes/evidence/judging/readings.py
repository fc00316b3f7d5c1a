"""One verdict on each claim from those of all readings of the article."""

from collections.abc import Collection, Hashable, Sequence
from typing import get_args

from resnet_sizes.schemas.article.article import Article
from resnet_sizes.schemas.evidence.audit import Audit
from resnet_sizes.schemas.evidence.verdicts import Agreement, Overall, Reason, Verdict, VerdictName

_EXCLUDED = ("time", "memory", "time-and-memory")

_DECIDED: tuple[VerdictName, ...] = ("supported", "direction-only", "contradicted")


def ruled_out(audit: Audit) -> set[str]:
    """The readings that the article's own minutes or memory exclude, on every device known."""
    return {
        costs.protocol
        for costs in audit.protocols
        if costs.devices and all(each.outcome in _EXCLUDED for each in costs.devices)
    }


def judge_readings(
    article: Article, verdicts: Sequence[Verdict], excluded: Collection[str] = ()
) -> list[Overall]:
    """One verdict for each claim, in the article file's order.

    It is firm only where every reading that is heard decides, and all alike; where they decide
    differently it depends on the reading, and where only some decide it is open. A reading that a
    claim does not accept, or whose runs do not exist, is not heard unless there is no other; nor
    is one of the `excluded`, which cannot be what the article did. Where there is no other than
    these, they may support the article, which then holds beyond what it did, but not contradict it.
    """
    first_of_test: dict[Hashable, str] = {}
    found = []
    for claim in article.claims:
        own = [verdict for verdict in verdicts if verdict.id == claim.id]
        test = claim.deciding_numbers(article.base_model), repr(claim.needs)
        first = first_of_test.setdefault(test, claim.id)
        found.append(_overall(own, excluded, None if first == claim.id else first))
    return found


def _overall(
    own: Sequence[Verdict], excluded: Collection[str], same_test_as: str | None
) -> Overall:
    taking_part = [
        each for each in own if each.verdict != "not-run" and each.reasons[0] != "other-protocol"
    ] or list(own)
    admitted = [verdict for verdict in taking_part if verdict.protocol not in excluded]
    heard = admitted or taking_part
    first = heard[0]
    name, agreement = _together([verdict.verdict for verdict in heard])
    reasons: list[Reason] = [agreement] if agreement else first.reasons
    if agreement is None and any(_grounds(verdict) != _grounds(first) for verdict in heard):
        # The same verdict from other numbers: those of one reading would not be all.
        agreement = "readings-agree" if len(heard) == len(own) else "readings-heard-agree"
        shared = [why for why in reasons if all(why in verdict.reasons for verdict in heard)]
        reasons = shared or [agreement]
    if name == "contradicted" and not admitted:
        name, reasons, agreement = "not-comparable", ["reading-excluded"], "reading-excluded"
    return Overall(
        id=first.id,
        same_test_as=same_test_as,
        verdict=name,
        reasons=reasons,
        agreement=agreement,
        taking_part=[verdict.protocol for verdict in heard],
        excluded=[verdict.protocol for verdict in taking_part if verdict.protocol in excluded],
        readings={verdict.protocol: verdict.verdict for verdict in own},
    )


def _together(names: Sequence[VerdictName]) -> tuple[VerdictName, Agreement | None]:
    """What several verdicts come to, and how they differ where they do."""
    different = set(names)
    decided = different.intersection(_DECIDED)
    if len(different) == 1:
        return names[0], None
    if different == {"supported", "direction-only"}:
        return "direction-only", "readings-differ"  # which is what they have in common
    if len(decided) > 1:
        return "depends-on-the-reading", "readings-differ"
    if decided:
        return "decided-in-part", "readings-open"
    # Each leaves it open in another way: the one that came the farthest gives the name.
    return min(names, key=get_args(VerdictName).index), "readings-undecided"


def _grounds(verdict: Verdict) -> object:
    """What is said of a verdict: its numbers, or, where there are none, what is observed."""
    return verdict.reasons, verdict.basis or verdict.observed
