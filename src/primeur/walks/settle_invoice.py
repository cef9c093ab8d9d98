"""Note that an invoice is paid, or take it back with a credit note."""

from dataclasses import replace

from primeur.billing import credit_rows, invoice_rows, plan_rows
from primeur.billing.invoice_rows import Invoice
from primeur.billing.rules.invoicing import CREDIT_NOTE, FINAL, PAPER, take_back
from primeur.billing.rules.subscriptions import PAST_DUE, SUBSCRIPTION
from primeur.core.caller import Caller
from primeur.core.errors import Conflict
from primeur.core.events import InvoiceMoved
from primeur.core.ids import make_id
from primeur.store.database import Tx, tell
from primeur.walks.add_customer import choose_customer
from primeur.walks.book_invoice import book_credit_note, book_payment
from primeur.walks.choose_project import actor_of
from primeur.walks.house import House
from primeur.walks.invoice_month import issue, year_number
from primeur.walks.move_subscriptions import tell_move


async def pay_invoice(house: House, caller: Caller, number: str) -> Invoice:
    """Note that an invoice is paid; a subscription that was past due is active again when no other is overdue.

    Raises:
        Conflict: it is paid or taken back already.
        NotFound: there is no such invoice for this caller.
    """

    def work(tx: Tx) -> Invoice:
        paid = _move(tx, house, caller, choose_invoice(tx, caller, number), "pay")
        book_payment(tx, paid, house.clock.now_ms())
        late = {one.customer_id for one in invoice_rows.overdue(tx, house.clock.now_ms())}
        for one in plan_rows.list_subscriptions(tx, paid.customer_id):
            if one.state == PAST_DUE and paid.customer_id not in late:
                moved = plan_rows.move_subscription(tx, one, SUBSCRIPTION.after(one.state, "pay"), None)
                tell_move(tx, house, moved, actor_of(caller))
        return paid

    return await house.store.transact(work)


async def credit_invoice(house: House, caller: Caller, number: str) -> Invoice:
    """Take an invoice back, line by line, with a credit note; credits that it burned are given back.

    Its month is open again: it can be invoiced anew, and until then the next month's invoice charges it.

    Raises:
        Conflict: it is a credit note, or taken back already.
        NotFound: there is no such invoice for this caller.
    """

    def work(tx: Tx) -> Invoice:
        found = choose_invoice(tx, caller, number)
        if found.kind == CREDIT_NOTE:
            raise Conflict(f"{found.number} is a credit note; only invoices are taken back")
        before = _move(tx, house, caller, found, "credit")
        now_ms = house.clock.now_ms()
        note = replace(
            before,
            id=make_id("invoice", now_ms, house.entropy),
            number=invoice_rows.next_number(tx, CREDIT_NOTE, before.issuer, year_number(now_ms)),
            kind=CREDIT_NOTE,
            state=FINAL,
            nanos=-before.nanos,
            cents=-before.cents,
            remainder_nanos=-before.remainder_nanos,
            lines=take_back(before.lines),
            corrects=before.id,
            due_ms=now_ms,
            created_ms=now_ms,
            ended_ms=None,
        )
        burnt = credit_rows.burns_of(tx, before.id, credit_rows.USE)
        credit_rows.keep_burns(tx, burnt, credit_rows.RETURN, note.id, now_ms)
        issue(tx, caller, note)
        book_credit_note(tx, before, note)
        return note

    return await house.store.transact(work)


def choose_invoice(tx: Tx, caller: Caller, number: str) -> Invoice:
    """Give the numbered paper.

    Raises:
        NotFound: there is none, or it is not for this caller to see.
    """
    found = invoice_rows.find_invoice(tx, number)
    choose_customer(tx, caller, found.customer_id)
    return found


def _move(tx: Tx, house: House, caller: Caller, before: Invoice, move: str) -> Invoice:
    now_ms = house.clock.now_ms()
    after = invoice_rows.move_invoice(tx, before, PAPER.after(before.state, move), now_ms)
    tell(tx, InvoiceMoved(after.id, after.number, after.state), actor=actor_of(caller), at_ms=now_ms)
    return after
