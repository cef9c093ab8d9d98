"""Many small transactions that share a commit."""

import asyncio

import pytest
from sqlalchemy import func, insert, select

from primeur.core.errors import NotFound
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
