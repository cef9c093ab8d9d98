"""Note that a statement of a provider or a partner is paid."""

from primeur.billing import statement_rows as rows
from primeur.billing.rules.stating import STATEMENT
from primeur.billing.statement_rows import Statement
from primeur.core.caller import Caller
from primeur.core.events import StatementPaid
from primeur.store.database import Tx, tell
from primeur.walks.book_statement import book_statement_payment
from primeur.walks.choose_project import actor_of
from primeur.walks.house import House


async def pay_statement(house: House, caller: Caller, number: str) -> Statement:
    """Note that we have paid a statement.

    Raises:
        Conflict: it is paid already.
        NotFound: there is no such statement.
    """

    def work(tx: Tx) -> Statement:
        before, now_ms = rows.find_statement(tx, number), house.clock.now_ms()
        after = rows.move_statement(tx, before, STATEMENT.after(before.state, "pay"), now_ms)
        book_statement_payment(tx, after, now_ms)
        tell(tx, StatementPaid(after.id, after.number), actor=actor_of(caller), at_ms=now_ms)
        return after

    return await house.store.transact(work)
