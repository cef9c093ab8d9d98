"""The fuzzer finds what it looks for, and a few thousand cases of each reader are no find."""

import signal
from random import Random

import pytest
from bench.fuzz import Found, mutate, run, try_one

from primeur.core.errors import BadRequest


@pytest.fixture(autouse=True)
def _alarm():
    before = signal.getsignal(signal.SIGALRM)
    yield
    signal.signal(signal.SIGALRM, before)


def test_a_fault_is_a_find_and_a_refusal_is_none():
    """With the seed that leads to it."""

    def breaks(data):
        raise KeyError(data)

    def refuses(_data):
        raise BadRequest("no")

    found = Found()
    for read in (breaks, refuses):
        try_one(read.__name__, read, [b"abc"], 7, found)
    assert found.refused == 1
    [(place, words)] = found.finds.items()
    assert place.startswith("breaks: KeyError")
    assert "seed 7" in words


def test_a_seed_is_a_case():
    """The same every time."""
    assert mutate([b"abc"] * 3, Random("x")) == mutate([b"abc"] * 3, Random("x"))


def test_every_reader_of_foreign_bytes_only_refuses():
    """`make fuzz` does this a million times."""
    found = run(first=5_000_000, cases=6600, seconds=120, only="")
    assert found.finds == {}
    assert len(found.cases) == 33
