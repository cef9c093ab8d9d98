"""Many small transactions that share a commit."""

import asyncio

import pytest
from sqlalchemy import func, insert, select

from primeur.core.errors import NotFound
from primeur.core.events import KeyRevoked
from primeur.governance.audit_rows import AuditSearch, read_events
from primeur.store.database import tell
from primeur.store.schema import organisations


def add(name):
    def work(tx):
        tx.execute(insert(organisations).values(id=name, name=name, created_ms=1))
        if name.startswith("bad"):
            raise NotFound(name)
        return name

    return work


def count(tx):
    return tx.execute(select(func.count()).select_from(organisations)).scalar_one()


async def test_each_is_all_or_nothing_by_itself(store):
    """One that fails takes nobody along, and leaves nothing."""
    names = [f"{'bad' if n % 7 == 0 else 'org'}_{n}" for n in range(300)]
    outcomes = await asyncio.gather(*(store.transact_together(add(name)) for name in names), return_exceptions=True)
    for name, outcome in zip(names, outcomes, strict=True):
        assert (isinstance(outcome, NotFound) and outcome.message == name) if name[0] == "b" else outcome == name
    assert await store.read(count) == sum(name.startswith("org") for name in names)


async def test_each_tells_its_events_once(store):
    """Also those that were run again because another one failed, which told nothing."""

    def telling(name):
        def work(tx):
            tell(tx, KeyRevoked(name), actor="mem_1", at_ms=1)
            return add(name)(tx)

        return work

    names = ["org_1", "bad_1", "org_2"]
    await asyncio.gather(*(store.transact_together(telling(name)) for name in names), return_exceptions=True)
    told = await store.read(lambda tx: read_events(tx, AuditSearch(), 0, 10))
    assert [one.data for one in told] == [
        '{"type":"KeyRevoked","key_id":"org_1"}',
        '{"type":"KeyRevoked","key_id":"org_2"}',
    ]


async def test_a_fault_of_the_database_is_told_to_its_own_work(store):
    """The same id twice is the second one's trouble."""
    first, second = await asyncio.gather(
        store.transact_together(add("org_1")), store.transact_together(add("org_1")), return_exceptions=True
    )
    assert first == "org_1"
    assert isinstance(second, Exception)
    assert await store.read(count) == 1


async def test_a_commit_that_cannot_happen_is_told_to_everybody(store):
    """Nobody waits for ever."""
    store.close()
    with pytest.raises(RuntimeError):
        await store.transact_together(add("org_1"))
