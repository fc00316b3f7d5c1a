"""The verdict on the article from all readings of a study together."""

from collections.abc import Sequence

from resnet_sizes.reporting.sections.verdict_sentences import sentence_of_readings
from resnet_sizes.schemas.article.article import Article
from resnet_sizes.schemas.evidence.verdicts import Overall, Reason, Verdict, VerdictName


def judge_readings(article: Article, verdicts: Sequence[Verdict]) -> list[Overall]:
    """One verdict for each claim, in the article file's order.

    It is firm only where all readings that decided give the same; otherwise it depends on the
    reading. A reading that a claim does not accept, or whose runs do not exist, does not
    take part unless there is no other; one that could not decide (too few runs, noise, no
    comparison) is no disagreement, and the sentence names it.
    """
    found = []
    for claim in article.claims:
        own = [verdict for verdict in verdicts if verdict.id == claim.id]
        taking_part = [verdict for verdict in own if not _stands_aside(verdict)] or own
        by_verdict: dict[VerdictName, list[str]] = {}
        for verdict in taking_part:
            by_verdict.setdefault(verdict.verdict, []).append(verdict.protocol)
        decided = [verdict for verdict in taking_part if verdict.verdict in _DECIDED]
        first = (decided or taking_part)[0]
        overall = Overall(
            id=claim.id,
            verdict=first.verdict,
            reasons=first.reasons,
            sentence=first.sentence,
            readings={verdict.protocol: verdict.verdict for verdict in own},
        )
        answers = {verdict.verdict for verdict in decided or taking_part}
        reason: Reason
        if len(by_verdict) > 1:
            differ = len(answers) > 1
            reason = "readings-differ" if differ else "readings-decide"
            changes: dict[str, object] = {
                "verdict": "depends-on-the-reading" if differ else first.verdict,
                "reasons": [reason],
                "sentence": sentence_of_readings(reason, by_verdict),
            }
            overall = overall.model_copy(update=changes)
        elif len(taking_part) > 1 and len({verdict.sentence.pt for verdict in taking_part}) > 1:
            # The same verdict from other numbers: those of one reading would not be all.
            shared = [
                reason
                for reason in first.reasons
                if all(reason in verdict.reasons for verdict in taking_part)
            ]
            all_decide = not decided or len(taking_part) == len(own)
            reason = "readings-agree" if all_decide else "readings-decide"
            changes = {
                "reasons": shared or [reason],
                "sentence": sentence_of_readings(reason, by_verdict),
            }
            overall = overall.model_copy(update=changes)
        found.append(overall)
    return found


_DECIDED: tuple[VerdictName, ...] = ("supported", "direction-only", "contradicted")


def _stands_aside(verdict: Verdict) -> bool:
    return verdict.verdict == "not-run" or verdict.reasons[0] == "other-protocol"
