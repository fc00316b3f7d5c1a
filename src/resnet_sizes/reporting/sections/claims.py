"""The claims of the article with the verdicts on them, and the minutes that these rest on."""

from collections.abc import Iterator
from dataclasses import dataclass

from resnet_sizes.reporting.text.context import ReportContext
from resnet_sizes.reporting.text.escaping import Safe
from resnet_sizes.reporting.text.words import Words
from resnet_sizes.schemas.article.claims import Claim
from resnet_sizes.schemas.evidence.verdicts import Overall, Verdict, VerdictName
from resnet_sizes.schemas.study.networks import NETWORKS, display_name

UNDECIDED: tuple[VerdictName, ...] = (
    "not-comparable", "not-testable", "not-enough-runs", "not-run"
)  # fmt: skip
"""Verdicts that say nothing of the article."""


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

    def computed_clause(self, words: Words) -> Safe:
        """Which of its minutes are computed, true of all readings; only where some are."""
        if not self.measured:
            return words("computed.all")
        if len(set(self.computed)) > 1:
            return words(f"computed.readings.{'all' if all(self.computed) else 'some'}")
        return words.about("computed.some", map(display_name, self.computed[0]), "models")


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
