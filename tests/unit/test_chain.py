"""The event log as a chain: whatever is done to one row is found and named."""

import json
from hashlib import sha256

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from primeur.core.chain import GENESIS, Entry, Verifier, hash_entry

replace = msgspec.structs.replace
LENGTH = 60


def chain(length: int = LENGTH) -> list[Entry]:
    """A chain as it is written."""
    entries, previous = [], GENESIS
    for sequence in range(1, length + 1):
        entry = Entry(
            sequence=sequence, at_ms=sequence, kind="KeyCreated", actor="mem", organisation_id="org", address="::1",
            request_id="req", before=None, after='{"a":1}', data="{}", previous=previous, hash="",
        )  # fmt: skip
        entries.append(replace(entry, hash=hash_entry(entry)))
        previous = entries[-1].hash
    return entries


def faults(entries, marks=None) -> dict[int, str]:
    verifier = Verifier(marks)
    for entry in entries:
        verifier.read(entry)
    verifier.end()
    quick = Verifier(marks)
    quick.read_rows(msgspec.structs.astuple(entry) for entry in entries)
    quick.end()
    assert (quick.faults, quick.last, quick.count) == (verifier.faults, verifier.last, verifier.count)
    return {fault.sequence: fault.what for fault in verifier.faults}


def rehash(entry: Entry, **change) -> Entry:
    changed = replace(entry, **change)
    return replace(changed, hash=hash_entry(changed))


def test_an_untouched_chain_has_no_fault():
    """Nor has an empty one."""
    assert faults(chain()) == {}
    assert faults([]) == {}


TEXT = st.text(st.characters(exclude_categories=["Cs"]))


@given(TEXT, st.none() | TEXT, st.integers(0, 1 << 53))
def test_anybody_can_compute_the_hash(data, before, at_ms):
    """With nothing but JSON and SHA-256."""
    entry = replace(chain(1)[0], data=data, before=before, at_ms=at_ms)
    said = ["primeur-event-1", 1, at_ms, "KeyCreated", "mem", "org", "::1", "req", before, '{"a":1}', data, GENESIS]
    text = json.dumps(said, separators=(",", ":"), ensure_ascii=False).encode()
    assert hash_entry(entry) == sha256(text).hexdigest()


FIELDS = [name for name in Entry.__struct_fields__ if name not in {"sequence", "at_ms", "hash", "previous"}]


@given(st.integers(1, LENGTH), st.sampled_from(FIELDS), TEXT)
def test_an_edit_is_named(at, field, value):
    """Whatever field it is in."""
    entries = chain()
    if getattr(entries[at - 1], field) == value:
        return
    entries[at - 1] = replace(entries[at - 1], **{field: value})
    assert set(faults(entries)) == {at}


@given(st.integers(1, LENGTH - 1), TEXT)
def test_an_edit_with_a_new_hash_is_named_by_the_entry_after(at, value):
    """Because that one's hash covers the old one."""
    entries = chain()
    entries[at - 1] = rehash(entries[at - 1], data=value + "x")
    assert set(faults(entries)) == {at + 1}


@given(st.integers(1, LENGTH - 1))
def test_a_removed_entry_is_named(at):
    """Also when the rest is numbered anew."""
    entries = chain()
    del entries[at - 1]
    assert "missing" in faults(entries)[at]
    closed = [replace(entry, sequence=number) for number, entry in enumerate(entries, 1)]
    assert set(faults(closed)) == {at}


@given(st.integers(1, LENGTH - 1))
def test_an_inserted_entry_is_named(at):
    """However well its own hash is made."""
    entries = chain()
    forged = rehash(entries[at - 1], sequence=at + 1, previous=entries[at - 1].hash, data="forged")
    moved = [replace(entry, sequence=entry.sequence + 1) for entry in entries[at:]]
    found = faults([*entries[:at], forged, *moved])
    assert "inserted" in found[at + 1]
    assert set(found) <= {at + 1, at + 2}


@given(st.integers(1, LENGTH), st.integers(1, LENGTH))
def test_swapped_entries_are_both_named(one, other):
    """Contents exchanged under the numbers that were there."""
    if one == other:
        return
    entries = chain()
    first, second = entries[one - 1], entries[other - 1]
    entries[one - 1] = replace(second, sequence=one)
    entries[other - 1] = replace(first, sequence=other)
    assert {one, other} <= set(faults(entries))


def test_a_log_that_was_cut_off_shows_against_a_checkpoint():
    """By itself it is a chain like any other."""
    entries = chain()
    marks = {50: entries[49].hash}
    assert faults(entries[:40]) == {}
    assert "cut off" in faults(entries[:40], marks)[50]
    assert faults(entries, marks) == {}


def test_a_log_that_was_written_anew_shows_against_a_checkpoint():
    """Every hash in it may be right."""
    entries = chain()
    marks, previous, forged = {50: entries[49].hash}, GENESIS, []
    for entry in entries:
        forged.append(rehash(entry, actor="nobody", previous=previous))
        previous = forged[-1].hash
    assert faults(forged) == {}
    assert "rewritten" in faults(forged, marks)[50]


@pytest.mark.parametrize("count", [5000])
def test_faults_are_bounded(count):
    """A log of which nothing is left is a thousand faults, not a million."""
    verifier = Verifier()
    for entry in chain(count):
        verifier.read(replace(entry, data="x"))
    assert len(verifier.faults) == 1000
