"""Deliveries on both databases."""

import pytest

from primeur.core.errors import Conflict
from primeur.governance import webhook_rows as rows


def kept(store, name="whd_1", due_ms=10):
    one = rows.Delivery(name, None, "https://a.example", "x", "{}", 5, due_ms)
    store.transact_now(lambda tx: rows.add_delivery(tx, one))
    return one


def test_what_is_taken_is_nobody_elses_until_its_lease_ends(store):
    """A crash in between costs a wait, not a delivery."""
    kept(store)
    assert store.transact_now(lambda tx: rows.take_due(tx, 9, 100, 10)) == []
    [taken] = store.transact_now(lambda tx: rows.take_due(tx, 10, 100, 10))
    assert store.transact_now(lambda tx: rows.take_due(tx, 109, 100, 10)) == []
    [again] = store.transact_now(lambda tx: rows.take_due(tx, 110, 100, 10))
    assert (taken.id, taken.next_ms, again.next_ms) == ("whd_1", 110, 210)


def test_a_delivery_moves_only_from_where_it_was_seen(store):
    """Two who took it one after the other do not both write down how it went."""
    kept(store)
    [first] = store.transact_now(lambda tx: rows.take_due(tx, 10, 100, 10))
    [second] = store.transact_now(lambda tx: rows.take_due(tx, 110, 100, 10))
    with pytest.raises(Conflict):
        store.transact_now(lambda tx: rows.move_delivery(tx, first, "deliver", ended_ms=120))
    moved = store.transact_now(lambda tx: rows.move_delivery(tx, second, "deliver", ended_ms=120, status=200))
    assert (moved.state, moved.status) == ("delivered", 200)


def test_old_ends_are_forgotten(store):
    """What is still on its way stays, however old it is."""
    kept(store)
    kept(store, "whd_2")
    [taken, *_] = store.transact_now(lambda tx: rows.take_due(tx, 10, 100, 1))
    store.transact_now(lambda tx: rows.move_delivery(tx, taken, "abandon", ended_ms=50))
    assert store.transact_now(lambda tx: rows.forget_deliveries(tx, 51, 10)) == 1
    assert [one.id for one in store.read_now(lambda tx: rows.list_deliveries(tx, None, None, 10))] == ["whd_2"]
