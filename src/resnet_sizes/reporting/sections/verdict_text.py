"""Verdicts in words: rows of tables, findings of the discussion, the tally, conclusions."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import get_args

from resnet_sizes.i18n.reasons import reason_clause
from resnet_sizes.reporting.sections.computed import ComputedMinutes
from resnet_sizes.reporting.sections.verdict_sentences import sentence_key
from resnet_sizes.reporting.text.escaping import Safe, code, escape_markdown
from resnet_sizes.reporting.text.printed import PrintedValues, from_article
from resnet_sizes.reporting.text.words import Words, model_name
from resnet_sizes.schemas.article.claims import Cell, Claim
from resnet_sizes.schemas.evidence.verdicts import Overall, Reason, Verdict, VerdictName

UNDECIDED: tuple[VerdictName, ...] = ("not-comparable", "not-enough-runs", "not-run")
"""Verdicts that say nothing of the article."""

DECIDED: tuple[VerdictName, ...] = ("supported", "direction-only", "contradicted")

NO_MINUTES = ComputedMinutes()

_NAMED = {"quantity": "quantities", "extreme": "extremes", "column": "cells"}
"""Where the words of what a claim is about are, but for its networks."""

NAMED_AT_MOST = 4
"""So many claims of one finding are described; of more only the ids are given."""


@dataclass(frozen=True)
class Judged:
    """A claim with the verdicts on it, from all readings together and from each."""

    claim: Claim
    overall: Overall
    readings: tuple[Verdict, ...]
    """In the study's order."""
    computed: ComputedMinutes = NO_MINUTES
    shared: bool = False
    """Whether minutes of runs that shared their device are behind it."""

    @property
    def first(self) -> Verdict:
        """From the study's first reading, which gives Table 1."""
        return self.readings[0]

    @property
    def undecided(self) -> list[str]:
        """The readings that do not decide, where others do."""
        if self.overall.verdict not in DECIDED:
            return []
        return [verdict.protocol for verdict in self.readings if verdict.verdict not in DECIDED]

    @property
    def seen(self) -> bool | None:
        """Whether the rule happens to hold in all readings, or in none of them."""
        answers = {verdict.observed for verdict in self.readings}
        return answers.pop() if len(answers) == 1 else None


@dataclass(frozen=True)
class ClaimRow:
    """One row of the table of verdicts."""

    id: str
    text: Safe
    verdict: Safe
    reason: Safe


@dataclass(frozen=True)
class Conclusion:
    """What the article concludes, and what the data say of it."""

    id: str
    text: Safe
    finding: Safe
    verdict: VerdictName


class Judgements:
    """The verdicts of a study in one language."""

    def __init__(
        self, judged: Sequence[Judged], values: PrintedValues, words: Words, language: str
    ) -> None:
        self._values = values
        self._judged = judged
        self._t = words
        self._language = language

    def rows(self) -> list[ClaimRow]:
        """The claims of the text; the cells of the table have their own.

        Reasons that hold for all of them stand once, in `shared`, and not in each row.
        """
        left_out = self._shared_reasons()
        return [self.row(item, left_out) for item in self._of_the_text()]

    def shared(self) -> Safe | None:
        """The reasons that keep every claim of the text from being judged, if any do."""
        reasons = [self._clause(reason) for reason in self._shared_reasons()]
        return self._t.listed(reasons) if reasons else None

    def numbers(self) -> list[tuple[str, Safe]]:
        """The sentence with the numbers behind the first reading's verdict on each claim of
        the text that could be tested, after its id."""
        return [
            (item.claim.id, self._sentence(item.first))
            for item in self._of_the_text()
            if item.first.basis is not None
        ]

    def by_reading(self) -> list[tuple[str, list[Safe]]]:
        """For each claim that needs data its verdicts from each reading; empty of a single
        reading, or where nothing could be judged."""
        items = [item for item in self._judged if "construction" not in item.overall.reasons]
        if len(items[0].readings if items else ()) < 2:
            return []
        return [
            (item.claim.id, [self._t(f"verdicts.{v.verdict}") for v in item.readings])
            for item in items
        ]

    def changing(self) -> list[str]:
        """The claims whose verdict changes from one reading to the next."""
        return [
            item.claim.id
            for item in self._judged
            if item.overall.verdict == "depends-on-the-reading"
        ]

    def undecided_in_part(self) -> bool:
        """Whether verdicts differ, besides those that change, since a reading does not decide."""
        changing = set(self.changing())
        return any(
            len({verdict.verdict for verdict in item.readings}) > 1
            for item in self._judged
            if item.claim.id not in changing
        )

    def _of_the_text(self) -> list[Judged]:
        return [item for item in self._judged if not isinstance(item.claim, Cell)]

    def _shared_reasons(self) -> list[Reason]:
        items = [item.overall for item in self._of_the_text()]
        if len(items) < 2 or any(item.verdict not in UNDECIDED for item in items):
            return []
        return [
            reason for reason in items[0].reasons if all(reason in item.reasons for item in items)
        ]

    def conclusions(self) -> list[Conclusion]:
        """What the article concludes, each with a finding of one sentence."""
        return [
            Conclusion(
                id=item.claim.id,
                text=self.row(item).text,
                finding=self._conclusion(item),
                verdict=item.overall.verdict,
            )
            for item in self._judged
            if item.claim.place == "conclusions"
        ]

    def _conclusion(self, item: Judged) -> Safe:
        beginning = self._t(self._by_reason("conclusions", item.overall))
        if item.overall.verdict == "depends-on-the-reading":
            return Safe(f"{beginning}: {self._of_readings(item)}.")
        return Safe(f"{beginning}: {self._reason(item)}.")

    def row(self, item: Judged, left_out: Collection[Reason] = ()) -> ClaimRow:
        """One claim; reasons that are `left_out` stand elsewhere."""
        return ClaimRow(
            id=item.claim.id,
            text=from_article(item.claim.id, getattr(item.claim.text, self._language)),
            verdict=self._t(f"verdicts.{item.overall.verdict}"),
            reason=self._reason(item, left_out),
        )

    def _clause(self, reason: Reason) -> Safe:
        return escape_markdown(reason_clause(reason, self._language))

    def _sentence(self, verdict: Verdict) -> Safe:
        return self._values.value(sentence_key(verdict, self._language))

    def _of_readings(self, item: Judged) -> Safe:
        """`sustentada segundo probe-224; …`, the readings with the same verdict together."""
        names: dict[Safe, list[Safe]] = {}
        for verdict in item.readings:
            word = self._t(f"verdicts.{verdict.verdict}")
            names.setdefault(word, []).append(code(verdict.protocol))
        parts = [
            self._t("reading-verdict", names=self._t.listed(found), verdict=word)
            for word, found in names.items()
        ]
        return Safe("; ".join(parts))

    def _reason(self, item: Judged, left_out: Collection[Reason] = ()) -> Safe:
        overall = item.overall
        clauses = [self._clause(reason) for reason in overall.reasons if reason not in left_out]
        if overall.verdict == "depends-on-the-reading":
            clauses = [self._of_readings(item)]
        if item.undecided:
            names = self._t.listed([code(name) for name in item.undecided])
            clauses.append(self._t.counted("undecided-readings", len(item.undecided), names=names))
        if overall.verdict in UNDECIDED and item.seen is not None:
            clauses.append(self._t(f"observed.{str(item.seen).lower()}"))
        if item.computed:
            clauses.append(item.computed.clause(self._t))
        if item.shared:
            clauses.append(self._t("shared-device.clause"))
        return Safe("; ".join(clauses)) if clauses else self._t("none")

    def _by_reason(self, table: str, overall: Overall) -> str:
        """The key of a text on a verdict: more runs are no remedy for every `not-enough-runs`."""
        own = f"undecided-{table}.{overall.reasons[0]}"
        if overall.verdict == "not-enough-runs" and self._t.has_any(own):
            return own
        return f"{table}.{overall.verdict}"

    def subject(self, claim: Claim) -> Safe:
        """What a claim is about, in a few words, by its rule."""
        fillings = {
            name: self._t(f"{_NAMED[name]}.{choice}") if name in _NAMED else model_name(choice)
            for name, choice in claim.subject.items()
        }
        return self._t(f"subjects.{claim.rule}", **fillings)

    def findings(self) -> list[Safe]:
        """One sentence for all claims with the same verdict for the same first reason, then
        one that names those with computed minutes, and one those with minutes of shared devices."""
        groups: dict[tuple[VerdictName, str], list[Judged]] = {}
        for item in self._judged:
            groups.setdefault((item.overall.verdict, item.overall.reasons[0]), []).append(item)
        order = get_args(VerdictName)
        ranked = sorted(groups.items(), key=lambda group: order.index(group[0][0]))
        found = [self._finding(items) for _, items in ranked]
        of_minutes = {
            "computed": [item.claim.id for item in self._judged if item.computed],
            "shared-device": [item.claim.id for item in self._judged if item.shared],
        }
        for what, ids in of_minutes.items():
            if ids:
                listed = self._t.listed(ids)
                found.append(self._t.counted(f"{what}.finding", len(ids), items=listed))
        return found

    def _finding(self, items: list[Judged]) -> Safe:
        """Of items that share verdict and first reason."""
        overall = items[0].overall
        if len(items) > NAMED_AT_MOST:
            named = [Safe(item.claim.id) for item in items]
        else:
            named = [Safe(f"{item.claim.id} ({self.subject(item.claim)})") for item in items]
        key = self._by_reason("findings", overall)
        beginning = self._t.counted(key, len(items), items=self._t.listed(named))
        return Safe(f"{beginning}: {self._clause(overall.reasons[0])}.")


def tally(values: PrintedValues, words: Words) -> Safe:
    """How often each verdict was given, zeros only for the two that speak on the article."""
    parts = []
    for verdict in get_args(VerdictName):
        key = f"verdict.{verdict}.count"
        count = int(values.number(key))
        if verdict == "true-by-construction":
            continue
        if count or verdict in ("supported", "contradicted"):
            parts.append(words.counted(f"tally.{verdict}", count, number=values.value(key)))
    return words.listed(parts)


def construction_count(values: PrintedValues, words: Words) -> Safe | None:
    """The sentence on what is true by construction, if anything is."""
    key = "verdict.true-by-construction.count"
    count = int(values.number(key))
    if not count:
        return None
    return words.counted("tally.true-by-construction", count, number=values.value(key))


def nothing_tested(judged: Sequence[Judged]) -> bool:
    """Whether no claim that needs data could be tested."""
    return all(
        item.overall.verdict in UNDECIDED or "construction" in item.overall.reasons
        for item in judged
    )
