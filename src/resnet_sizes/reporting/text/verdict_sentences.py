"""A verdict in one sentence, made from the numbers that led to it, and where these come from."""

import math
from collections.abc import Iterator, Sequence

from resnet_sizes.i18n.numbers import decimal, percent, places, ratio_digits, rounded
from resnet_sizes.reporting.inputs import Inputs
from resnet_sizes.reporting.text.escaping import Safe
from resnet_sizes.reporting.text.words import Words
from resnet_sizes.schemas.article.claims import Claim, PrintedNumber
from resnet_sizes.schemas.article.claims.base import MOST_SEEDS
from resnet_sizes.schemas.evidence.values import Source, Value
from resnet_sizes.schemas.evidence.verdicts import (
    Basis,
    Comparison,
    Overall,
    Prediction,
    RatioTest,
    Verdict,
    VerdictName,
)
from resnet_sizes.schemas.study.protocol import display_name

TESTS = "judging.tests"
"""The key of how many tests the correction of p-values covers, those of all readings."""
NO_BREAK = "\u00a0"
_NO_ANSWER = ("not-comparable", "not-testable", "not-run", "not-enough-runs")


def sentence_key(verdict: Verdict, language: str) -> str:
    """The key under which the page prints the sentence of a verdict."""
    return f"verdict.{verdict.protocol}.{verdict.id}.sentence.{language}"


def sentence_values(inputs: Inputs, words: Words) -> dict[str, Value]:
    """The sentences of the first reading's verdicts that have numbers, as values of the report,
    with the runs that they were judged from."""
    found = {}
    claims = {claim.id: claim for claim in inputs.article.claims}
    values, verdicts = inputs.record.values, inputs.verdicts.verdicts
    for number, verdict in enumerate(verdicts):
        basis, field = verdict.basis, f"verdicts[{number}].basis"
        if basis is None or verdict.protocol != verdicts[0].protocol:
            continue
        sources = [Source(file=inputs.verdicts_file, field=field)]
        for key in _keys_behind(verdict, basis):
            sources += values[key].sources if key in values else []
        found[sentence_key(verdict, words.language)] = Value(
            value=sentence_of(claims[verdict.id], verdict, words),
            kind="text",
            sources=list({(source.file, source.field): source for source in sources}.values()),
        )
        if basis.tests is not None:
            tests = Source(file=inputs.verdicts_file, field=f"{field}.tests")
            found[TESTS] = Value(value=basis.tests, kind="count", sources=[tests])
    return found


def _keys_behind(verdict: Verdict, basis: Basis) -> Iterator[str]:
    """The values that a verdict names, and those behind what else its sentence says: operations
    and printed minutes of ratios, tests of the test images."""
    yield from verdict.values.values()
    for ratio in basis.ratios:
        for model in (ratio.model, ratio.base):
            yield f"article.{model}.minutes"
            yield f"{verdict.protocol}.{model}.macs_per_image"
    # A test or a share rests on which images are recognised.
    if basis.probability is not None or any(found.pairings for found in basis.comparisons):
        for key in verdict.values.values():
            own, _, quantity = key.removesuffix(".mean").rpartition(".")
            if quantity in ("accuracy", "error"):
                # It has the predictions themselves as its sources.
                yield f"{own}.hardest_class.share"


def overall_sentence(
    claim: Claim, overall: Overall, verdicts: Sequence[Verdict], words: Words
) -> str:
    """The verdict from all readings; `verdicts` are those on this claim, by reading."""
    if overall.agreement is None:
        speaking = [verdict for verdict in verdicts if verdict.protocol in overall.taking_part]
        agreeing = (verdict for verdict in speaking if verdict.verdict == overall.verdict)
        return sentence_of(claim, next(agreeing), words)
    by_verdict: dict[VerdictName, list[str]] = {}
    for name in overall.taking_part:
        by_verdict.setdefault(overall.readings[name], []).append(name)
    parts = [
        words.plain(
            "sentences.readings", names=", ".join(names), verdict=words.plain(f"verdicts.{verdict}")
        )
        for verdict, names in by_verdict.items()
    ]
    return _ended(f"{words.plain(f'reasons.{overall.agreement}')} ({'; '.join(parts)})")


def sentence_of(claim: Claim, verdict: Verdict, words: Words) -> str:
    """The verdict from one reading: its reasons, then the numbers."""
    lead = "; ".join(words.plain(f"reasons.{reason}") for reason in verdict.reasons)
    if verdict.basis:
        lead += ": " + "; ".join(_Clauses(words).of(claim, verdict, verdict.basis))
    elif verdict.verdict in _NO_ANSWER and verdict.observed is not None:
        lead += "; " + words.plain(f"observed.{str(verdict.observed).lower()}")
    return _ended(lead)


def _ended(text: str) -> str:
    return text[0].upper() + text[1:] + "."


def p_text(p_value: float, language: str) -> str:
    """`= 0,012`, or `< 0,001` of what is smaller than that."""
    if p_value < 0.001:
        return f"<{NO_BREAK}{decimal('0.001', 3, language)}"
    return f"={NO_BREAK}{decimal(p_value, 3, language)}"


_SCALES = {  # by kind or quantity: the factor from the record's unit, and decimal places
    "accuracy": (100.0, 2),
    "train_error": (100.0, 2),
    "above-chord": (100.0, 2),
    "higher-above-chord": (100.0, 2),
    "gain": (100.0, 3),
    "gain-falls": (100.0, 3),
    "loss_drop": (100.0, 1),
    "drop": (100.0, 1),
    "log_minutes": (1.0, 2),
}


class _Clauses:
    """What a sentence says of the numbers behind a verdict, a clause each."""

    def __init__(self, words: Words) -> None:
        self._words = words

    def of(self, claim: Claim, verdict: Verdict, basis: Basis) -> Iterator[str]:
        """The clauses, in the order of the sentence."""
        yield self._seeds(basis)
        if basis.prediction is not None:
            yield self._prediction(claim, basis.prediction)
        if basis.ratios:
            yield from map(self._ratio, basis.ratios)
        else:
            yield from map(self._comparison, basis.comparisons)
        if basis.probability is not None:
            yield self._probability(basis.probability)
        if basis.p_adjusted is not None:
            yield self._counted("p", basis.tests or 1, p=self._p(basis.p_adjusted))
        if basis.needed_from is not None:
            form, number = str(basis.needed_from), basis.seeds_needed
            if number is None and form != "origins":
                by_spread = verdict.reasons == ["interval-too-wide"]
                form = "never-by-spread" if by_spread else "never"
            yield self._text(f"needed.{form}", number=self._number(number or MOST_SEEDS, 0))

    def _text(self, key: str, **fillings: str) -> str:
        return self._words.plain(f"sentences.{key}", **fillings)

    def _number(self, value: float | str, digits: int) -> str:
        return decimal(value, digits, self._words.language)

    def _p(self, value: float) -> str:
        return p_text(value, self._words.language)

    def _counted(self, key: str, count: int, **fillings: str) -> str:
        form = "one" if count == 1 else "other"
        return self._text(f"{key}.{form}", number=self._number(count, 0), **fillings)

    def _seeds(self, basis: Basis) -> str:
        """How many there are, and in how many the rule holds."""
        number = self._counted("seeds", basis.seeds)
        if basis.origins:
            own, *others = basis.origins
            ours, theirs = (self._number(each, 0) for each in (own, sum(others)))
            number += self._counted("of-others", len(others), own=ours, others=theirs)
        holding = basis.seeds_holding
        if holding is None or basis.seeds < 2:
            return number
        if holding in (0, basis.seeds):
            said = self._text("holding.all" if holding else "holding.none")
        else:
            said = self._counted("holding.some", holding)
        return f"{number} ({said})"

    def _probability(self, share: float) -> str:
        """In how many resamples the rule holds; rounding makes neither none nor all of some."""
        form, shown = "some", share
        if share in (0, 1):
            form = "all" if share else "none"
        elif rounded(share * 100, 1) <= 0:
            form, shown = "below", 0.001
        elif rounded(share * 100, 1) >= 100:
            form, shown = "above", 0.999
        return self._text(f"probability.{form}", share=percent(shown, self._words.language, 1))

    def _range(
        self, key: str, low: float | None, high: float | None, digits: int, unit: str = ""
    ) -> str:
        """An interval as a text under a key, or nothing where there is none."""
        if low is None or high is None:
            return ""
        ends = {"low": self._number(low, digits) + unit, "high": self._number(high, digits) + unit}
        return self._text(key, range=self._text("range", **ends))

    def _comparison(self, found: Comparison) -> str:
        key = found.quantity if found.kind in ("difference", "factor") else found.kind
        scale, digits = _SCALES.get(key, (1.0, 3))

        def scaled(value: float) -> float:
            whole = value + found.threshold
            # A factor is above 1, not its logarithm above 0.
            return math.exp(whole) if key == "log_minutes" else whole * scale

        low, high = (None if end is None else scaled(end) for end in (found.low, found.high))
        number = scaled(found.estimate)
        if key == "log_minutes":
            digits = _digits_of_ratios(number, low, high)
        shown = self._number(number, digits)
        said = self._text(
            f"comparisons.{key}",
            number=shown,
            points=self._words.points(Safe(shown), number, digits),
            interval=self._range("interval", low, high, digits),
            **dict(
                zip(("first", "second", "third"), map(display_name, found.models), strict=False)
            ),
        )
        return said + self._mcnemar(found)

    def _mcnemar(self, found: Comparison) -> str:
        """The largest p-value of the seeds, if the two networks were paired, as a bound on all;
        none where seeds differ in opposite directions."""
        pairs = found.pairings
        if not pairs:
            return ""
        if len({pair.only_first > pair.only_second for pair in pairs if pair.p_value < 1}) > 1:
            return self._text("mcnemar.opposite", number=self._number(len(pairs), 0))
        p = self._p(max(pair.p_value for pair in pairs))
        return self._counted("mcnemar", len(pairs), p=p if len(pairs) == 1 else p.replace("=", "≤"))

    def _ratio(self, ratio: RatioTest) -> str:
        digits = _digits_of_ratios(ratio.ours, ratio.low, ratio.high)
        return self._text(
            "ratio",
            first=display_name(ratio.model),
            second=display_name(ratio.base),
            number=self._number(ratio.ours, digits),
            interval=self._range("interval", ratio.low, ratio.high, digits),
            printed=self._number(ratio.printed, ratio_digits(ratio.printed, 2)),
            macs=self._number(ratio.by_macs, ratio_digits(ratio.by_macs, 2)),
        )

    def _prediction(self, claim: Claim, found: Prediction) -> str:
        kind = claim.held.kind if isinstance(claim, PrintedNumber) else ""
        unit = self._words.raw(f"sentences.units.{kind}")
        printed_digits = places(found.printed)
        # One digit more than is printed, so that rounding hides no difference.
        digits = printed_digits if printed_digits else 1
        interval = self._range("prediction-interval", found.low, found.high, digits, unit)
        if found.low is None:
            ends = (found.sampling_low, found.sampling_high)
            interval = self._range("sampling-interval", *ends, digits, unit)
        return self._text(
            "prediction",
            printed=self._number(found.printed, printed_digits) + unit,
            number=self._number(found.mean, digits) + unit,
            interval=interval,
        )


def _digits_of_ratios(*ratios: float | None) -> int:
    """As many decimal places as the smallest of them needs."""
    return max(ratio_digits(ratio, 2) for ratio in ratios if ratio is not None)
