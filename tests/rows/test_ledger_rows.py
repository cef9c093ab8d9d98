"""The ledger on both databases: posted once, never changed, proven."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from primeur.core.errors import BadRequest, Conflict, NotFound
from primeur.ledger import rows
from primeur.ledger.audit import prove
from primeur.ledger.rules.entries import Account, Entry, reversal, settlement
from primeur.ledger.search_rows import Search, balance_after, newest_of, pages_of, search_transactions

BANK, SALES = Account("Assets:Bank", "EUR"), Account("Income:Sales", "EUR")


def sale(number: int, amount: int = 5, **changes) -> Entry:
    fields = {"key": f"k{number}", "kind": "usage", "at_ms": number, "legs": ((BANK, amount), (SALES, -amount))}
    return Entry(**fields | changes)


def test_posting_twice_is_once(store):
    """By the key, in one call and in two, whatever the time says."""
    assert store.transact_now(lambda tx: rows.post(tx, sale(1), sale(2), sale(1))) == 2
    assert store.transact_now(lambda tx: rows.post(tx, sale(2, at_ms=99), sale(3))) == 1
    assert store.read_now(lambda tx: rows.balance(tx, BANK)) == 15
    found = store.read_now(lambda tx: list(rows.read(tx)))
    assert [one.number for one in found] == [1, 2, 3]
    assert [one.entry for one in found] == [sale(1), sale(2), sale(3)]
    assert store.read_now(prove).ok


@pytest.mark.parametrize(
    ("entry", "fault"),
    [
        (sale(2, legs=((BANK, 5), (SALES, -4))), BadRequest),
        (sale(2, legs=((BANK, 5), (Account("Income:Sales", "USD"), -5))), BadRequest),
        (sale(2, legs=((BANK, 5), (Account("Income:Sales", "EUR", "settlements"), -5))), BadRequest),
        (sale(2, legs=((BANK, 5),)), BadRequest),
        (sale(2, legs=((BANK, 1 << 63), (SALES, -(1 << 63)))), BadRequest),
        (sale(2, legs=((Account("bank", "EUR"), 5), (SALES, -5))), BadRequest),
        (sale(2, legs=((Account("Assets:Bank", "euro"), 5), (Account("Income:Sales", "euro"), -5))), BadRequest),
        (sale(1, 6), Conflict),
        (reversal(sale(9), key="k10", at_ms=1), NotFound),
    ],
)
def test_what_cannot_be_posted_changes_nothing(store, entry, fault):
    """Unbalanced, mixed currencies or books, too large, no account, a key used for something else."""
    store.transact_now(lambda tx: rows.post(tx, sale(1)))
    with pytest.raises(fault):
        store.transact_now(lambda tx: rows.post(tx, sale(3), entry))
    assert store.read_now(prove).transactions == 1
    assert store.read_now(lambda tx: rows.balance(tx, BANK)) == 5


def test_a_mistake_is_taken_back_once(store):
    """By a transaction of its own."""
    store.transact_now(lambda tx: rows.post(tx, sale(1), reversal(sale(1), key="r1", at_ms=2)))
    with pytest.raises(Conflict, match="reversed before"):
        store.transact_now(lambda tx: rows.post(tx, reversal(sale(1), key="r2", at_ms=3)))
    assert store.read_now(rows.list_balances) == [(BANK, 0), (SALES, 0)]


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE legs SET amount = amount * 2",
        "UPDATE transactions SET at_ms = 1",
        "DELETE FROM legs",
        "DELETE FROM transactions",
        "UPDATE accounts SET name = 'Assets:Mine'",
    ],
)
def test_the_database_refuses_changes(store, change):
    """Not only we."""
    store.transact_now(lambda tx: rows.post(tx, sale(1)))
    with pytest.raises(DatabaseError, match="only grow"):
        store.transact_now(lambda tx: tx.execute(text(change)))


@pytest.mark.parametrize(
    ("change", "number", "fault"),
    [
        ("UPDATE legs SET amount = amount * 2 WHERE number = 2", 2, "hash"),
        ("UPDATE legs SET amount = 6 WHERE number = 2 AND place = 1", 2, "sum to 1"),
        ("UPDATE transactions SET text = 'x' WHERE number = 3", 3, "hash"),
        ("DELETE FROM transactions WHERE number = 2", 3, "missing"),
        ("UPDATE accounts SET name = 'Income:Mine' WHERE name = 'Income:Sales'", 1, "hash"),
    ],
)
def test_a_changed_transaction_is_named(store, change, number, fault):
    """The first one, by whoever got round the database's refusal."""
    store.transact_now(lambda tx: rows.post(tx, *map(sale, range(1, 5))))

    def tamper(tx):
        if tx.dialect.name == "postgresql":
            tx.execute(text("SET LOCAL session_replication_role = replica"))
        else:
            for (name,) in tx.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).all():
                tx.execute(text(f"DROP TRIGGER {name}"))
        tx.execute(text(change))

    store.transact_now(tamper)
    proof = store.read_now(prove)
    assert (proof.ok, proof.first_wrong.number) == (False, number)
    assert fault in proof.first_wrong.fault


def test_a_wrong_balance_and_a_cut_off_end_are_found(store):
    """Balances follow from the legs."""
    store.transact_now(lambda tx: rows.post(tx, sale(1)))
    store.transact_now(lambda tx: tx.execute(text("UPDATE balances SET amount = amount + 1 WHERE account_id = 1")))
    assert store.read_now(prove).wrong_balances == ["requests Assets:Bank EUR"]


@pytest.mark.parametrize("change", ["UPDATE account_pages SET amount = 7", "DELETE FROM account_pages"])
def test_a_wrong_page_is_found(store, change):
    """What leads to an account's legs is proven with them."""
    store.transact_now(lambda tx: rows.post(tx, *map(sale, range(1, 1500))))
    assert store.read_now(prove).ok
    store.transact_now(lambda tx: tx.execute(text(change + " WHERE account_id = 1 AND page = 0")))
    assert store.read_now(prove).wrong_balances == ["requests Assets:Bank EUR"]


def test_an_account_is_followed_over_pages_of_the_chain(store):
    """In batches that end in the middle of one."""
    rare = Account("Income:Rare", "EUR")
    entries = [sale(n, legs=((BANK, 5), (rare if n % 900 == 0 else SALES, -5))) for n in range(1, 2801)]
    for start in range(0, len(entries), 700):
        store.transact_now(lambda tx, some=entries[start : start + 700]: rows.post(tx, *some))

    def found(**asked):
        posted, before = store.read_now(lambda tx: search_transactions(tx, Search(**asked)))
        return [one.number for one in posted], before

    assert found(account="Income:Rare", limit=2) == ([2700, 1800], 1800)
    assert found(account="Income:Rare", limit=2, before=1800) == ([900], None)
    assert found(account="Income", limit=3, before=1001) == ([1000, 999, 998], 998)
    after = [store.read_now(lambda tx, n=n: balance_after(tx, rare, n)) for n in (899, 900, 1000, 1800, 2800)]
    assert after == [0, -5, -5, -10, -15]
    assert store.read_now(prove).ok


def test_cents_are_moved_with_their_remainder(store):
    """Nothing is lost between the books."""
    owed, income = Account("Assets:Receivable:Acme", "EUR"), Account("Income:Inference:Acme", "EUR")
    used = Entry("u", "usage", 1, ((owed, 12_345_678_901), (income, -12_345_678_901)))
    moved = Entry("i", "invoice", 2, settlement(owed.name, "EUR", 12_345_678_901, 1234))
    store.transact_now(lambda tx: rows.post(tx, used, moved))
    found = dict(store.read_now(rows.list_balances))
    assert (found[owed], found[Account(owed.name, "EUR", "settlements")]) == (0, 1234)
    assert found[Account("Expenses:Rounding", "EUR")] == 5_678_901


@pytest.mark.parametrize("search", [Search(), Search(before=9), Search(kind="usage", text="k", from_ms=1, to_ms=99)])
def test_an_accounts_newest_are_found_by_its_pages(store, search):
    """Nobody reads the legs of all accounts for one of them, nor sorts an account's for the first page."""

    def plan(tx):
        if tx.dialect.name != "sqlite":
            pytest.skip("PostgreSQL plans by how much there is")
        queries = (pages_of(1, search.before), newest_of(1, 0, search))
        told = [query.compile(tx.engine, compile_kwargs={"literal_binds": True}) for query in queries]
        return [[row.detail for row in tx.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}")] for query in told]

    pages, newest = store.read_now(plan)
    assert "USING PRIMARY KEY (account_id=?" in pages[0]
    assert "legs USING PRIMARY KEY (number>? AND number<?)" in newest[0]
    assert not any("SCAN" in step or "TEMP B-TREE" in step for step in pages + newest)


def test_pages_of_an_account_and_its_balance_after_each(store):
    """Newest first, also of several accounts at once, whatever else is asked."""
    shop = Account("Income:Sales:Shop", "EUR")
    entries = [sale(number) for number in range(1, 5)] + [sale(5, legs=((BANK, 7), (shop, -7)), kind="fee")]
    store.transact_now(lambda tx: rows.post(tx, *entries))

    def found(**asked):
        posted, before = store.read_now(lambda tx: search_transactions(tx, Search(**asked)))
        return [one.number for one in posted], before

    assert found(account="Income", limit=3) == ([5, 4, 3], 3)
    assert found(account="Income", limit=3, before=3) == ([2, 1], None)
    assert found(account="Assets:Bank", kind="fee") == ([5], None)
    assert found(account="Income:Sales", currency="USD") == ([], None)
    assert found(account="Income:Sales:Shop", from_ms=6) == ([], None)
    after = [store.read_now(lambda tx, n=n: balance_after(tx, BANK, n)) for n in range(6)]
    assert after == [0, 5, 10, 15, 20, 27]
