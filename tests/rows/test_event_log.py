"""The event log on both databases: chained, in order, and growing only."""

import asyncio
import sqlite3
from concurrent.futures import ThreadPoolExecutor

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError

from primeur.core.chain import Entry
from primeur.core.events import KeyRevoked
from primeur.governance.audit_rows import AuditSearch, newest_event, read_chain, read_events, search_events
from primeur.store import migrate
from primeur.store.database import Store, tell
from primeur.store.origin import ORIGIN, Origin
from primeur.walks.verify_audit import verify_chain

FIELDS = Entry.__struct_fields__


def write(store, name, **more):
    store.transact_now(lambda tx: tell(tx, KeyRevoked(name), actor="mem_1", at_ms=5, **more))


def test_events_are_chained(store):
    """With what was before and after, and where it was asked for."""
    token = ORIGIN.set(Origin("::1", "req_1", "org_1"))
    write(store, "key_1", before={"b": 1, "a": 2}, after=None)
    ORIGIN.reset(token)
    write(store, "key_2")
    first, second = store.read_now(lambda tx: read_events(tx, AuditSearch(), 0, 10))
    assert (first.sequence, first.before, first.address, first.request_id) == (1, '{"a":2,"b":1}', "::1", "req_1")
    assert (second.previous, second.address) == (first.hash, "")
    rows = store.read_now(lambda tx: read_chain(tx, 0, 10))
    assert [Entry(**dict(zip(FIELDS, row, strict=True))) for row in rows] == [first, second]
    assert verify_chain(store.read_now, {}).intact


@pytest.mark.parametrize("change", ["update events set actor = 'x'", "delete from events"])
def test_the_log_only_grows(store, change):
    """Whoever would change a row is stopped by the database itself."""
    write(store, "key_1")
    with pytest.raises(DBAPIError, match="only grow"):
        store.transact_now(lambda tx: tx.execute(text(change)))
    assert store.read_now(newest_event).actor == "mem_1"


def test_what_is_rolled_back_was_not_told(store):
    """And leaves no gap."""

    def work(tx):
        tell(tx, KeyRevoked("key_0"), actor="a", at_ms=1)
        raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011 (ours)
        store.transact_now(work)
    write(store, "key_1")
    assert store.read_now(newest_event).sequence == 1


async def test_writers_side_by_side_make_one_chain(store):
    """Several connections, several processes: nobody's event is lost, and none is out of place."""
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda number: write(store, f"key_{number}"), range(80)))
    together = [store.transact_together(lambda tx: tell(tx, KeyRevoked("k"), actor="a", at_ms=1)) for _ in range(9)]
    for one in together:
        await one
    report = verify_chain(store.read_now, {})
    assert (report.intact, report.entries, report.sequence) == (True, 89, 89)


async def test_a_failure_among_neighbours_takes_its_own_events_only(store):
    """What shares a commit does not share its fate."""

    def good(tx):
        tell(tx, KeyRevoked("good"), actor="a", at_ms=1)

    def bad(tx):
        tell(tx, KeyRevoked("bad"), actor="a", at_ms=1)
        raise ValueError

    await asyncio.gather(*(store.transact_together(work) for work in (good, bad, good)), return_exceptions=True)
    found = store.read_now(lambda tx: read_events(tx, AuditSearch(), 0, 10))
    assert [entry.data.count("good") for entry in found] == [1, 1]


def test_a_search_finds_what_it_asks_for(store):
    """Newest first, by any of its parts, and nothing of another organisation."""
    for organisation, name in (("org_1", "key_a"), ("org_2", "key_b"), ("", "key_c")):
        token = ORIGIN.set(Origin("10.0.0.1", "req", organisation))
        write(store, name, after={"percent": "100%"})
        ORIGIN.reset(token)

    def found(**search):
        return [one.sequence for one in store.read_now(lambda tx: search_events(tx, AuditSearch(**search), None, 10))]

    assert found() == [3, 2, 1]
    assert found(organisation_id="org_1") == [3, 1]
    assert found(text="KEY_B") == [2]
    assert found(text="0%") == [3, 2, 1]
    assert found(text="0_") == []
    assert found(kind="KeyRevoked", actor="mem_1", address="10.0.0.1", since_ms=5, until_ms=6) == [3, 2, 1]
    assert found(until_ms=5) == []


def test_rows_from_before_the_chain_are_chained_when_the_house_is_upgraded(tmp_path):
    """An old log verifies from its first row on; numbers that were left out are closed up."""
    path = tmp_path / "old.db"
    config = Config()
    config.set_main_option("script_location", str(migrate._SCRIPTS))
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0015")
    engine.dispose()
    with sqlite3.connect(path) as raw:
        for sequence, name in ((1, "a"), (3, 'é"\n')):
            raw.execute(
                "insert into events (sequence, at_ms, kind, actor, data) values (?, 1, 'K', 'x', ?)", (sequence, name)
            )
    raw.close()
    store = Store(f"sqlite:///{path}")
    write(store, "key_1")
    report = verify_chain(store.read_now, {})
    store.close()
    assert (report.intact, report.entries) == (True, 3)
