"""Invoice a month: a trial run and the real run are the same code, customer by customer."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated

import msgspec

from primeur.billing import credit_rows, invoice_rows, plan_rows
from primeur.billing.customer_rows import Customer, Issuer, find_issuer, list_customers, payers
from primeur.billing.invoice_rows import Invoice, Party
from primeur.billing.rules.charging import Month, charge_month
from primeur.billing.rules.invoicing import FINAL, Draft, check_next, draft_invoice
from primeur.billing.rules.periods import DAY_MS, Span, month_named, month_of, name_of, year_of
from primeur.billing.rules.stating import with_volume
from primeur.billing.usage_rows import spent_after, sum_days
from primeur.core.caller import Caller
from primeur.core.errors import CallerError
from primeur.core.events import InvoiceIssued
from primeur.core.ids import make_id
from primeur.metering.rate_rows import list_rates
from primeur.metering.volume_rows import sold_volume
from primeur.store.database import Tx, tell
from primeur.walks.add_customer import choose_customer, sees
from primeur.walks.book_invoice import book_invoice, book_lost, uncleared
from primeur.walks.choose_project import actor_of
from primeur.walks.house import House

LATE_MONTHS = 24
"""How far back what came late is looked for."""


class InvoiceRun(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to invoice.

    Attributes:
        period: a month such as ``2026-11``.
        customer: only this one; all of them when not given.
        issuer: code of who invoices; the oldest when not given.
        dry_run: only say what would be; also possible while the month runs.
    """

    period: Annotated[str, msgspec.Meta(max_length=8)]
    customer: str = ""
    issuer: str = ""
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Invoiced:
    """What a run did for one customer.

    Attributes:
        invoice: None where there was nothing to invoice, the month is invoiced already, or *fault* says why not.
        fresh: it was made by this run.
    """

    customer: Customer
    invoice: Invoice | None
    fault: str = ""
    fresh: bool = True


class _Tried(Exception):
    def __init__(self, invoice: Invoice | None) -> None:
        super().__init__()
        self.invoice = invoice


async def invoice_month(house: House, caller: Caller, ask: InvoiceRun) -> list[Invoiced]:
    """Invoice a month for one customer or all; what is invoiced already is left as it is.

    One customer's fault (a mix of currencies) keeps no other from being invoiced.

    Raises:
        BadRequest: the period is no month.
        NotFound: there is no such customer, or nobody who invoices.
    """
    month = month_named(ask.period)

    def chosen(tx: Tx) -> tuple[Issuer, list[Customer]]:
        only = [choose_customer(tx, caller, ask.customer)] if ask.customer else list_customers(tx)
        return find_issuer(tx, ask.issuer), [one for one in only if sees(caller, one)]

    issuer, customers = await house.store.read(chosen)
    return [await _invoice_one(house, caller, (issuer, customer, month), dry_run=ask.dry_run) for customer in customers]


async def _invoice_one(house: House, caller: Caller, what: tuple[Issuer, Customer, Span], *, dry_run: bool) -> Invoiced:
    _, customer, month = what

    def work(tx: Tx) -> Invoiced:
        standing = invoice_rows.find_standing(tx, customer.id, name_of(month))
        if standing is not None:
            return Invoiced(customer, standing, fresh=False)
        if not dry_run:
            last = invoice_rows.last_period(tx, customer.id)
            check_next(month, None if last is None else month_named(last), house.clock.now_ms())
        made = write_invoice(tx, house, caller, what)
        if dry_run:
            raise _Tried(made)
        return Invoiced(customer, made)

    try:
        return await house.store.transact(work)
    except _Tried as tried:
        return Invoiced(customer, None if tried.invoice is None else replace(tried.invoice, id="", number=""))
    except CallerError as error:
        return Invoiced(customer, None, error.message)


def draft_of(tx: Tx, customer: Customer, month: Span) -> Draft:
    """Put a customer's month together as it is now, with what came late for months before.

    Raises:
        BadRequest: a price or plan in another currency than the customer's.
    """
    plans = {plan.id: plan for plan in plan_rows.list_plans(tx)}
    terms = plan_rows.terms_of(tx, customer.id)
    mine = projects_of(tx, customer)
    before = _months_before(customer, month)
    usage = sum_days(tx, Span(before[0].from_ms if before else month.from_ms, month.to_ms), mine)

    rates = list_rates(tx)

    def whole(one: Span) -> Month:
        month_only = charge_month(one, usage, terms, plans, customer.currency)
        # A plan's overage price takes the place of the deployment's, and its tiers with it.
        covered = any(plans[term.plan_id].overage_nanos is not None for term in terms if term.span.within(one))
        return (
            month_only
            if covered
            else with_volume(month_only, one, sold_volume(tx, (one.from_ms, one.to_ms), mine, rates))
        )

    def charge(one: Span) -> int:
        return whole(one).nanos

    charged = invoice_rows.charged_by_month(tx, customer.id)
    late = {name_of(one): charge(one) - charged.get(name_of(one), 0) for one in before}
    wallet = credit_rows.wallet_of(tx, customer.id)
    now = whole(month)
    return draft_invoice(month, now, late, wallet, customer.currency)


def write_invoice(tx: Tx, house: House, caller: Caller, what: tuple[Issuer, Customer, Span]) -> Invoice | None:
    """Make a customer's month final in a transaction that is open; None when there is nothing to invoice."""
    issuer, customer, month = what
    draft = draft_of(tx, customer, month)
    now_ms = house.clock.now_ms()
    paper_id = make_id("invoice", now_ms, house.entropy)
    credit_rows.keep_burns(tx, draft.burns, credit_rows.USE, paper_id, now_ms)
    credit_rows.keep_burns(tx, draft.lost, credit_rows.EXPIRE, paper_id, now_ms)
    book_lost(tx, draft.lost, paper_id, now_ms)
    if draft.is_empty:
        return None
    invoice = Invoice(
        id=paper_id,
        number=invoice_rows.next_number(tx, draft.kind, issuer.code, year_number(now_ms)),
        kind=draft.kind,
        state=FINAL,
        issuer=issuer.code,
        customer_id=customer.id,
        period=name_of(month),
        currency=customer.currency,
        nanos=draft.nanos,
        cents=draft.cents,
        remainder_nanos=draft.remainder_nanos,
        lines=draft.lines,
        seller=Party(issuer.name, issuer.address, issuer.tax_id),
        buyer=Party(customer.name, customer.address, customer.tax_id, customer.language),
        due_ms=now_ms + issuer.due_days * DAY_MS,
        created_ms=now_ms,
    )
    issue(tx, caller, invoice)
    later = spent_after(tx, month.to_ms, projects_of(tx, customer), customer.currency)
    burnt = sum(one.nanos for one in draft.burns)
    book_invoice(tx, invoice, burnt, uncleared(tx, customer.currency, later))
    return invoice


def projects_of(tx: Tx, customer: Customer) -> set[str]:
    """Give the projects that a customer pays for."""
    return {project for project, payer in payers(tx).items() if payer == customer.id}


def issue(tx: Tx, caller: Caller, invoice: Invoice) -> None:
    """Keep a final paper and tell it."""
    invoice_rows.add_invoice(tx, invoice)
    what = InvoiceIssued(invoice.id, invoice.number, invoice.customer_id, invoice.currency, invoice.cents)
    tell(tx, what, actor=actor_of(caller), at_ms=invoice.created_ms)


def year_number(now_ms: int) -> int:
    """Give the year that a paper of now is numbered in."""
    return int(name_of(year_of(now_ms))[:4])


def _months_before(customer: Customer, month: Span) -> Sequence[Span]:
    found: list[Span] = []
    first = month_of(customer.created_ms)
    one = month
    while one.from_ms > first.from_ms and len(found) < LATE_MONTHS:
        one = month_of(one.from_ms - 1)
        found.append(one)
    return found[::-1]
