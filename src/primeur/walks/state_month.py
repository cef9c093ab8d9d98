"""State what providers and partners are owed for a month; a trial run and the real run are the same code."""

from dataclasses import dataclass, replace
from typing import Annotated, Literal

import msgspec

from primeur.billing import credit_rows
from primeur.billing import statement_rows as rows
from primeur.billing.credit_rows import PROVIDER_HOLDER
from primeur.billing.customer_rows import Issuer, find_issuer
from primeur.billing.invoice_rows import Party
from primeur.billing.money_rows import MoneySum, list_money
from primeur.billing.rules.credits import Wallet
from primeur.billing.rules.invoicing import Draft, check_next
from primeur.billing.rules.periods import Span, month_named, month_of, name_of
from primeur.billing.rules.stating import FINAL, PARTNER, PROVIDER, Due, Owed, draft_statement
from primeur.billing.statement_rows import Statement
from primeur.core.caller import Caller
from primeur.core.errors import CallerError, NotFound
from primeur.core.events import StatementIssued
from primeur.core.ids import make_id
from primeur.ledger.rules.entries import account_name
from primeur.metering.rate_rows import list_rates, list_shares
from primeur.metering.volume_rows import bought_volume
from primeur.store.database import Tx, tell
from primeur.walks.add_customer import Language
from primeur.walks.book_statement import book_statement
from primeur.walks.choose_project import actor_of
from primeur.walks.house import House
from primeur.walks.invoice_month import year_number
from primeur.walks.sum_money import sum_up

_NOBODY = Wallet()


class StatementRun(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to state.

    Attributes:
        period: a month such as ``2026-11``.
        kind: of providers or of partners; both when not given.
        party: only this one.
        issuer: code of who states it; the oldest when not given.
        dry_run: only say what would be; also possible while the month runs.
    """

    period: Annotated[str, msgspec.Meta(max_length=8)]
    kind: Literal["", "provider", "partner"] = ""
    party: Annotated[str, msgspec.Meta(max_length=200)] = ""
    issuer: Annotated[str, msgspec.Meta(max_length=16)] = ""
    language: Language = "en"
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Owing:
    """To whom we owe something, and in which currency."""

    kind: str
    party: str
    currency: str


@dataclass(frozen=True, slots=True)
class Stated:
    """What a run did for one party and currency.

    Attributes:
        statement: None where there was nothing to state, or *fault* says why not.
        fresh: it was made by this run.
    """

    owing: Owing
    statement: Statement | None
    fault: str = ""
    fresh: bool = True


class _Tried(Exception):
    def __init__(self, statement: Statement | None) -> None:
        super().__init__()
        self.statement = statement


async def state_month(house: House, caller: Caller, ask: StatementRun) -> list[Stated]:
    """State a month for one party or all; what is stated already is left as it is.

    Raises:
        BadRequest: the period is no month.
        NotFound: nobody is owed anything under that name, or there is nobody who states.
    """
    month = month_named(ask.period)
    await sum_up(house)

    def chosen(tx: Tx) -> tuple[Issuer, list[Owing]]:
        found = [one for one in owing(tx, month) if ask.kind in {"", one.kind} and ask.party in {"", one.party}]
        if ask.party and not found:
            raise NotFound(f"nothing was bought of, or shared with, {ask.party!r} up to {ask.period}")
        return find_issuer(tx, ask.issuer), found

    issuer, found = await house.store.read(chosen)
    return [await _state_one(house, caller, (issuer, one, month), ask) for one in found]


async def _state_one(house: House, caller: Caller, what: tuple[Issuer, Owing, Span], ask: StatementRun) -> Stated:
    _, one, month = what

    def work(tx: Tx) -> Stated:
        for standing in rows.list_statements(tx, one.kind, one.party, name_of(month)):
            if standing.currency == one.currency:
                return Stated(one, standing, fresh=False)
        if not ask.dry_run:
            last = rows.last_stated(tx, one.kind, one.party)
            check_next(month, None if last is None else month_named(last), house.clock.now_ms())
        made = write_statement(tx, house, caller, what, ask.language)
        if ask.dry_run:
            raise _Tried(made)
        return Stated(one, made)

    try:
        return await house.store.transact(work)
    except _Tried as tried:
        return Stated(one, None if tried.statement is None else replace(tried.statement, id="", number=""))
    except CallerError as error:
        return Stated(one, None, error.message)


def write_statement(
    tx: Tx, house: House, caller: Caller, what: tuple[Issuer, Owing, Span], language: str
) -> Statement | None:
    """Make a month final in a transaction that is open; None when there is nothing to state."""
    issuer, one, month = what
    found = money_of(tx, one, Span(0, month.to_ms))
    draft = draft_of(tx, one, month, found)
    before = rows.taken_over(tx, one.kind, one.party, one.currency)
    ahead = sum(each.nanos for each in found if each.side == "ahead") - before.ahead_nanos
    booked = sum(each.nanos for each in found if each.side != "ahead") - before.booked_nanos
    now_ms = house.clock.now_ms()
    paper_id = make_id("statement", now_ms, house.entropy)
    credit_rows.keep_burns(tx, draft.burns, credit_rows.USE, paper_id, now_ms)
    credit_rows.keep_burns(tx, draft.lost, credit_rows.EXPIRE, paper_id, now_ms)
    statement = Statement(
        id=paper_id, number="", kind=one.kind, state=FINAL, issuer=issuer.code, party=one.party,
        period=name_of(month), currency=one.currency, nanos=draft.nanos, cents=draft.cents,
        remainder_nanos=draft.remainder_nanos, lines=draft.lines,
        issued_by=Party(issuer.name, issuer.address, issuer.tax_id), language=language, created_ms=now_ms,
        ahead_nanos=ahead, booked_nanos=booked,
    )  # fmt: skip
    book_statement(tx, statement, draft)
    if draft.is_empty:
        return None
    number = rows.next_statement_number(tx, one.kind, issuer.code, year_number(now_ms))
    final = replace(statement, number=number)
    rows.add_statement(tx, final)
    tell(tx, StatementIssued(paper_id, number, one.kind, one.party), actor=actor_of(caller), at_ms=now_ms)
    return final


def draft_of(tx: Tx, one: Owing, month: Span, found: list[MoneySum]) -> Draft:
    """Put a month together as it is now, with what came late for months before."""
    rates = list_rates(tx)

    def volume(span: Span) -> dict[str, int]:
        return (
            bought_volume(tx, (span.from_ms, span.to_ms), one.party, one.currency, rates)
            if one.kind == PROVIDER
            else {}
        )

    booked = [each for each in found if each.side != "ahead"]
    within = [each for each in booked if month.holds(each.day_ms)]
    owed = [Owed(each.day_ms, each.deployment, each.requests, each.nanos) for each in within]
    stated = rows.stated_by_month(tx, one.kind, one.party, one.currency)
    sums: dict[str, int] = dict.fromkeys(stated, 0)
    for each in booked:
        if each.day_ms < month.from_ms:
            name = name_of(month_of(each.day_ms))
            sums[name] = sums.get(name, 0) + each.nanos
    sums.pop(name_of(month), None)
    late = {name: nanos + sum(volume(month_named(name)).values()) - stated.get(name, 0) for name, nanos in sums.items()}
    wallet = credit_rows.wallet_of(tx, PROVIDER_HOLDER + one.party, one.currency) if one.kind == PROVIDER else _NOBODY
    return draft_statement(one.kind, month, Due(owed, volume(month), late), wallet, one.currency)


def owing(tx: Tx, month: Span) -> list[Owing]:
    """Give to whom something is owed for a month or for those before, in their order."""
    partners = partner_accounts(tx)
    found: set[tuple[str, str, str]] = set()
    for one in list_money(tx, Span(0, month.to_ms)):
        if one.side == "bought":
            found.add((PROVIDER, one.provider, one.currency))
        elif one.side == "shared":
            found.add((PARTNER, partners.get(one.account, one.account), one.currency))
    for grant in credit_rows.list_grants(tx):
        if grant.holder.startswith(PROVIDER_HOLDER):
            found.add((PROVIDER, grant.holder.removeprefix(PROVIDER_HOLDER), grant.currency))
    return [Owing(*one) for one in sorted(found)]


def money_of(tx: Tx, one: Owing, span: Span) -> list[MoneySum]:
    """Give the sums of days that are owed to one party in one currency."""
    if one.kind == PROVIDER:
        found = list_money(tx, span, provider=one.party)
        return [each for each in found if each.side in {"bought", "ahead"} and each.currency == one.currency]
    account = account_name("Expenses", "revenue-share", one.party)
    found = list_money(tx, span, side="shared")
    return [each for each in found if (each.account, each.currency) == (account, one.currency)]


def partner_accounts(tx: Tx) -> dict[str, str]:
    """Give the partner behind each account of shares."""
    return {account_name("Expenses", "revenue-share", one.partner): one.partner for one in list_shares(tx)}
