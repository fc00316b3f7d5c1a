"""Which claims are one test, though an article says them twice."""

from collections.abc import Hashable

from resnet_sizes.schemas.article.article import Article
from resnet_sizes.schemas.article.claims import Cell, Claim, ClaimBase, Increment


def deciding_numbers(claim: Claim, article: Article) -> Hashable:
    """The rule with its parameters: equal for claims that the same numbers decide.

    An increment over the table's first row is a cell in words.
    """
    if isinstance(claim, Increment) and claim.base == article.base_model:
        column: str = f"{claim.quantity}_increment"
    elif isinstance(claim, Cell):
        column = claim.column
    else:
        own = type(claim).model_fields.keys() - ClaimBase.model_fields.keys()
        return tuple(sorted((name, repr(getattr(claim, name))) for name in own))
    return claim.model, column, claim.printed, claim.max_half_width
