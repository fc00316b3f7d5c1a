"""The verdict on the article from all readings of a study together."""

from collections.abc import Sequence

from resnet_sizes.schemas.article.article import Article
from resnet_sizes.schemas.evidence.verdicts import (
    Agreement,
    Overall,
    Reason,
    Verdict,
    VerdictName,
)


def judge_readings(article: Article, verdicts: Sequence[Verdict]) -> list[Overall]:
    """One verdict for each claim, in the article file's order.

    It is firm only where all readings that decided give the same; otherwise it depends on the
    reading. A reading that a claim does not accept, or whose runs do not exist, does not
    take part unless there is no other; one that could not decide (too few runs, noise, no
    comparison) is no disagreement.
    """
    return [
        _overall([verdict for verdict in verdicts if verdict.id == claim.id])
        for claim in article.claims
    ]


def _overall(own: Sequence[Verdict]) -> Overall:
    """The verdict from the verdicts of all readings on one claim."""
    taking_part = [verdict for verdict in own if not _stands_aside(verdict)] or list(own)
    decided = [verdict for verdict in taking_part if verdict.verdict in _DECIDED]
    first = (decided or taking_part)[0]
    name, reasons = first.verdict, first.reasons
    agreement: Agreement | None = None
    if len({verdict.verdict for verdict in taking_part}) > 1:
        agreement = "readings-decide"
        if len({verdict.verdict for verdict in decided or taking_part}) > 1:
            name, agreement = "depends-on-the-reading", "readings-differ"
        reasons = [agreement]
    elif any(_grounds(verdict) != _grounds(first) for verdict in taking_part):
        # The same verdict from other numbers: those of one reading would not be all.
        all_decide = not decided or len(taking_part) == len(own)
        agreement = "readings-agree" if all_decide else "readings-decide"
        reasons = _shared_reasons(taking_part) or [agreement]
    return Overall(
        id=first.id,
        verdict=name,
        reasons=reasons,
        agreement=agreement,
        taking_part=[verdict.protocol for verdict in taking_part],
        readings={verdict.protocol: verdict.verdict for verdict in own},
    )


_DECIDED: tuple[VerdictName, ...] = ("supported", "direction-only", "contradicted")


def _stands_aside(verdict: Verdict) -> bool:
    return verdict.verdict == "not-run" or verdict.reasons[0] == "other-protocol"


def _grounds(verdict: Verdict) -> object:
    """What is said of a verdict: its numbers, or, where there are none, what is observed."""
    return verdict.reasons, verdict.basis or verdict.observed


def _shared_reasons(verdicts: Sequence[Verdict]) -> list[Reason]:
    first, *others = verdicts
    return [reason for reason in first.reasons if all(reason in other.reasons for other in others)]
