"""Which network the results of one reading recommend, by three criteria."""

from typing import Any

from resnet_sizes.evidence.judging.order_tests import OrderTest
from resnet_sizes.evidence.runs.measurements import on_one_device
from resnet_sizes.evidence.statistics.sampling import Sampling
from resnet_sizes.schemas.article.article import Article
from resnet_sizes.schemas.article.claims import Extreme, ParetoKnee
from resnet_sizes.schemas.evidence.verdicts import Criterion, Recommendation
from resnet_sizes.schemas.study.protocol import by_depth

FEWEST_SEEDS = 3
"""As many as a claim asks for, unless it says otherwise."""


def recommend(sampling: Sampling, article: Article) -> list[Recommendation]:
    """The best network of a reading by accuracy, by time, and by both (the knee of the Pareto
    front); empty with results of fewer than two networks.

    It is the best on the means; it is firm where it is so beyond chance, by the tests of the
    claims, at the level divided by the number of the criteria. Times of several devices
    recommend nothing.
    """
    models = by_depth([str(m) for m in sampling.runs.study.models if sampling.of(m)])
    if len(models) < 2:
        return []
    means = sampling.mean_outcomes()
    choices: dict[Criterion, Extreme | ParetoKnee | None] = {
        "accuracy": _extreme(
            max(models, key=lambda m: means[m].accuracy), "accuracy", "highest", models
        )
    }
    finished = [run for model in models for run in sampling.of(model)]
    if on_one_device(finished):
        fastest = min(models, key=lambda m: means[m].minutes)
        choices["minutes"] = _extreme(fastest, "minutes", "lowest", models)
        if len(models) > 2:
            knees = [_knee(model, models) for model in models]
            choices["trade-off"] = next((knee for knee in knees if knee.holds(means)), None)
    enough = sampling.seeds(models) >= FEWEST_SEEDS
    found = []
    for criterion, choice in choices.items():
        firm = choice is not None and _is_firm(choice, sampling, article, len(choices))
        found.append(
            Recommendation(
                protocol=sampling.protocol,
                criterion=criterion,
                model=choice.model if choice else None,
                firm=firm,
                tested=enough or firm,
            )
        )
    return found


def _is_firm(
    choice: Extreme | ParetoKnee, sampling: Sampling, article: Article, criteria: int
) -> bool:
    test = OrderTest(choice, sampling, article)
    if sampling.seeds(list(choice.among)) < FEWEST_SEEDS:
        return test.decided_by_size(criteria) == "supported"
    return test.decide(min(1.0, test.p_value * criteria), criteria)[0] == "supported"


_OWN_CLAIM: dict[str, Any] = {
    "id": "S0",
    "place": "conclusions",
    "text": {"pt": "-", "en": "-"},
    "needs": {"data": ["cifar10"]},
}
"""A claim that no article made."""


def _extreme(model: str, quantity: str, extreme: str, among: list[str]) -> Extreme:
    own = {"quantity": quantity, "model": model, "extreme": extreme, "among": among}
    return Extreme.model_validate(_OWN_CLAIM | {"rule": "extreme"} | own)


def _knee(model: str, among: list[str]) -> ParetoKnee:
    own = {"model": model, "among": among}
    return ParetoKnee.model_validate(_OWN_CLAIM | {"rule": "pareto-knee"} | own)
