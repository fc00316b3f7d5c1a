"""What the data say of the claims: reasons, findings, sentences on conclusions."""

from functools import cached_property
from typing import Literal, get_args

from resnet_sizes.reporting.sections.claims import ClaimVerdicts
from resnet_sizes.reporting.text.context import ReportContext
from resnet_sizes.reporting.text.escaping import Safe, code
from resnet_sizes.reporting.text.verdict_sentences import sentence_key
from resnet_sizes.schemas.article.claims import Claim
from resnet_sizes.schemas.evidence.verdicts import Overall, Reason, VerdictName
from resnet_sizes.schemas.study.protocol import display_name

BY_READING: tuple[VerdictName, ...] = ("depends-on-the-reading", "decided-in-part")
"""Verdicts whose reason is what each reading gives."""

_NAMED = {"quantity": "quantities", "extreme": "extremes", "column": "cells"}
"""Where the words of what a claim is about are, but for its networks."""

NAMED_AT_MOST = 4
"""So many claims of one finding are described; of more only the ids are given."""


class VerdictTexts:
    """The verdicts of a study in words."""

    def __init__(self, report: ReportContext, claims: list[ClaimVerdicts]) -> None:
        self._report = report
        self._words = report.words
        self.claims = claims
        # The cells of the article's table have a table of their own.
        self.of_the_text = [item for item in claims if item.claim.rule != "cell"]
        self._by_data = [item for item in self.of_the_text if item.needs_data]

    def remarks(self) -> Safe:
        """Sentences on what the rows have in common besides reasons: what it means that a claim
        is observed, and which readings the article itself excludes; empty where there is none."""
        found = []
        if self._observed_form != "none":
            found.append(self._words(f"observed-notes.{self._observed_form}"))
        alone = {
            name
            for item in self._by_data
            if not item.is_undecided
            for name in item.overall.excluded
            if name in item.overall.taking_part
        }
        for key, names in (("others", self._shared_unheard), ("only", sorted(alone))):
            note = self._words.about(f"excluded-notes.{key}", map(code, names), "names")
            found += [note] if note else []
        return Safe(" ".join(found))

    @cached_property
    def _shared_unheard(self) -> list[str]:
        """The readings that are not heard in several rows, the same in all that have any."""
        lists = [item.unheard for item in self.of_the_text if item.unheard]
        return lists[0] if len(lists) > 1 and all(each == lists[0] for each in lists) else []

    @cached_property
    def _observed_form(self) -> Literal["true", "false", "some", "none"]:
        """Whether all claims of the text are observed, or none of them, without a test, so that
        the note says all; else whether several rows need it."""
        seen = [item.seen if item.is_undecided else None for item in self._by_data]
        told = [answer for answer in seen if answer is not None]
        if len(told) < 2:
            return "none"
        if len(told) == len(seen) and len(set(told)) == 1:
            return "true" if told[0] else "false"
        return "some"

    def shared_reasons(self) -> Safe:
        """The reasons that keep every claim of the text that needs data from being judged; empty
        where there are none."""
        return self._words.listed(map(self._reason_of_several, self._shared_reasons))

    @cached_property
    def _shared_reasons(self) -> list[Reason]:
        items = self._by_data
        if len(items) < 2 or not all(item.is_undecided for item in items):
            return []
        first = items[0].overall.reasons
        return [name for name in first if all(name in item.overall.reasons for item in items)]

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
        names: dict[VerdictName, list[Safe]] = {}
        for verdict in item.readings:
            if verdict.protocol in item.overall.taking_part:
                names.setdefault(verdict.verdict, []).append(code(verdict.protocol))
        parts = [
            self._words(
                "reading-verdict",
                names=self._words.listed(found),
                verdict=self._words(f"verdicts.{verdict}"),
            )
            for verdict, found in names.items()
        ]
        return Safe("; ".join(parts))

    def reason(self, item: ClaimVerdicts, *, timed: bool = True) -> Safe:
        """Why the verdict is what it is, and what else is to be said of it, in clauses; without
        what the claims have in common, which `shared_reasons` and `remarks` say once, and, unless
        `timed`, without where the minutes come from."""
        words, overall = self._words, item.overall
        if overall.verdict in BY_READING:
            clauses = [self.of_readings(item)]
        else:
            own = [name for name in overall.reasons if name not in self._shared_reasons]
            clauses = [words(f"reasons.{name}") for name in own]
        if item.unheard and item.unheard != self._shared_unheard:
            clauses.append(words.about("excluded-readings", map(code, item.unheard), "names"))
        seen = {"some": "observed-words", "none": "observed"}.get(self._observed_form)
        if seen and item.is_undecided and item.seen is not None:
            clauses.append(words(f"{seen}.{str(item.seen).lower()}"))
        if timed and item.computed:
            clauses.append(item.computed_clause(words))
        if timed and item.shared:
            clauses.append(words("shared-device.clause"))
        return Safe("; ".join(clauses)) if clauses else words("none")

    @property
    def has_own_reasons(self) -> bool:
        """Whether anything is to be said of a claim of the text besides what they share."""
        return any(self.reason(item) != self._words("none") for item in self.of_the_text)

    def conclusion(self, item: ClaimVerdicts) -> Safe:
        """What the data say of something that the article concludes, in one sentence."""
        beginning = self._words(self._key_by_reason("conclusions", item.overall))
        depends = item.overall.verdict in BY_READING
        reason = self.of_readings(item) if depends else self.reason(item, timed=False)
        none = reason == self._words("none")
        return Safe(f"{beginning}." if none else f"{beginning}: {reason}.")

    def _reason_of_several(self, reason: Reason) -> Safe:
        """A reason that is given once for several claims."""
        own = f"reasons-of-several.{reason}"
        return self._words(own if self._words.find(own) else f"reasons.{reason}")

    def _key_by_reason(self, table: str, overall: Overall) -> str:
        """The key of a text on a verdict: more runs are no remedy for every `not-enough-runs`,
        nor for a network that the study does not have."""
        own = f"undecided-{table}.{overall.reasons[0]}"
        return own if self._words.find(own) else f"{table}.{overall.verdict}"

    def findings(self) -> list[Safe]:
        """One sentence for all claims with the same verdict for the same first reason, then
        one that names those with computed minutes, and one those with minutes of shared devices."""
        groups: dict[tuple[VerdictName, Reason], list[ClaimVerdicts]] = {}
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
            self._words.about(f"{what}.finding", ids) for what, ids in of_minutes.items() if ids
        ]

    def _finding(self, items: list[ClaimVerdicts]) -> Safe:
        """One sentence on items that share verdict and first reason."""
        named = [Safe(item.claim.id) for item in items]
        if len(items) <= NAMED_AT_MOST:
            named = [Safe(f"{item.claim.id} ({self._subject(item.claim)})") for item in items]
        overall = items[0].overall
        beginning = self._words.about(self._key_by_reason("findings", overall), named)
        reason = overall.reasons[0]
        several = len(items) > 1
        why = self._reason_of_several(reason) if several else self._words(f"reasons.{reason}")
        return Safe(f"{beginning}: {why}.")

    def _subject(self, claim: Claim) -> Safe:
        """What a claim is about, in a few words, by its rule; of a rule that no text knows, its
        name."""
        if not self._words.find(f"subjects.{claim.rule}"):
            return code(claim.rule)
        fillings = {
            name: self._words(f"{_NAMED[name]}.{choice}")
            if name in _NAMED
            else display_name(choice)
            for name, choice in claim.subject.items()
        }
        return self._words(f"subjects.{claim.rule}", **fillings)
