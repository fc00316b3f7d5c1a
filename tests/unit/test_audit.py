"""The audit: what an article's own numbers say of each other."""

from decimal import ROUND_HALF_UP, Decimal

import pytest
from audited_articles import article_of, audit_of_the_article, audited, shipped_devices
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from synthetic import ARTICLE

from resnet_sizes.evidence.audit import audit
from resnet_sizes.evidence.audit.table import printed_range, read_columns, read_increments
from resnet_sizes.schemas.article.article import load_article
from resnet_sizes.schemas.evidence.audit import Audit, Prediction, ProtocolOnDevice
from resnet_sizes.schemas.hardware import Devices, shipped_network_costs

GIB = 2**30


@pytest.fixture(scope="module")
def article() -> Audit:
    return audit_of_the_article()


def on(found: Audit, protocol: str, device: str) -> ProtocolOnDevice:
    (costs,) = [item for item in found.protocols if item.protocol == protocol]
    (outcome,) = [item for item in costs.devices if item.device == device]
    return outcome


def minutes_of(found: Audit, protocol: str, device: str, model: str) -> Prediction:
    (one,) = [p for p in on(found, protocol, device).predictions if p.model == model]
    return one


def test_the_article_s_increments_are_relative(article: Audit) -> None:
    assert {c.column: c.fits for c in article.columns} == {
        "layers_increment": "relative",
        "accuracy_increment": "relative",
    }
    found = {(i.column, i.model): i for i in article.increments}
    small = found["accuracy_increment", "resnet50"]
    large = found["accuracy_increment", "resnet152"]
    assert (round(small.relative or 0, 2), round(small.points, 2), small.fits) == (
        3.35,
        2.71,
        "both",
    )
    assert (round(large.relative or 0, 2), round(large.points, 2)) == (6.31, 5.10)
    assert large.fits == "relative"
    assert round(found["layers_increment", "resnet50"].relative or 0, 1) == 177.8
    assert round(found["layers_increment", "resnet152"].relative or 0, 1) == 744.4


def test_the_article_s_intervals_and_tests_have_their_known_values(article: Audit) -> None:
    rows = [
        (round(a.standard_error, 2), round(a.low, 2), round(a.high, 2)) for a in article.accuracies
    ]
    assert rows == [(0.39, 80.06, 81.60), (0.37, 82.81, 84.26), (0.35, 85.24, 86.61)]
    pairs = {(p.first, p.second): p for p in article.pairs}
    first, second = pairs["resnet18", "resnet50"], pairs["resnet50", "resnet152"]
    assert [round(p.z or 0, 1) for p in (first, second)] == [5.0, 4.7]
    assert [round(p.with_deviations[0].z, 1) for p in (first, second)] == [2.2, 1.9]
    assert len(pairs) == 3


def test_at_the_vanishing_deviation_z_is_on_the_edge(article: Audit) -> None:
    for pair in article.pairs:
        assert pair.vanishing_deviation is not None
        data = shipped_devices().model_dump()
        data["assumptions"]["seed_deviations"] = [pair.vanishing_deviation]
        again = audit(
            load_article(ARTICLE), {}, Devices.model_validate(data), shipped_network_costs()
        )
        (same,) = [p for p in again.pairs if (p.first, p.second) == (pair.first, pair.second)]
        assert same.with_deviations[0].z == pytest.approx(1.959964, abs=1e-6)


def test_diminishing_returns_depend_on_the_yardstick(article: Audit) -> None:
    found = {y.name: y for y in article.returns.yardsticks}
    values = {
        name: [round(v or 0, 3) for v in yardstick.values] for name, yardstick in found.items()
    }
    assert values["points-per-layer"] == [0.085, 0.023]
    assert values["points-per-minute"] == [0.038, 0.016]
    assert [round(v, 1) for v in values["error-reduction"]] == [14.1, 14.5]
    assert [y.falls for y in found.values()] == [True, True, False]


def test_resnet50_frozen_at_224_takes_what_the_measured_rate_says(article: Audit) -> None:
    one = minutes_of(article, "probe-224", "t4", "resnet50")
    assert one.minutes == pytest.approx(50 * 60_000 / 415 / 60)
    assert one.minutes_without_evaluation == pytest.approx(50 * 50_000 / 415 / 60)


def test_training_everything_costs_three_passes_and_evaluation_one() -> None:
    found = audited(
        load_article(ARTICLE),
        whole={"input_size": 224},
        probe={"input_size": 224, "trainable": "head", "weights": "default"},
    )
    whole = minutes_of(found, "whole", "t4", "resnet18")
    probe = minutes_of(found, "probe", "t4", "resnet18")
    assert whole.minutes_without_evaluation == pytest.approx(3 * probe.minutes_without_evaluation)
    evaluation = whole.minutes - whole.minutes_without_evaluation
    assert evaluation == pytest.approx(probe.minutes - probe.minutes_without_evaluation)


@pytest.mark.parametrize(
    ("protocol", "outcome"),
    [
        ("probe-224", "survives"),
        ("finetune-112", "survives"),
        ("scratch-32", "time"),
        ("finetune-32", "time"),
        ("scratch-cifar-stem", "memory"),
    ],
)
def test_readings_on_a_t4(article: Audit, protocol: str, outcome: str) -> None:
    assert on(article, protocol, "t4").outcome == outcome


def test_other_sizes_are_excluded_on_a_t4() -> None:
    head = {"trainable": "head", "weights": "default"}
    found = audited(
        load_article(ARTICLE),
        full_224={"input_size": 224},
        full_128={"input_size": 128},
        frozen_128={"input_size": 128} | head,
        frozen_64={"input_size": 64} | head,
    )
    outcomes = {p.protocol: on(found, p.protocol, "t4").outcome for p in found.protocols}
    assert outcomes == {
        "full-224": "time-and-memory",
        "full-128": "memory",
        "frozen-128": "time",
        "frozen-64": "time",
    }


def test_each_network_is_read_as_the_protocol_has_it(article: Audit) -> None:
    (literal,) = [p for p in article.protocols if p.protocol == "literal"]
    needs = {need.model: need for need in literal.needs}
    assert (needs["resnet18"].stem, needs["resnet18"].trainable) == ("cifar", "all")
    assert (needs["resnet152"].input_size, needs["resnet152"].trainable) == (224, "head")
    deep = minutes_of(article, "literal", "t4", "resnet152")
    assert deep == minutes_of(article, "probe-224", "t4", "resnet152")


def test_memory_counts_activations_and_what_is_trained() -> None:
    cost = shipped_network_costs().of("resnet18", "imagenet", 32)
    assert cost is not None
    found = audited(
        load_article(ARTICLE),
        adam={},
        sgd={"optimizer": "sgd"},
        plain={"optimizer": "sgd", "momentum": 0.0},
        head={"trainable": "head", "weights": "default"},
    )
    needed = {p.protocol: p.needs[0].memory_bytes for p in found.protocols}
    whole = 256 * cost.training_bytes_per_image + GIB
    assert needed["adam"] == whole + 4 * 4 * cost.parameters
    assert needed["sgd"] == whole + 4 * 3 * cost.parameters
    assert needed["plain"] == whole + 4 * 2 * cost.parameters
    frozen = 256 * cost.inference_bytes_per_image + GIB
    assert needed["head"] == frozen + 4 * (cost.parameters + 3 * cost.head_parameters)


def test_a_size_that_the_table_lacks_is_named_and_not_guessed() -> None:
    found = audited(load_article(ARTICLE), odd={"input_size": 65})
    (odd,) = found.protocols
    assert {item.outcome for item in odd.devices} == {"not-in-table"}
    assert odd.missing[0] == "resnet18, imagenet stem, 65 pixels"
    assert all(need.memory_bytes is None for need in odd.needs)


def test_an_article_without_increments_or_minutes_is_audited_all_the_same() -> None:
    found = audited(
        article_of(("resnet34", "90.1", "0", None, None), ("resnet101", "89", "0", None, None)),
        small={},
    )
    assert (found.increments, found.columns) == ([], [])
    assert found.pairs[0].difference == pytest.approx(-1.1)
    by_name = {y.name: y for y in found.returns.yardsticks}
    assert by_name["points-per-minute"].values == [None]
    assert all(y.falls is None for y in by_name.values())
    assert on(found, "small", "t4").outcome == "no-minutes"


def test_accuracies_that_are_no_proportions_are_refused_with_their_network() -> None:
    found = audited(article_of(("resnet18", "100", "9", None, None)))
    assert found.accuracies[0].high == pytest.approx(100)
    with pytest.raises(ValidationError, match="accuracy: found 101; allowed: numbers from 0 to"):
        article_of(("resnet18", "100", "9", None, None), ("resnet34", "101", "9", None, None))


def test_a_network_without_an_accuracy_is_left_out_by_name() -> None:
    found = audited(
        article_of(("resnet18", None, "9", None, None), ("resnet34", "90", "9", None, None))
    )
    assert found.unusable == ["resnet18"]
    assert [each.model for each in found.accuracies] == ["resnet34"]


def test_sure_accuracies_have_no_z() -> None:
    found = audited(
        article_of(("resnet18", "0", "9", None, None), ("resnet34", "100", "9", None, None))
    )
    assert found.pairs[0].z is None
    assert found.pairs[0].p == 0
    assert found.returns.yardsticks[2].values == [100]


def test_increments_that_fit_neither_way_are_said_to() -> None:
    article = article_of(
        ("resnet18", "50.0", "9", None, None), ("resnet34", "60.0", "9", "77", "15")
    )
    found = {i.column: i.fits for i in read_increments(article)}
    assert found == {"layers_increment": "neither", "accuracy_increment": "neither"}
    assert {c.fits for c in read_columns(read_increments(article))} == {"neither"}


def test_a_column_is_read_one_way_or_not_at_all() -> None:
    mixed = article_of(
        ("resnet18", "50.0", "9", None, None),
        ("resnet34", "60.0", "9", None, "20"),
        ("resnet50", "70.0", "9", None, "20"),
    )
    increments = read_increments(mixed)
    assert [i.fits for i in increments] == ["relative", "points"]
    assert [c.fits for c in read_columns(increments)] == ["neither"]


def test_an_increment_over_zero_has_no_relative_reading() -> None:
    (one,) = read_increments(
        article_of(("resnet18", "0", "9", None, None), ("resnet34", "5", "9", None, "5"))
    )
    assert (one.relative, one.relative_range, one.fits) == (None, None, "points")


accuracies = st.decimals(1, 99, places=4)
places = st.integers(0, 2)


def printed(number: Decimal, digits: int) -> str:
    return str(number.quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_UP))


@given(accuracies, accuracies, places, places)
def test_what_was_printed_from_true_values_is_always_recognised(
    base: Decimal, other: Decimal, digits: int, increment_digits: int
) -> None:
    relative, points = (other / base - 1) * 100, other - base
    for true, accepted in ((relative, ("relative", "both")), (points, ("points", "both"))):
        article = article_of(
            ("resnet18", printed(base, digits), "9", None, None),
            ("resnet34", printed(other, digits), "9", None, printed(true, increment_digits)),
        )
        (one,) = read_increments(article)
        # A base that may have been zero has no relative reading, whatever it was.
        if one.relative is not None or true is points:
            assert one.fits in accepted


@given(st.decimals(-1000, 1000, places=5), st.integers(0, 4))
def test_a_number_lies_in_the_range_of_its_print(number: Decimal, digits: int) -> None:
    low, high = printed_range(printed(number, digits))
    assert low <= number <= high
    assert high - low == Decimal(1).scaleb(-digits)


def test_rates_follow_from_the_anchors(article: Audit) -> None:
    rates = {rate.device: rate for rate in article.devices}
    resnet50 = shipped_network_costs().of("resnet50", "imagenet", 224)
    assert resnet50 is not None
    assert rates["t4"].training == rates["t4"].inference
    assert rates["t4"].inference == pytest.approx(415 * resnet50.macs_per_image)
    assert rates["v100"].training == pytest.approx(3 * 367 * resnet50.macs_per_image)
    assert rates["v100"].inference == pytest.approx(1261 * resnet50.macs_per_image)
    assert rates["l4"].training == pytest.approx(rates["t4"].training * 30.3 / 8.1)
    assert (rates["l4"].basis, rates["l4"].measured_modes) == ("peak", [])
