"""What the data say of the claims: rows of tables, findings, what changes between readings."""

from dataclasses import dataclass
from typing import Literal, get_args

from resnet_sizes.reporting.text.context import ReportContext
from resnet_sizes.reporting.text.escaping import Safe, code
from resnet_sizes.reporting.text.times import (
    ComputedMinutes,
    computed_minutes,
    rests_on_shared_times,
)
from resnet_sizes.reporting.text.verdict_sentences import sentence_key
from resnet_sizes.schemas.article.claims import Cell, Claim
from resnet_sizes.schemas.evidence.verdicts import Overall, Reason, Verdict, VerdictName
from resnet_sizes.schemas.study.protocol import display_name

UNDECIDED: tuple[VerdictName, ...] = (
    "not-comparable", "not-testable", "not-enough-runs", "not-run"
)  # fmt: skip
"""Verdicts that say nothing of the article."""

BY_READING: tuple[VerdictName, ...] = ("depends-on-the-reading", "decided-in-part")
"""Verdicts whose reason is what each reading gives."""

NO_MINUTES = ComputedMinutes()

_NAMED = {"quantity": "quantities", "extreme": "extremes", "column": "cells"}
"""Where the words of what a claim is about are, but for its networks."""

NAMED_AT_MOST = 4
"""So many claims of one finding are described; of more only the ids are given."""


@dataclass(frozen=True)
class ClaimVerdicts:
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
    def is_undecided(self) -> bool:
        """Whether the verdict says nothing of the article."""
        return self.overall.verdict in UNDECIDED

    @property
    def needs_data(self) -> bool:
        """Whether the networks' definitions do not decide it."""
        return "construction" not in self.overall.reasons

    @property
    def unheard(self) -> list[str]:
        """The readings that the article itself excludes, where others are heard."""
        if not self.needs_data:
            return []
        return [name for name in self.overall.excluded if name not in self.overall.taking_part]

    @property
    def seen(self) -> bool | None:
        """Whether the rule happens to hold in all readings, or in none of them."""
        answers = {verdict.observed for verdict in self.readings}
        return answers.pop() if len(answers) == 1 else None


def claim_verdicts(report: ReportContext) -> list[ClaimVerdicts]:
    """The claims of the article, in its order, with their verdicts."""
    found = []
    for claim, overall in zip(report.article.claims, report.verdicts.overall, strict=True):
        own = tuple(v for v in report.verdicts.verdicts if v.id == claim.id)
        computed = computed_minutes(own, report.values)
        shared = rests_on_shared_times(own, report.values)
        found.append(ClaimVerdicts(claim, overall, own, computed, shared))
    return found


class VerdictTexts:
    """The verdicts of a study in words."""

    def __init__(self, report: ReportContext, claims: list[ClaimVerdicts]) -> None:
        self._report = report
        self._words = report.words
        self.claims = claims
        # The cells of the article's table have a table of their own.
        self.of_the_text = [item for item in claims if not isinstance(item.claim, Cell)]

    def remarks(self) -> Safe | None:
        """Sentences on what the rows have in common besides reasons: what it means that a claim
        is observed, and which readings the article itself excludes."""
        found = []
        if (form := self._observed_form()) != "none":
            found.append(self._words(f"observed-notes.{form}"))
        alone = {
            name
            for item in self.of_the_text
            if item.needs_data and not item.is_undecided
            for name in item.overall.excluded
            if name in item.overall.taking_part
        }
        for key, names in (("others", self._shared_unheard()), ("only", sorted(alone))):
            if names:
                listed = self._words.listed([code(name) for name in names])
                note = f"excluded-notes.{key}"
                found.append(self._words.counted(note, len(names), names=listed))
        return Safe(" ".join(found)) if found else None

    def _shared_unheard(self) -> list[str]:
        """The readings that are not heard in several rows, the same in all that have any."""
        lists = [item.unheard for item in self.of_the_text if item.unheard]
        return lists[0] if len(lists) > 1 and all(each == lists[0] for each in lists) else []

    def _observed_form(self) -> Literal["true", "false", "some", "none"]:
        """Whether all claims of the text are observed, or none of them, without a test, so that
        the note says all; else whether several rows need it."""
        by_data = [item for item in self.of_the_text if item.needs_data]
        seen = [item.seen if item.is_undecided else None for item in by_data]
        told = [answer for answer in seen if answer is not None]
        if len(told) < 2:
            return "none"
        if len(told) == len(seen) and len(set(told)) == 1:
            return "true" if told[0] else "false"
        return "some"

    def shared_reasons(self) -> Safe | None:
        """The reasons that keep every claim of the text that needs data from being judged, if any
        do."""
        reasons = [self._reason_of_several(reason) for reason in self._shared_reasons()]
        return self._words.listed(reasons) if reasons else None

    def _shared_reasons(self) -> list[Reason]:
        items = [item for item in self.of_the_text if item.needs_data]
        if len(items) < 2 or not all(item.is_undecided for item in items):
            return []
        return [
            reason
            for reason in items[0].overall.reasons
            if all(reason in item.overall.reasons for item in items)
        ]

    def numbers(self) -> list[tuple[str, Safe]]:
        """The sentence with the numbers behind the first reading's verdict on each claim of
        the text that could be tested, after its id."""
        values, language = self._report.values, self._report.language
        return [
            (item.claim.id, values.value(sentence_key(item.first, language)))
            for item in self.of_the_text
            if item.first.basis is not None
        ]

    def computed_ids(self) -> list[str]:
        """The claims of the text that computed minutes help to decide, in any reading."""
        return [item.claim.id for item in self.of_the_text if item.computed]

    def of_readings(self, item: ClaimVerdicts) -> Safe:
        """`sustentada segundo probe-224; …`, the readings with the same verdict together."""
        names: dict[Safe, list[Safe]] = {}
        for verdict in item.readings:
            if verdict.protocol not in item.overall.taking_part:
                continue
            word = self._words(f"verdicts.{verdict.verdict}")
            names.setdefault(word, []).append(code(verdict.protocol))
        parts = [
            self._words("reading-verdict", names=self._words.listed(found), verdict=word)
            for word, found in names.items()
        ]
        return Safe("; ".join(parts))

    def reason(self, item: ClaimVerdicts, *, timed: bool = True) -> Safe:
        """Why the verdict is what it is, and what else is to be said of it, in clauses; without
        what the claims have in common, which `shared_reasons` and `remarks` say once, and, unless
        `timed`, without where the minutes come from."""
        overall, left_out = item.overall, self._shared_reasons()
        clauses = [
            self._words(f"reasons.{name}") for name in overall.reasons if name not in left_out
        ]
        if overall.verdict in BY_READING:
            clauses = [self.of_readings(item)]
        if item.unheard and item.unheard != self._shared_unheard():
            names = self._words.listed([code(name) for name in item.unheard])
            clauses.append(self._words.counted("excluded-readings", len(item.unheard), names=names))
        seen = {"some": "observed-words", "none": "observed"}.get(self._observed_form())
        if seen and item.is_undecided and item.seen is not None:
            clauses.append(self._words(f"{seen}.{str(item.seen).lower()}"))
        if timed and item.computed:
            clauses.append(item.computed.clause(self._words))
        if timed and item.shared:
            clauses.append(self._words("shared-device.clause"))
        return Safe("; ".join(clauses)) if clauses else self._words("none")

    @property
    def has_own_reasons(self) -> bool:
        """Whether anything is to be said of a claim of the text besides what they share."""
        return any(self.reason(item) != self._words("none") for item in self.of_the_text)

    def conclusion(self, item: ClaimVerdicts) -> Safe:
        """What the data say of something that the article concludes, in one sentence."""
        beginning = self._words(self.key_by_reason("conclusions", item.overall))
        depends = item.overall.verdict in BY_READING
        reason = self.of_readings(item) if depends else self.reason(item, timed=False)
        none = reason == self._words("none")
        return Safe(f"{beginning}." if none else f"{beginning}: {reason}.")

    def _reason_of_several(self, reason: Reason) -> Safe:
        """A reason that is given once for several claims."""
        own = f"reasons-of-several.{reason}"
        return self._words(own if self._words.has(own) else f"reasons.{reason}")

    def key_by_reason(self, table: str, overall: Overall) -> str:
        """The key of a text on a verdict: more runs are no remedy for every `not-enough-runs`,
        nor for a network that the study does not have."""
        own = f"undecided-{table}.{overall.reasons[0]}"
        return own if self._words.has_any(own) else f"{table}.{overall.verdict}"

    def findings(self) -> list[Safe]:
        """One sentence for all claims with the same verdict for the same first reason, then
        one that names those with computed minutes, and one those with minutes of shared devices."""
        groups: dict[tuple[VerdictName, str], list[ClaimVerdicts]] = {}
        for item in self.claims:
            groups.setdefault((item.overall.verdict, item.overall.reasons[0]), []).append(item)
        order = get_args(VerdictName)
        ranked = sorted(groups.items(), key=lambda group: order.index(group[0][0]))
        return [self._finding(items) for _, items in ranked] + self._of_minutes()

    def notes(self) -> list[Safe]:
        """Sentences on what the claims of a list have in common."""
        reasons, remarks = self.shared_reasons(), self.remarks()
        found = [self._words("shared-reasons", reasons=reasons)] if reasons else []
        return found + ([remarks] if remarks else []) + self._of_minutes()

    def _of_minutes(self) -> list[Safe]:
        of_minutes = {
            "computed": [item.claim.id for item in self.claims if item.computed],
            "shared-device": [item.claim.id for item in self.claims if item.shared],
        }
        return [
            self._words.counted(f"{what}.finding", len(ids), items=self._words.listed(ids))
            for what, ids in of_minutes.items()
            if ids
        ]

    def _finding(self, items: list[ClaimVerdicts]) -> Safe:
        """One sentence on items that share verdict and first reason."""
        overall = items[0].overall
        named = [Safe(item.claim.id) for item in items]
        if len(items) <= NAMED_AT_MOST:
            named = [Safe(f"{item.claim.id} ({self._subject(item.claim)})") for item in items]
        key = self.key_by_reason("findings", overall)
        beginning = self._words.counted(key, len(items), items=self._words.listed(named))
        reason = overall.reasons[0]
        several = len(items) > 1
        why = self._reason_of_several(reason) if several else self._words(f"reasons.{reason}")
        return Safe(f"{beginning}: {why}.")

    def _subject(self, claim: Claim) -> Safe:
        """What a claim is about, in a few words, by its rule."""
        fillings = {
            name: self._words(f"{_NAMED[name]}.{choice}")
            if name in _NAMED
            else display_name(choice)
            for name, choice in claim.subject.items()
        }
        return self._words(f"subjects.{claim.rule}", **fillings)


def by_reading(claims: list[ClaimVerdicts]) -> list[ClaimVerdicts]:
    """The claims that data can test, to be shown reading by reading; empty of a single reading,
    or where nothing could be judged."""
    testable = [item for item in claims if item.overall.verdict != "not-testable"]
    items = [item for item in testable if item.needs_data]
    return items if items and len(items[0].readings) > 1 else []


def changing(claims: list[ClaimVerdicts]) -> list[str]:
    """The claims whose verdict changes from one reading to the next."""
    return [item.claim.id for item in claims if item.overall.verdict == "depends-on-the-reading"]


def undecided_in_part(claims: list[ClaimVerdicts]) -> bool:
    """Whether verdicts differ, besides those that change, since a reading does not decide."""
    others = (item for item in claims if item.overall.verdict != "depends-on-the-reading")
    return any(len({verdict.verdict for verdict in item.readings}) > 1 for item in others)


def nearest(report: ReportContext) -> Safe | None:
    """The sentence that names the reading nearest to the article; None of a single one."""
    names = [code(name) for name in report.verdicts.nearest]
    listed = report.words.listed(names)
    return report.words.counted("distances.nearest", len(names), names=listed) if names else None
