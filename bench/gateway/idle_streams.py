"""Ten thousand streams that say almost nothing: Primeur keeps them open, answers others meanwhile, and the books agree.

Run: PYTHONPATH=. python -m bench.gateway.idle_streams --streams 10000
(Where a process is given fewer than 20,500 descriptors, ``--workers 2`` shares the streams out.)
"""

import argparse
import asyncio
import resource
import shutil
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import uvloop
from bench.gateway.check import check_books
from bench.gateway.house import Primeur
from bench.gateway.load import Heard, request_bytes, steady, streams
from bench.gateway.measure import cpu_s, descriptors, memory_mb, wait_until
from bench.gateway.parties import Mock, Party, free_port

_EVENTS, _PACE_US, _WAVE = 3, 20_000_000, 250
_DESCRIPTORS = 65_536
_ASKED_A_SECOND, _SECONDS = 50.0, 10.0


def raise_limits() -> int:
    """Take as many descriptors as the machine gives, for us and whom we start; gives how many."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    # Each stream takes two of Primeur's: the caller's and the target's.
    with suppress(ValueError, PermissionError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (_DESCRIPTORS, max(hard, _DESCRIPTORS)))
        return _DESCRIPTORS
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def held(party: Party) -> int:
    """Descriptors of all its processes."""
    return sum(map(descriptors, party.pids))


async def hold(party: Party, count: int) -> tuple[int, Heard, float]:
    """Open *count* streams wave by wave, ask others meanwhile.

    Returns:
        Streams that gave their first event, what the others heard, and megabytes with all of them open.
    """
    request = request_bytes(party, stream=True)
    opened: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
    begun = 0
    for _ in range(0, count, _WAVE):
        wave = await asyncio.gather(*(asyncio.open_connection("127.0.0.1", party.port) for _ in range(_WAVE)))
        opened += wave
        for _, writer in wave:
            writer.write(request)
        firsts = await asyncio.gather(*(asyncio.wait_for(reader.readuntil(b"}\n\n"), 60) for reader, _ in wave))
        begun += len(firsts)
    memory = memory_mb(party.pids)
    heard = await steady(party, 8, _ASKED_A_SECOND, _SECONDS)
    for _, writer in opened:
        writer.transport.abort()
    # The loop lets go of them in its next turns.
    await asyncio.sleep(1)
    return begun, heard, memory


def main() -> None:
    """Start, hold, print, check the books."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, default=10_000)
    parser.add_argument("--workers", type=int, default=None)
    options = parser.parse_args()
    given = raise_limits()
    # The kernel deals connections out about evenly; the client itself needs one a stream.
    share = 2 * options.streams if options.workers is None else 2.2 * options.streams / options.workers
    if given < max(share, options.streams) + 500:
        sys.exit(f"this machine gives {given} descriptors; {options.streams} streams need two each")
    folder = Path(tempfile.mkdtemp(prefix="primeur-idle-"))
    ports = [free_port() for _ in range(3)]
    mock = Mock(ports)
    house = Primeur(folder / "data", tuple(ports), max_connections=8192, workers=options.workers)
    try:
        party = house.party()
        mock.control("stream/2/1000")
        uvloop.run(streams(party, 4, 1.0))
        before_mb, before_s, began_s = memory_mb(party.pids), cpu_s(party.pids), time.monotonic()
        mock.control(f"stream/{_EVENTS}/{_PACE_US}")
        begun, heard, memory = uvloop.run(hold(party, options.streams))
        waits = sorted(heard.waits_us)
        print(
            f"{begun} streams open; {memory - before_mb:.1f} MB more, {(memory - before_mb) * 1e3 / begun:.1f} kB each"
        )
        print(f"others meanwhile: {len(waits)} answered, {heard.faults} faults, p50 {waits[len(waits) // 2]:.0f} us")
        print(f"{cpu_s(party.pids) - before_s:.1f} CPU-s in {time.monotonic() - began_s:.0f} s")
        wait_until(lambda: held(party) < options.streams // 10 + 200, "the hang-ups are seen", 90)
        print(f"after they all hung up: {held(party)} descriptors")
        books = check_books(house, mock, len(waits))
        print(books)
        if not books["exact"] or begun != options.streams or heard.faults:
            sys.exit("not as it should be")
    finally:
        house.stop()
        mock.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
