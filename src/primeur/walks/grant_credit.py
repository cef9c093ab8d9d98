"""Grant a credit, fill a wallet, or note what we hold at a provider."""

from typing import Annotated, Literal

import msgspec

from primeur.billing import credit_rows as rows
from primeur.billing.rules.credits import Grant, check_grant
from primeur.billing.rules.periods import DAY_MS, day_of
from primeur.billing.rules.plans import check_currency
from primeur.core.caller import Caller
from primeur.core.errors import BadRequest
from primeur.core.events import CreditGranted
from primeur.core.ids import make_id
from primeur.core.money import nanos_of
from primeur.store.database import Tx, tell
from primeur.walks.add_customer import Currency, choose_customer
from primeur.walks.book_invoice import book_grant
from primeur.walks.choose_project import actor_of
from primeur.walks.house import House
from primeur.walks.set_rate import sellers


class NewCredit(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is granted.

    Attributes:
        holder: a customer, or ``provider:NAME`` for credits that we hold at a provider.
        kind: ``prepaid`` (paid for), ``promotion`` (given) or ``compute`` (capacity paid for ahead).
        amount: decimals in text.
        priority: the lowest is burned first.
        days: for how many days it is good, today included; null is for good.
    """

    holder: str
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    amount: Annotated[str, msgspec.Meta(max_length=30)]
    currency: Currency = "EUR"
    kind: Literal["prepaid", "promotion", "compute"] = "prepaid"
    priority: Annotated[int, msgspec.Meta(ge=0, le=1000)] = 100
    days: Annotated[int, msgspec.Meta(ge=1, le=36_600)] | None = None


async def grant_credit(house: House, caller: Caller, ask: NewCredit) -> Grant:
    """Grant a credit; raises as `write_credit`."""
    return await house.store.transact(lambda tx: write_credit(tx, house, caller, ask))


def write_credit(tx: Tx, house: House, caller: Caller, ask: NewCredit) -> Grant:
    """Grant a credit in a transaction that is open.

    Raises:
        BadRequest: no amount, or another currency than the customer's.
        NotFound: there is no such customer or provider.
    """
    now_ms = house.clock.now_ms()
    first_ms = day_of(now_ms)
    grant = check_grant(
        Grant(
            id=make_id("credit", now_ms, house.entropy),
            holder=_holder(tx, caller, ask),
            name=ask.name,
            kind=ask.kind,
            currency=ask.currency,
            nanos=nanos_of(ask.amount, "amount"),
            priority=ask.priority,
            from_ms=first_ms,
            created_ms=now_ms,
            expires_ms=None if ask.days is None else first_ms + ask.days * DAY_MS,
        )
    )
    rows.add_grant(tx, grant)
    book_grant(tx, grant)
    what = CreditGranted(grant.id, grant.holder, grant.currency, grant.nanos)
    tell(tx, what, actor=actor_of(caller), at_ms=now_ms)
    return grant


def _holder(tx: Tx, caller: Caller, ask: NewCredit) -> str:
    if ask.holder.startswith(rows.PROVIDER_HOLDER):
        name = ask.holder.removeprefix(rows.PROVIDER_HOLDER)
        known = sorted(sellers(tx))
        if name not in known:
            raise BadRequest(f"there is no provider {name!r}; there are {', '.join(known) or 'none'}", param="holder")
        return ask.holder
    customer = choose_customer(tx, caller, ask.holder)
    check_currency(f"the credit {ask.name!r}", ask.currency, customer.currency)
    return customer.id
