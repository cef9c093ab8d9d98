"""Numbers, grants and papers, on both databases."""

import pytest

from primeur.billing import credit_rows, invoice_rows
from primeur.billing.rules.credits import Burn, Grant
from primeur.core.errors import Conflict


def test_a_number_goes_back_with_its_transaction(store):
    """So a series has no gaps; each issuer, kind and year has its own."""

    def take(tx, kind="invoice", year=2026):
        return invoice_rows.next_number(tx, kind, "ACME", year)

    def fail(tx):
        take(tx)
        raise ValueError

    assert store.transact_now(take) == "ACME-2026-00001"
    with pytest.raises(ValueError, match=r"^$"):
        store.transact_now(fail)
    assert store.transact_now(take) == "ACME-2026-00002"
    assert store.transact_now(lambda tx: take(tx, year=2027)) == "ACME-2027-00001"
    assert store.transact_now(lambda tx: take(tx, kind="credit_note")) == "ACME-C-2026-00001"


def test_no_grant_falls_below_zero(store):
    """Whoever tries changes nothing."""
    grant = Grant("crd_1", "cus_1", "gift", "promotion", "EUR", 10, 0, 0, 0)
    store.transact_now(lambda tx: credit_rows.add_grant(tx, grant))
    store.transact_now(lambda tx: credit_rows.keep_burns(tx, [Burn("crd_1", 0, 7)], credit_rows.USE, "inv_1", 0))
    with pytest.raises(Conflict, match="below zero"):
        store.transact_now(lambda tx: credit_rows.keep_burns(tx, [Burn("crd_1", 0, 4)], credit_rows.USE, "inv_2", 0))
    assert store.read_now(lambda tx: credit_rows.wallet_of(tx, "cus_1")).left == {"crd_1": 3}
    store.transact_now(lambda tx: credit_rows.keep_burns(tx, [Burn("crd_1", 0, 7)], credit_rows.RETURN, "inv_3", 0))
    assert store.read_now(lambda tx: credit_rows.wallet_of(tx, "cus_1")).left == {"crd_1": 10}
