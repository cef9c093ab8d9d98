"""The journal keeps what it said it kept."""

import asyncio

import pytest

from primeur.core.usage import UsageEvent
from primeur.store.journal import Cursor, FileJournal, forget_before, read_from


def event(number):
    return UsageEvent(id=f"req_{number}", at_ms=number, route="chat", outcome="completed", status=200)


def read_all(folder):
    cursor, found = Cursor(1, 0), []
    while True:
        events, after = read_from(folder, cursor)
        if after == cursor:
            return found, cursor
        found += events
        cursor = after


async def test_what_was_appended_is_read_back_in_order_over_segments(tmp_path):
    """Three hundred events over many small segments."""
    journal = FileJournal(tmp_path, segment_bytes=2000)
    for start in range(0, 300, 50):
        await asyncio.gather(*(journal.append(event(n)) for n in range(start, start + 50)))
    await journal.aclose()
    found, cursor = read_all(tmp_path)
    assert [e.id for e in found] == [f"req_{n}" for n in range(300)]
    assert cursor.segment > 1
    forget_before(tmp_path, cursor)
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("torn", [1, 7, 30])
async def test_a_torn_tail_is_cut_off_and_appending_goes_on(tmp_path, torn):
    """A crash in the middle of a write loses only what had not been promised."""
    journal = FileJournal(tmp_path)
    await journal.append(event(1))
    await journal.append(event(2))
    await journal.aclose()
    (segment,) = tmp_path.iterdir()
    segment.write_bytes(segment.read_bytes()[:-torn])
    journal = FileJournal(tmp_path)
    await journal.append(event(3))
    await journal.aclose()
    assert [e.id for e in read_all(tmp_path)[0]] == ["req_1", "req_3"]
