"""What a counter counts and for whom, and the words in which it says no; pure."""

from typing import NamedTuple, NoReturn

from primeur.core.caller import Period
from primeur.core.errors import OverBudget, OverLimit
from primeur.core.money import show_money

REQUESTS_MINUTE, TOKENS_MINUTE = "requests_minute", "tokens_minute"
REQUESTS_DAY, TOKENS_DAY = "requests_day", "tokens_day"
CONCURRENCY, MONEY, RESERVED = "concurrency", "money", "reserved"


class Name(NamedTuple):
    """Which counter this is.

    Attributes:
        kind: one of the seven above.
        period: of what is counted by the calendar.
        budget_id, currency: of money.
    """

    scope: str
    kind: str
    period: Period | None = None
    budget_id: str = ""
    currency: str = ""


_PER = {"minute": "a minute", "day": "a day", "month": "a month", "total": "in all"}


def refuse(name: Name, *, need: int, left: int, limit: int, wait_ms: int) -> NoReturn:
    """Say no.

    Args:
        need: what was asked for.
        left: what was there.
        wait_ms: milliseconds until *need* can be there.

    Raises:
        OverLimit: always; OverBudget for money.
    """
    if name.kind == MONEY:
        _refuse_money(name, need, left, limit, wait_ms)
    if name.kind == CONCURRENCY:
        raise OverLimit(
            f"{name.scope} has {limit} requests in flight, its limit; wait for one to finish",
            retry_after_ms=wait_ms,
            code="concurrency_limit_exceeded",
        )
    noun, _, span = name.kind.partition("_")
    per, wait = _PER[span], _wait(wait_ms)
    if noun == "requests":
        raise OverLimit(f"{name.scope} has used its {limit} requests {per}; retry in {wait}", retry_after_ms=wait_ms)
    if need > limit:
        raise OverLimit(
            f"this request may take {need} tokens and {name.scope} has {limit} tokens {per}; "
            "shorten the prompt or ask for fewer output tokens",
            retry_after_ms=wait_ms,
            code="request_exceeds_token_limit",
        )
    raise OverLimit(
        f"{name.scope} has {max(0, left)} of its {limit} tokens {per} left and this request may take {need}; "
        f"retry in {wait}",
        retry_after_ms=wait_ms,
        code="token_limit_exceeded",
    )


def refuse_unpriced(name: Name, currency: str | None) -> NoReturn:
    """Say no to a request whose cost cannot be held.

    Raises:
        OverBudget: always.
    """
    priced = "this deployment has no price" if currency is None else f"this deployment is priced in {currency}"
    raise OverBudget(
        f"{name.scope} has a budget in {name.currency} and {priced}, so its cost cannot be held; set a price "
        "with `primeur prices set`, or let the budget allow unpriced requests",
        retry_after_ms=60_000,
    )


def _refuse_money(name: Name, need: int, left: int, limit: int, wait_ms: int) -> NoReturn:
    words = (
        f"{name.scope} has {show_money(max(0, left), name.currency)} left of its budget of "
        f"{show_money(limit, name.currency)} {_PER[str(name.period)]} and this request may cost "
        f"{show_money(need, name.currency)}; "
    )
    end = "raise the budget" if name.period == "total" else f"raise the budget, or wait {_wait(wait_ms)}"
    raise OverBudget(f"{words}ask for fewer output tokens, {end}", retry_after_ms=wait_ms)


def _wait(wait_ms: int) -> str:
    return f"{wait_ms / 1000:.1f} s" if wait_ms < 120_000 else f"{wait_ms / 3_600_000:.1f} h"
