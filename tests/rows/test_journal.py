"""The journal keeps what it said it kept."""

import asyncio

import pytest

from primeur.core.usage import UsageEvent
from primeur.store.journal import Cursor, FileJournal, forget_before, read_from
from primeur.store.sync import KernelSync, ThreadSync, best_sync


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


def kernel_sync():
    try:
        return KernelSync()
    except OSError as error:
        pytest.skip(f"this kernel does not sync by itself: {error}")


@pytest.mark.parametrize("make_sync", [kernel_sync, ThreadSync, best_sync])
async def test_what_was_appended_is_read_back_in_order_over_segments(tmp_path, make_sync):
    """Three hundred events over many small segments."""
    journal = FileJournal(tmp_path, segment_bytes=2000, make_sync=make_sync)
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


class _FailsOnce:
    """A disk that refuses the first sync."""

    def __init__(self):
        self.faults = [OSError(28, "No space left on device")]

    def start(self, _file, done):
        asyncio.get_running_loop().call_soon(done, self.faults.pop() if self.faults else None)

    def close(self):
        """Nothing to let go."""


async def test_whoever_waits_is_told_that_the_disk_refused(tmp_path):
    """And the next one is not."""
    journal = FileJournal(tmp_path, make_sync=_FailsOnce)
    with pytest.raises(OSError, match="No space left"):
        await journal.append(event(1))
    await journal.append(event(2))
    await journal.aclose()
    assert read_all(tmp_path)[0][-1].id == "req_2"


@pytest.mark.parametrize("make_sync", [kernel_sync, ThreadSync])
async def test_a_file_that_cannot_be_synced_is_told(make_sync):
    """By its errno."""
    told = asyncio.get_running_loop().create_future()
    sync = make_sync()
    sync.start(1 << 20, told.set_result)
    assert isinstance(await told, OSError)
    sync.close()


async def test_a_journal_that_was_not_closed_ends_where_its_records_do(tmp_path):
    """Room that was made for more is no record."""
    journal = FileJournal(tmp_path)
    await journal.append(event(1))
    assert read_all(tmp_path)[1] == journal.end
    again = FileJournal(tmp_path)
    assert again.end == journal.end
    await again.aclose()
    await journal.aclose()
