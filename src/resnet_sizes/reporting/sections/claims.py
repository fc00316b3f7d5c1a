"""The claims of the article with the verdicts on them, and the minutes that these rest on."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, get_args

from resnet_sizes.reporting.text.context import ReportContext
from resnet_sizes.schemas.article.claims import Claim
from resnet_sizes.schemas.evidence.verdicts import Overall, Reason, Verdict, VerdictName
from resnet_sizes.schemas.study.networks import NETWORKS

UNDECIDED: tuple[VerdictName, ...] = (
    "not-comparable", "not-testable", "not-enough-runs", "not-run"
)  # fmt: skip
"""Verdicts that say nothing of the article."""

BY_READING: tuple[VerdictName, ...] = ("depends-on-the-reading", "decided-in-part")
"""Verdicts whose reason is what each reading gives."""


@dataclass(frozen=True)
class ClaimVerdicts:
    """A claim with the verdicts on it, from all readings together and from each."""

    claim: Claim
    overall: Overall
    readings: tuple[Verdict, ...]
    """In the study's order."""
    computed: tuple[tuple[str, ...], ...] = ()
    """The models with computed minutes, of each reading that has minutes for it; empty if none."""
    measured: bool = False
    """Whether minutes behind it are measured."""
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

    @property
    def by_reading(self) -> bool:
        """Whether the reason for the verdict is what each reading gives."""
        return self.overall.verdict in BY_READING

    @property
    def readings_by_verdict(self) -> dict[VerdictName, list[str]]:
        """The readings that are heard, those with the same verdict together."""
        found: dict[VerdictName, list[str]] = {}
        for verdict in self.readings:
            if verdict.protocol in self.overall.taking_part:
                found.setdefault(verdict.verdict, []).append(verdict.protocol)
        return found


class JudgedClaims:
    """Claims with what they have in common; the words are in `report/shared/verdicts.j2`."""

    def __init__(self, claims: list[ClaimVerdicts]) -> None:
        self.claims = claims
        # The cells of the article's table have a table of their own.
        self.of_the_text = [item for item in claims if item.claim.rule != "cell"]
        self._by_data = [item for item in self.of_the_text if item.needs_data]

    @cached_property
    def heard_alone(self) -> list[str]:
        """The readings that the article itself excludes, and that are heard all the same."""
        decided = (item.overall for item in self._by_data if not item.is_undecided)
        return sorted({name for own in decided for name in own.excluded if name in own.taking_part})

    @cached_property
    def unheard(self) -> list[str]:
        """The readings that are not heard in several rows, the same in all that have any."""
        lists = [item.unheard for item in self.of_the_text if item.unheard]
        return lists[0] if len(lists) > 1 and all(each == lists[0] for each in lists) else []

    @cached_property
    def observed(self) -> Literal["true", "false", "some", "none"]:
        """Whether all claims of the text are observed, or none of them, without a test, so that
        the note says all; else whether several rows need it."""
        seen = [item.seen if item.is_undecided else None for item in self._by_data]
        told = [answer for answer in seen if answer is not None]
        if len(told) < 2:
            return "none"
        if len(told) == len(seen) and len(set(told)) == 1:
            return "true" if told[0] else "false"
        return "some"

    @cached_property
    def shared_reasons(self) -> list[Reason]:
        """Those that keep every claim of the text that needs data from being judged."""
        items = self._by_data
        if len(items) < 2 or not all(item.is_undecided for item in items):
            return []
        first = items[0].overall.reasons
        return [name for name in first if all(name in item.overall.reasons for item in items)]

    @property
    def findings(self) -> list[list[ClaimVerdicts]]:
        """The claims with the same verdict for the same first reason together."""
        groups: dict[tuple[VerdictName, Reason], list[ClaimVerdicts]] = {}
        for item in self.claims:
            groups.setdefault((item.overall.verdict, item.overall.reasons[0]), []).append(item)
        order = get_args(VerdictName)
        return [groups[key] for key in sorted(groups, key=lambda key: order.index(key[0]))]


def claim_verdicts(report: ReportContext) -> list[ClaimVerdicts]:
    """The claims of the article, in its order, with their verdicts."""
    found = []
    is_computed = report.values.is_computed_time
    for claim, overall in zip(report.article.claims, report.verdicts.overall, strict=True):
        own = tuple(verdict for verdict in report.verdicts.verdicts if verdict.id == claim.id)
        minutes = [times for verdict in own if (times := dict(_minutes_behind(verdict)))]
        keys = [key for times in minutes for key in times.values()]
        computed = [tuple(m for m, key in times.items() if is_computed(key)) for times in minutes]
        found.append(
            ClaimVerdicts(
                claim,
                overall,
                own,
                computed=tuple(computed) if any(computed) else (),
                measured=not all(map(is_computed, keys)),
                shared=any(map(report.values.is_shared_time, keys)),
            )
        )
    return found


def _minutes_behind(verdict: Verdict) -> Iterator[tuple[str, str]]:
    """The models whose minutes a verdict rests on, with the keys of these."""
    for model in NETWORKS:
        key = f"{verdict.protocol}.{model}.minutes.mean"
        if key in verdict.values.values():
            yield model, key


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
