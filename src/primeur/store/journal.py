"""The journal: usage events become durable here before an answer is finished; one fsync for all that came meanwhile.

A folder of numbered segments; a record is its length and CRC-32 (both 32-bit little-endian) and a msgpack body. A
segment is filled with zeros ahead, for a file that does not grow is synced sooner; a length of zero is the end.
What was torn by a crash is cut off when the journal is opened: its append had not returned, so its answer had not been
finished either.
"""

import asyncio
import os
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple
from zlib import crc32

import msgspec

from primeur.core.errors import SetupError
from primeur.core.usage import UsageEvent
from primeur.store.sync import Done, Sync, best_sync

_HEAD = struct.Struct("<II")
_SEGMENT_BYTES = 64 << 20
_RECORD_LIMIT = 16 << 20
_READ_BATCH = 2000
_BUSY, _GATHER_S = 8, 0.0005
_AHEAD = bytes(256 * 1024)
_READ_BYTES = 1 << 18
_event = msgspec.msgpack.Decoder(UsageEvent)


class Cursor(NamedTuple):
    """A place between two records."""

    segment: int
    offset: int


class FileJournal:
    """Implements `primeur.core.ports.Journal` over a folder; one process appends, any may read."""

    def __init__(
        self, folder: Path, *, segment_bytes: int = _SEGMENT_BYTES, make_sync: Callable[[], Sync] = best_sync
    ) -> None:
        """Open for appending and cut off a torn tail.

        Args:
            make_sync: makes what syncs, when the first event is appended.

        Raises:
            SetupError: the folder cannot be written.
        """
        self._folder = folder
        self._segment_bytes = segment_bytes
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._segment = max(_segments(folder), default=1)
            self._file = os.open(_path(folder, self._segment), os.O_RDWR | os.O_CREAT, 0o600)
            self._size = _whole_length(_path(folder, self._segment))
            os.ftruncate(self._file, self._size)
            self._filled = self._size
            _sync_folder(folder)
        except OSError as error:
            raise SetupError(f"journal {folder} cannot be written: {error.strerror}") from error
        self._make_sync = make_sync
        self._sync: Sync | None = None
        self._encoder = msgspec.msgpack.Encoder()
        self._waiting: list[bytes] = []
        self._waiters: list[Done] = []
        self._served: list[Done] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._writing = False
        self._idle = asyncio.Event()
        self._idle.set()

    async def append(self, event: UsageEvent) -> None:
        """See the port."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def tell(fault: OSError | None) -> None:
            if done.done():
                return
            if fault is None:
                done.set_result(None)
            else:
                done.set_exception(fault)

        self.append_soon(event, tell)
        await done

    def append_soon(self, event: UsageEvent, done: Done) -> None:
        """See the port."""
        self.append_record(self._encoder.encode(event), done)

    def append_record(self, record: bytes, done: Done) -> None:
        """See the port."""
        self._waiting.append(_HEAD.pack(len(record), crc32(record)))
        self._waiting.append(record)
        self._waiters.append(done)
        if not self._writing:
            self._writing = True
            self._idle.clear()
            loop = self._loop = asyncio.get_running_loop()
            # Whatever else this turn of the loop brings goes into the same batch.
            loop.call_soon(self._flush)

    @property
    def end(self) -> Cursor:
        """Where the next record goes."""
        return Cursor(self._segment, self._size)

    async def aclose(self) -> None:
        """Wait for what is being written."""
        await self._idle.wait()
        if self._sync is not None:
            self._sync.close()
        os.ftruncate(self._file, self._size)
        os.close(self._file)

    def _flush(self) -> None:
        """Write what waits; the page cache takes it at once, and the disk is waited for elsewhere."""
        records, self._waiting = self._waiting, []
        self._served, self._waiters = self._waiters, []
        if self._sync is None:
            self._sync = self._make_sync()
        try:
            self._write(b"".join(records))
        except OSError as fault:
            self._written(fault)
            return
        self._sync.start(self._file, self._written)

    def _written(self, fault: OSError | None) -> None:
        served, self._served = self._served, []
        if self._waiting:
            assert self._loop is not None  # noqa: S101
            # Many write at once: a moment's wait saves most syncs.
            if len(self._waiters) >= _BUSY:
                self._loop.call_later(_GATHER_S, self._flush)
            else:
                self._flush()
        else:
            self._writing = False
            self._idle.set()
        for done in served:
            done(fault)

    def _write(self, data: bytes) -> None:
        if self._size and self._size + len(data) > self._segment_bytes:
            self._next_segment()
        end = self._size + len(data)
        if end > self._filled:
            # Room for the next records is made in the same write.
            data += _AHEAD
        written = 0
        while written < len(data):
            # What a failed write left behind is written over by the next one.
            written += os.pwrite(self._file, data[written:] if written else data, self._size + written)
        self._filled = max(self._filled, self._size + len(data))
        self._size = end

    def _next_segment(self) -> None:
        fresh = os.open(_path(self._folder, self._segment + 1), os.O_RDWR | os.O_CREAT, 0o600)
        _sync_folder(self._folder)
        os.ftruncate(self._file, self._size)
        os.close(self._file)
        self._file, self._segment, self._size, self._filled = fresh, self._segment + 1, 0, 0


def read_from(folder: Path, cursor: Cursor) -> tuple[list[UsageEvent], Cursor]:
    """Read the records after *cursor*, a bounded batch, and give the cursor after them; moves on to later segments."""
    segment, offset = cursor
    while True:
        events: list[UsageEvent] = []
        for end, body in _records(_path(folder, segment), offset):
            events.append(_event.decode(body))
            offset = end
            if len(events) >= _READ_BATCH:
                break
        later = [] if events else [number for number in _segments(folder) if number > segment]
        if events or not later:
            return events, Cursor(segment, offset)
        segment, offset = min(later), 0


def forget_before(folder: Path, cursor: Cursor) -> None:
    """Remove segments that lie wholly before *cursor*; their events are rows by now."""
    for number in _segments(folder):
        if number < cursor.segment:
            _path(folder, number).unlink(missing_ok=True)


def _segments(folder: Path) -> list[int]:
    return sorted(int(path.stem) for path in folder.glob("*.journal") if path.stem.isdigit())


def _path(folder: Path, segment: int) -> Path:
    return folder / f"{segment:010d}.journal"


def _records(path: Path, offset: int) -> Iterator[tuple[int, bytes]]:
    """Give (offset after the record, body) for each whole record."""
    try:
        file = path.open("rb", buffering=_READ_BYTES)
    except FileNotFoundError:
        return
    with file:
        file.seek(offset)
        read, size, crc_of = file.read, _HEAD.size, crc32
        while len(head := read(size)) == size:
            length, crc = _HEAD.unpack(head)
            if not length:
                return
            body = read(length) if length <= _RECORD_LIMIT else b""
            if len(body) != length or crc_of(body) != crc:
                return
            offset += size + length
            yield offset, body


def _whole_length(path: Path) -> int:
    length = 0
    for end, _ in _records(path, 0):
        length = end
    return length


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    os.fsync(handle)
    os.close(handle)
