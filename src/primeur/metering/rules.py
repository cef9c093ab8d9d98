"""What an answer costs, in exact integers; pure."""

from primeur.core.chat import Price
from primeur.core.usage import Usage


def charge(usage: Usage, price: Price | None) -> int | None:
    """Give the cost of one answer in nano-units of the price's currency; None is *unknown*, never zero.

    Cached tokens are part of the input and cost their own price; reasoning tokens are part of the output.
    """
    if price is None:
        return None
    cached = min(usage.cached_tokens, usage.input_tokens)
    fresh = usage.input_tokens - cached
    return fresh * price.input_nanos + cached * price.cached_nanos + usage.output_tokens * price.output_nanos
