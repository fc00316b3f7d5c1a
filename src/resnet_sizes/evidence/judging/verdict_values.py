"""Which values of values.json stand behind a verdict."""

from resnet_sizes.evidence.judging.comparability import Case
from resnet_sizes.schemas.article.claims import (
    Cell,
    Conjunction,
    Decrease,
    Diminishing,
    Extreme,
    Increment,
    Ordering,
    ParetoKnee,
    Ratio,
)
from resnet_sizes.schemas.study.protocol import shallowest


def verdict_values(case: Case) -> dict[str, str]:
    """The numbers behind a verdict, role → key.

    A printed number has the roles `ours`, `article`, `low` and `high`; every other rule has
    `<model>.<quantity>` for each number that it compares.
    """
    claim = case.claim
    pairs: list[tuple[str, str]]
    match claim:
        case Cell() | Increment():
            return _printed_values(case, claim)
        case Conjunction():
            pairs = [(model, part.quantity) for part in claim.parts for model in part.among]
        case Ordering() | Extreme() | Ratio():
            pairs = [(model, claim.quantity) for model in case.models]
        case Decrease():
            pairs = [(model, "loss_drop") for model in claim.models]
        case Diminishing():
            pairs = [(model, what) for model in case.models for what in ("accuracy", "layers")]
        case ParetoKnee():
            pairs = [(model, what) for model in case.models for what in ("minutes", "accuracy")]
    return {
        f"{model}.{quantity}": value_key(case.protocol, model, quantity)
        for model, quantity in pairs
    }


def _printed_values(case: Case, claim: Cell | Increment) -> dict[str, str]:
    column: str
    base: str
    if isinstance(claim, Increment):
        column, base = f"{claim.quantity}_increment", claim.base
    else:
        column, base = claim.column, case.article.base_model
    is_increment = column.endswith("_increment")
    roles = {}
    if not is_increment or base == case.article.base_model:
        roles["article"] = f"article.{claim.model}.{column}"
    if column == "layers":
        return roles | {"ours": f"layers.{claim.model}"}
    if column == "layers_increment":
        ours = f"layers.{claim.model}.increment"
        return roles | {"ours": ours} if base == case.article.base_model else roles
    # values.json has increments of accuracy over the study's shallowest model alone.
    if is_increment and base != shallowest(case.runs.study.models):
        return roles
    ours = value_key(case.protocol, claim.model, column)
    bounds = f"{case.protocol}.{claim.model}.{column}.prediction"
    return roles | {"ours": ours, "low": f"{bounds}_low", "high": f"{bounds}_high"}


def value_key(protocol: str, model: str, quantity: str) -> str:
    """The key of a model's number in values.json: a mean where seeds can differ."""
    if quantity == "layers":
        return f"layers.{model}"
    key = f"{protocol}.{model}.{quantity}"
    return key if quantity.endswith("_increment") else f"{key}.mean"
