"""Show a customer's account for a month, from the papers and the payments that were posted."""

from primeur.billing import credit_rows, invoice_rows
from primeur.billing.account import AccountView, MovementView
from primeur.billing.customer_rows import Customer, find_issuer
from primeur.billing.invoice_rows import Invoice, Party
from primeur.billing.paper import total_text
from primeur.billing.rules.periods import month_named
from primeur.core.caller import Caller
from primeur.core.money import amount_of
from primeur.ledger import rows as ledger
from primeur.store.database import Tx
from primeur.walks.add_customer import choose_customer
from primeur.walks.house import House


async def state_account(house: House, caller: Caller, customer: str, period: str) -> AccountView:
    """Give a customer's account for a month; it is made anew each time and has no number.

    Raises:
        BadRequest: the period is no month.
        NotFound: there is no such customer for this caller, or nobody who invoices.
    """
    month, now_ms = month_named(period), house.clock.now_ms()

    def read(tx: Tx) -> AccountView:
        who = choose_customer(tx, caller, customer)
        moved = [one for paper in invoice_rows.list_invoices(tx, who.id) for one in _movements(tx, paper)]
        before = sum(one.cents for one in moved if one.at_ms < month.from_ms)
        within = sorted((one for one in moved if month.holds(one.at_ms)), key=lambda one: (one.at_ms, one.number))
        closing = before + sum(one.cents for one in within)
        wallet = credit_rows.wallet_of(tx, who.id)
        return AccountView(
            customer_id=who.id, seller=_seller(tx), buyer=_buyer(who), period=period, currency=who.currency,
            opening=total_text(before, who.currency), opening_cents=before, movements=within,
            closing=total_text(closing, who.currency), closing_cents=closing,
            credits=amount_of(sum(wallet.left.values())), created_ms=now_ms,
        )  # fmt: skip

    return await house.store.read(read)


def _movements(tx: Tx, paper: Invoice) -> list[MovementView]:
    paid = ledger.read(tx, key=f"payment:{paper.id}")
    payments = [_moved(paper, posted.entry.at_ms, "payment", -paper.cents) for posted in paid]
    return [_moved(paper, paper.created_ms, paper.kind, paper.cents), *payments]


def _moved(paper: Invoice, at_ms: int, kind: str, cents: int) -> MovementView:
    return MovementView(
        at_ms=at_ms, kind=kind, number=paper.number, cents=cents, amount=total_text(cents, paper.currency)
    )


def _seller(tx: Tx) -> Party:
    issuer = find_issuer(tx, "")
    return Party(issuer.name, issuer.address, issuer.tax_id)


def _buyer(customer: Customer) -> Party:
    return Party(customer.name, customer.address, customer.tax_id, customer.language)
