"""The ledger over the API: accounts, transactions with running balances, and exports that other programs accept."""

import asyncio
import csv
import io
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest
from beancount import loader

from primeur.gateway.asgi import Gateway
from primeur.ledger import rows as ledger
from primeur.ledger.rules.entries import Account, Entry, settlement

OWED, SALES = Account("Assets:Receivable:Acme", "EUR"), Account("Income:Inference:Gpt", "EUR")
DAY_MS = 86_400_000
NASTY = 'says "so" \\ and\nmore'


@pytest.fixture
async def booked(client, founded):
    """Three requests, an invoice that takes them over, and one in another currency."""
    dollars = (Account("Assets:Bank", "USD"), 5), (Account("Income:Sales", "USD"), -5)
    entries = [
        *(Entry(f"req_{n}", "usage", n * DAY_MS, ((OWED, n * 10**9 + 1), (SALES, -n * 10**9 - 1))) for n in (1, 2, 3)),
        Entry("invoice:1", "invoice", 4 * DAY_MS, settlement(OWED.name, "EUR", 6 * 10**9 + 3, 600), NASTY),
        Entry("dollars", "payment", 5 * DAY_MS, dollars, "=1+1"),
    ]
    await founded.store.transact(lambda tx: ledger.post(tx, *entries))
    return client


async def test_an_account_is_read_with_its_running_balance(booked):
    """Newest first, page by page, each amount exact."""
    ask = {"account": OWED.name, "limit": 3}
    first = (await booked.get("/api/v1/ledger/transactions", params=ask)).json()
    assert [one["key"] for one in first["data"]] == ["invoice:1", "req_3", "req_2"]
    assert [one["balance"] for one in first["data"]] == ["0.000000000", "6.000000003", "3.000000002"]
    rest = (await booked.get("/api/v1/ledger/transactions", params={**ask, "before": first["next"]})).json()
    assert [(one["key"], one["balance"]) for one in rest["data"]] == [("req_1", "1.000000001")]
    assert rest["next"] is None


async def test_transactions_are_searched(booked):
    """By kind, text, time and the beginning of an account; what is asked wrongly is refused by name."""
    for ask, keys in (
        ({"kind": "payment"}, ["dollars"]),
        ({"text": "SO"}, ["invoice:1"]),
        ({"from_ms": 2 * DAY_MS, "to_ms": 3 * DAY_MS}, ["req_2"]),
        ({"account": "Income", "currency": "USD"}, ["dollars"]),
        ({"account": "Income:Inf"}, []),
    ):
        found = (await booked.get("/api/v1/ledger/transactions", params=ask)).json()["data"]
        assert [one["key"] for one in found] == keys
    for wrong in ({"limit": 0}, {"book": "x"}, {"acount": "x"}, {"before": 0}):
        answer = await booked.get("/api/v1/ledger/transactions", params=wrong)
        assert (answer.status_code, answer.json()["error"]["param"]) == (400, next(iter(wrong)))
    assert (await booked.get("/api/v1/ledger/transactions/req_2")).json()["legs"][0]["units"] == 2 * 10**9 + 1
    assert (await booked.get("/api/v1/ledger/transactions/nothing")).status_code == 404


async def test_accounts_are_listed_with_their_balances(booked):
    """Of both books."""
    found = (await booked.get("/api/v1/ledger/accounts", params={"text": "receivable"})).json()["data"]
    assert [(one["book"], one["amount"]) for one in found] == [("requests", "0.000000000"), ("settlements", "6.00")]


@pytest.mark.parametrize("span", [{}, {"from_ms": 3 * DAY_MS}, {"from_ms": 2 * DAY_MS, "to_ms": 4 * DAY_MS}])
async def test_beancount_accepts_the_export(booked, tmp_path, span):
    """Without one error, whatever the period, by its own `bean-check`; the balances at its end are the ledger's."""
    text = (await booked.get("/api/v1/ledger/export", params=span)).text
    (tmp_path / "books.beancount").write_text(text, "utf-8")
    check = Path(sys.executable).with_name("bean-check")
    checked = await asyncio.to_thread(
        subprocess.run, [check, "--no-cache", tmp_path / "books.beancount"], capture_output=True, text=True, check=False
    )
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")
    entries, errors, _ = loader.load_string(text)
    assert not errors
    sums: dict[tuple[str, str], object] = {}
    for entry in entries:
        for leg in getattr(entry, "postings", ()):
            unit = (leg.account, leg.units.currency)
            sums[unit] = sums.get(unit, 0) + leg.units.number
    if "to_ms" not in span:
        found = (await booked.get("/api/v1/ledger/accounts")).json()["data"]
        for (name, currency), total in sums.items():
            both = sum(float(one["amount"]) for one in found if (one["account"], one["currency"]) == (name, currency))
            assert float(total) == pytest.approx(both, abs=1e-12)


async def test_the_csv_has_a_line_for_each_leg_and_no_formula(booked):
    """Exact decimals that sum to zero."""
    text = (await booked.get("/api/v1/ledger/export", params={"form": "csv"})).text
    lines = list(csv.DictReader(io.StringIO(text)))
    assert len(lines) == 13
    assert {line["text"] for line in lines if line["key"] == "dollars"} == {"'=1+1"}
    assert {line["text"] for line in lines if line["key"] == "invoice:1"} == {NASTY}


async def test_who_may_not_read_the_ledger_does_not(booked, founded):
    """A key of a member."""
    made = (await booked.post("/api/v1/keys", json={"name": "app"})).json()["key"]
    transport = httpx2.ASGITransport(Gateway(founded))
    async with httpx2.AsyncClient(
        transport=transport, base_url="http://primeur.test", headers={"api-key": made}
    ) as other:
        for path in ("accounts", "transactions", "export"):
            assert (await other.get(f"/api/v1/ledger/{path}")).status_code == 403
