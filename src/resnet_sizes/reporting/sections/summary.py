"""The first page: what the article concludes with a sign each, and the study at a glance."""

from dataclasses import dataclass
from typing import get_args

from resnet_sizes.reporting.sections.discussion import ClaimVerdicts
from resnet_sizes.reporting.text.context import ReportContext
from resnet_sizes.reporting.text.escaping import Safe, code
from resnet_sizes.schemas.evidence.verdicts import VerdictName
from resnet_sizes.schemas.study.protocol import display_name


@dataclass(frozen=True)
class HeadlineRow:
    """A statement of the article, and what became of it."""

    id: str
    text: Safe
    verdict: Safe


def headline(report: ReportContext, claims: list[ClaimVerdicts]) -> list[HeadlineRow]:
    """The statements that the article file puts first, else its conclusions."""
    by_id = {item.claim.id: item for item in claims}
    conclusions = [item.claim.id for item in claims if item.claim.place == "conclusions"]
    return [
        HeadlineRow(
            id=item.claim.id,
            text=report.from_article(item.claim.id, item.claim.text),
            verdict=report.verdict(item.overall.verdict),
        )
        for item in (by_id[name] for name in report.article.headline or conclusions)
    ]


@dataclass(frozen=True)
class Meaning:
    """A verdict, and when it is given."""

    verdict: Safe
    meaning: Safe


OF_SEVERAL_READINGS: tuple[VerdictName, ...] = ("depends-on-the-reading", "decided-in-part")


def meanings(report: ReportContext) -> list[Meaning]:
    """Every verdict that a study of these readings can come to."""
    return [
        Meaning(report.verdict(name), report.words(f"meanings.{name}"))
        for name in get_args(VerdictName)
        if len(report.protocols) > 1 or name not in OF_SEVERAL_READINGS
    ]


def glance(report: ReportContext, seeds: Safe) -> Safe:
    """Scope, data, seeds, device and time in one line; what is not known is left out."""
    words, values = report.words, report.values
    names = [code(name) for name in report.protocols]
    models = words.listed([display_name(model) for model in report.models])
    own = report.study.seeds_of(report.protocols[0])
    count = len(own) if report.study.has_same_seeds else len(report.protocols)
    images = {part: values.value(f"data.{part}_images") for part in ("train", "test")}
    content = words(f"content-names.{values.text('data.content')}")
    parts = [
        words.counted("glance.scope", len(names), models=models, names=words.listed(names)),
        Safe(f"{content}: {words('methods.images', **images)}"),
        words.counted("glance.seeds", count, seeds=seeds),
    ]
    if values.has("hardware.device"):
        parts.append(values.value("hardware.device"))
    if values.has("made.training_seconds"):
        parts.append(words("glance.time", time=values.value("made.training_seconds")))
    return Safe("; ".join(parts))
