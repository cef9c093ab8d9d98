"""Invoices and the ledger say the same, whatever was used, granted, taken back or came late."""

from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from primeur.billing import credit_rows
from primeur.billing.rules.charging import CREDIT, FEE, total_of
from primeur.billing.rules.periods import DAY_MS, month_of, name_of
from primeur.core.errors import Conflict
from primeur.core.ids import make_id
from primeur.core.usage import Usage, UsageEvent
from primeur.ledger import rows as ledger
from primeur.ledger.audit import prove
from primeur.ledger.rules.entries import SETTLEMENTS, Account, account_name
from primeur.walks.add_customer import NewCustomer, NewIssuer, add_customer, set_issuer
from primeur.walks.add_plan import NewPlan, add_plan
from primeur.walks.book_invoice import owed_by
from primeur.walks.book_usage import Terms, book_usage
from primeur.walks.create_project import NewProject, create_project
from primeur.walks.grant_credit import NewCredit, grant_credit
from primeur.walks.invoice_month import InvoiceRun, invoice_month
from primeur.walks.settle_invoice import credit_invoice, pay_invoice
from primeur.walks.subscribe import NewSubscription, subscribe

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("use"), st.integers(0, 100), st.integers(0, 10**11)),
        st.tuples(st.just("grant"), st.integers(1, 90), st.integers(1, 5000)),
        st.tuples(st.just("bill"), st.just(0), st.just(0)),
        st.tuples(st.sampled_from(["credit", "pay"]), st.integers(0, 3), st.just(0)),
    ),
    max_size=14,
)
_names = count()


@dataclass
class Shop:
    """One customer's story: its papers so far, and what was used."""

    house: object
    owner: object
    clock: object
    project: str = ""
    customer: str = ""
    used: int = 0
    since_ms: int = 0
    papers: list = field(default_factory=list)
    paid: int = 0

    async def begin(self, *, plan: bool):
        self.clock.ms = month_of(self.clock.ms).to_ms + 5 * DAY_MS
        self.since_ms, name = self.clock.ms, f"shop-{next(_names)}"
        self.project = (await create_project(self.house, self.owner, NewProject(name=name))).id
        self.customer = (await add_customer(self.house, self.owner, NewCustomer(name=name, project=name))).id
        if plan:
            await add_plan(self.house, self.owner, NewPlan(name=name, fee="7.01", included_tokens=900))
            await subscribe(self.house, self.owner, self.customer, NewSubscription(plan=name))

    async def use(self, days_ago, nanos):
        """Usage of any day since the customer came, also of months that are final."""
        at_ms = max(self.since_ms, self.clock.ms - days_ago * DAY_MS)
        event = UsageEvent(
            id=make_id("request", at_ms, self.house.entropy), at_ms=at_ms, route="chat", outcome="completed",
            status=200, project_id=self.project, deployment="chat", usage=Usage(500), cost_nanos=nanos, currency="EUR",
        )  # fmt: skip
        self.used += nanos
        assert await self.house.store.transact(lambda tx: book_usage(tx, [event, event], Terms())) == 1

    async def grant(self, days, cents):
        ask = NewCredit(holder=self.customer, name="c", amount=f"{cents / 100:.2f}", days=days, kind="promotion")
        await grant_credit(self.house, self.owner, ask)

    async def bill(self, *_):
        month = month_of(self.clock.ms)
        self.clock.ms = month.to_ms + DAY_MS
        ask = InvoiceRun(period=name_of(month), customer=self.customer)
        (made,) = await invoice_month(self.house, self.owner, ask)
        assert not made.fault
        self.papers += [made.invoice] if made.invoice and made.fresh else []

    async def credit(self, which, _):
        for paper in self._invoices()[which : which + 1]:
            with suppress(Conflict):
                self.papers.append(await credit_invoice(self.house, self.owner, paper.number))

    async def pay(self, which, _):
        for paper in self._invoices()[which : which + 1]:
            with suppress(Conflict):
                self.paid += (await pay_invoice(self.house, self.owner, paper.number)).cents

    def _invoices(self):
        """The newest first; some are paid or taken back already."""
        return [one for one in self.papers if one.kind == "invoice"][::-1]

    async def books(self):
        return dict(await self.house.store.read(ledger.list_balances))


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS, plan=st.booleans())
async def test_invoice_lines_are_what_the_ledger_posted(founded, owner, clock, steps, plan):
    """Over usage that comes late, fees, credits, payments and credit notes, to the nano and to the cent."""
    await set_issuer(founded, owner, "ACME", NewIssuer(name="Acme"))
    shop = Shop(founded, owner, clock)
    await shop.begin(plan=plan)
    before = await shop.books()
    for step, *how in steps:
        await getattr(shop, step)(*how)
    await shop.bill()
    books = {account: amount - before.get(account, 0) for account, amount in (await shop.books()).items()}

    def found(name, book="requests"):
        return books.get(Account(name, "EUR", book), 0)

    lines = [line for paper in shop.papers for line in paper.lines]
    assert all(total_of(paper.lines) == paper.nanos for paper in shop.papers)
    assert total_of(line for line in lines if line.kind == FEE) == -found("Income:Plans")
    income = ("Income:Inference:Chat", "Income:Plans", "Income:Plan-Adjustments")
    assert total_of(line for line in lines if line.kind != CREDIT) == -sum(map(found, income))
    assert plan or total_of(line for line in lines if line.kind != CREDIT) == shop.used
    # Nothing is left that no invoice says, late or not, and nothing stands in both books.
    assert found(account_name("Assets", "receivable", shop.project)) == found(owed_by(shop.customer)) == 0
    assert found(owed_by(shop.customer), SETTLEMENTS) == sum(paper.cents for paper in shop.papers) - shop.paid
    assert found("Expenses:Rounding") == sum(paper.remainder_nanos for paper in shop.papers)
    wallet = await founded.store.read(lambda tx: credit_rows.wallet_of(tx, shop.customer))
    assert sum(wallet.left.values()) == -found(account_name("Liabilities", "deposits", shop.customer))
    assert (await founded.store.read(prove)).ok
