"""Money as integers: nanos are 1e-9 of a currency unit."""

from decimal import Decimal, InvalidOperation

from primeur.core.errors import BadRequest

NANOS = 1_000_000_000
TOKENS_PER_PRICE = 1_000_000
_MOST = 9_000_000_000


def nanos_per_token(price_per_million: str, param: str | None = None) -> int:
    """Turn a list price such as ``"2.50"`` per million tokens into nanos per token.

    Raises:
        BadRequest: not a number, negative, or finer than one nano per token.
    """
    try:
        exact = Decimal(price_per_million) * NANOS / TOKENS_PER_PRICE
    except InvalidOperation:
        raise BadRequest(f"price {price_per_million!r} is not a number; write it as 2.50", param=param) from None
    if not exact.is_finite() or exact < 0:
        raise BadRequest(f"price {price_per_million!r} must be zero or more", param=param)
    if exact != int(exact):
        raise BadRequest(f"price {price_per_million!r} per million is finer than one nano a token (0.001)", param=param)
    return int(exact)


def price_per_million(nanos_per_token: int) -> str:
    """Write a price as it is listed, per million tokens: ``2.5``; the way back of `nanos_per_token`."""
    exact = Decimal(nanos_per_token) * TOKENS_PER_PRICE / NANOS
    return format(exact.normalize(), "f")


def nanos_of(amount: str, param: str) -> int:
    """Read an amount such as ``"10.00"``.

    Raises:
        BadRequest: not a number, negative, finer than one nano, or more than 9,000 million.
    """
    try:
        exact = Decimal(amount) * NANOS
    except InvalidOperation:
        raise BadRequest(f"{amount!r} is not a number; write it as 10.00", param=param) from None
    if not exact.is_finite() or not 0 <= exact <= _MOST * NANOS or exact != int(exact):
        raise BadRequest(f"{amount!r} must be from 0 to {_MOST}, with at most nine decimals", param=param)
    return int(exact)


def amount_of(nanos: int) -> str:
    """Write an amount exactly, as decimals in text: ``10.5``; the way back of `nanos_of`."""
    return format((Decimal(nanos) / NANOS).normalize(), "f")


def show_money(nanos: int | None, currency: str | None) -> str:
    """Write an amount for people: ``0.001230 EUR``, or ``unknown`` when there is no price."""
    if nanos is None:
        return "unknown"
    return f"{Decimal(nanos) / NANOS:.6f} {currency or ''}".rstrip()
