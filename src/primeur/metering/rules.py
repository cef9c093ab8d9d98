"""What an answer costs, in exact integers; pure."""

from primeur.core.price import Price
from primeur.core.usage import Usage


def charge(usage: Usage, price: Price | None, pictures: int = 0) -> int | None:
    """Give the cost of one answer in nano-units of the price's currency; None is *unknown*, never zero.

    Cached tokens are part of the input and cost their own price; reasoning tokens are part of the output.
    """
    return None if price is None else price.cost(usage, pictures)
