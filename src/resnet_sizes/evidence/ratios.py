"""Testing ratios of training times against those of the printed minutes."""

import math

from resnet_sizes.evidence.conditions import LOG_MINUTES
from resnet_sizes.evidence.decision import Answer, OpenDecision
from resnet_sizes.evidence.orders import open_order
from resnet_sizes.evidence.rules import half_unit
from resnet_sizes.evidence.sampling import Sampling
from resnet_sizes.evidence.statistics import Sample, contrast
from resnet_sizes.records.ledger import Judging, Ledger
from resnet_sizes.records.statements import Ratio
from resnet_sizes.records.verdicts import RatioTest


def open_ratio(statement: Ratio, sampling: Sampling, ledger: Ledger) -> OpenDecision:
    """Basis an order of times, and whether their ratios are the printed ones.

    The order is tested as any other. The ratios agree if the 95 % interval of each (Welch, on
    logarithms) lies wholly within the tolerance around what the printed minutes may stand for,
    and differ if one lies wholly outside: a test of equivalence (Schuirmann, Journal of
    Pharmacokinetics and Biopharmaceutics 15, 1987).
    """
    judging: Judging = ledger.judging
    order = open_order(statement, list(statement.models), sampling, judging)
    ratios = ratios_of(statement, sampling, ledger)
    states = {_state(ratio, statement, ledger) for ratio in ratios}

    def decide(p_adjusted: float) -> Answer:
        verdict, reasons = order.decide(p_adjusted)
        if verdict != "supported":
            return verdict, reasons
        if "outside" in states:
            return "direction-only", ["ratios-differ"]
        if states == {"inside"}:
            return "supported", ["ratios-agree"]
        return "not-enough-runs", ["ratios-unclear"]

    return OpenDecision(order.basis.model_copy(update={"ratios": ratios}), decide, order.settle)


def ratios_of(statement: Ratio, sampling: Sampling, ledger: Ledger) -> list[RatioTest]:
    """The ratio of each model's time to the first's; without an interval where one has a
    single run."""
    base, *others = statement.models
    printed = _printed_minutes(ledger)
    found = []
    for model in others:
        samples = [
            Sample(1.0, sampling.values(model, LOG_MINUTES)),
            Sample(-1.0, sampling.values(base, LOG_MINUTES)),
        ]
        middle = sum(s.weight * sum(s.values) / len(s.values) for s in samples)
        several = all(len(sample.values) > 1 for sample in samples)
        low, high = contrast(samples).interval() if several else (None, None)
        found.append(
            RatioTest(
                model=model,
                base=base,
                printed=float(printed[model]) / float(printed[base]),
                ours=math.exp(middle),
                low=None if low is None else math.exp(low),
                high=None if high is None else math.exp(high),
                by_macs=sampling.macs(model) / sampling.macs(base),
            )
        )
    return found


def _state(ratio: RatioTest, statement: Ratio, ledger: Ledger) -> str:
    printed = _printed_minutes(ledger)
    (above, half), (below, base_half) = (
        (float(printed[model]), half_unit(printed[model])) for model in (ratio.model, ratio.base)
    )
    lowest = (above - half) / (below + base_half) * (1 - statement.tolerance)
    highest = (above + half) / (below - base_half) * (1 + statement.tolerance)
    assert ratio.low is not None
    assert ratio.high is not None
    if ratio.high < lowest or ratio.low > highest:
        return "outside"
    return "inside" if lowest <= ratio.low and ratio.high <= highest else "unclear"


def _printed_minutes(ledger: Ledger) -> dict[str, str]:
    return {row.model: row.minutes for row in ledger.table if row.minutes is not None}
