"""One verdict on a claim from those of several readings of the article."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from resnet_sizes.evidence.judging.readings import judge_readings, ruled_out
from resnet_sizes.schemas.evidence.verdicts import Overall, Reason, Verdict, VerdictName

CLAIM = SimpleNamespace(id="S1", needs=None, deciding_numbers=lambda base_model: "own")
ARTICLE: Any = SimpleNamespace(claims=[CLAIM], base_model="resnet18")


def reading(protocol: str, verdict: VerdictName, *reasons: Reason) -> Verdict:
    return Verdict(
        id="S1", rule="ordering", protocol=protocol, verdict=verdict, reasons=list(reasons)
    )


SUPPORTED = reading("a", "supported", "rule-holds")
REVERSED = reading("b", "contradicted", "rule-fails")
OPEN = reading("c", "within-noise", "indistinct")
IN_DIRECTION = reading("f", "direction-only", "ratios-differ")
NOT_RUN = reading("d", "not-run", "models-missing")


def together(verdicts: Sequence[Verdict], *excluded: str) -> Overall:
    (found,) = judge_readings(ARTICLE, verdicts, excluded)
    return found


@pytest.mark.parametrize(
    ("verdicts", "name", "reasons"),
    [
        ([SUPPORTED, SUPPORTED.model_copy(update={"protocol": "e"})], "supported", ["rule-holds"]),
        ([SUPPORTED, REVERSED], "depends-on-the-reading", ["readings-differ"]),
        # What both say: an established order is never worth less than its direction.
        ([SUPPORTED, IN_DIRECTION], "direction-only", ["readings-differ"]),
        ([SUPPORTED, IN_DIRECTION, REVERSED], "depends-on-the-reading", ["readings-differ"]),
        ([IN_DIRECTION, OPEN], "decided-in-part", ["readings-open"]),
        ([SUPPORTED, OPEN], "decided-in-part", ["readings-open"]),
        ([REVERSED, OPEN], "decided-in-part", ["readings-open"]),
        ([SUPPORTED, REVERSED, OPEN], "depends-on-the-reading", ["readings-differ"]),
        ([SUPPORTED, NOT_RUN], "supported", ["rule-holds"]),
        ([NOT_RUN], "not-run", ["models-missing"]),
    ],
)
def test_a_verdict_is_firm_where_every_reading_that_is_heard_decides_alike(
    verdicts: list[Verdict], name: VerdictName, reasons: list[Reason]
) -> None:
    found = together(verdicts)
    assert (found.verdict, found.reasons) == (name, reasons)


def test_readings_that_each_leave_it_open_in_another_way_leave_it_open() -> None:
    few = reading("e", "not-enough-runs", "few-seeds")
    for verdicts in ([OPEN, few], [few, OPEN]):
        found = together(verdicts)
        assert (found.verdict, found.reasons) == ("within-noise", ["readings-undecided"])


def test_an_excluded_reading_is_shown_and_not_heard() -> None:
    found = together([SUPPORTED, REVERSED], "b")
    assert (found.verdict, found.reasons) == ("supported", ["rule-holds"])
    assert (found.taking_part, found.excluded) == (["a"], ["b"])
    assert found.readings == {"a": "supported", "b": "contradicted"}


def test_excluded_readings_alone_may_support_the_article_and_not_contradict_it() -> None:
    found = together([REVERSED], "b")
    assert (found.verdict, found.reasons) == ("not-comparable", ["reading-excluded"])
    assert (found.taking_part, found.excluded) == (["b"], ["b"])
    assert together([SUPPORTED], "a").verdict == "supported"


def test_reasons_that_all_readings_share_are_kept_and_others_are_not() -> None:
    both = [
        reading("a", "not-comparable", "other-data", "subset"),
        reading("b", "not-comparable", "subset", "other-epochs"),
    ]
    found = together(both)
    assert (found.reasons, found.agreement) == (["subset"], "readings-agree")
    nothing_shared = [
        reading("a", "not-comparable", "other-data"),
        reading("b", "not-comparable", "subset"),
    ]
    assert together(nothing_shared).reasons == ["readings-agree"]


@pytest.mark.parametrize(
    ("outcomes", "excluded"),
    [
        (["time", "time-and-memory", "memory"], True),
        (["time", "survives"], False),
        (["time", "not-in-table"], False),
        (["no-minutes"], False),
        ([], False),
    ],
)
def test_a_reading_is_excluded_where_no_device_known_allows_it(
    outcomes: list[str], excluded: bool
) -> None:
    devices = [SimpleNamespace(outcome=outcome) for outcome in outcomes]
    audit: Any = SimpleNamespace(protocols=[SimpleNamespace(protocol="a", devices=devices)])
    assert ruled_out(audit) == ({"a"} if excluded else set())
