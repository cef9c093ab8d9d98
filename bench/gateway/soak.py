"""Load Primeur for minutes or hours, whole answers and streams, and watch memory, descriptors, errors and the books.

Run: make soak MINUTES=60
"""

import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path

import uvloop
from bench.gateway.check import check_books
from bench.gateway.house import Primeur
from bench.gateway.load import streams, wrk
from bench.gateway.measure import descriptors, memory_mb
from bench.gateway.parties import Mock, free_port

_TURN_S = 10


def soak(house: Primeur, mock: Mock, minutes: float, folder: Path) -> int:
    """Take turns until the time is over; gives how many answers the clients heard."""
    party = house.party()
    assert party.process is not None
    heard = errors = turn = 0
    last_s = time.monotonic() + 60 * minutes
    mock.control("stream/200/5000")
    print("minute  answers  errors  memory MB  descriptors", flush=True)
    began_s = time.monotonic()
    while time.monotonic() < last_s:
        turn += 1
        if turn % 3:
            seen = wrk(party, (64, 256)[turn % 2], _TURN_S, folder)
            heard, errors = heard + seen.requests, errors + seen.errors
        else:
            stream = uvloop.run(streams(party, 200, _TURN_S))
            heard, errors = heard + stream.streams, errors + stream.faults
        minute = (time.monotonic() - began_s) / 60
        memory, files = memory_mb(party.pids), descriptors(party.process.pid)
        print(f"{minute:6.1f}  {heard:7d}  {errors:6d}  {memory:9.1f}  {files:11d}", flush=True)
    if errors:
        sys.exit(f"{errors} requests failed")
    return heard


def main() -> None:
    """Start, soak, check the books."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="primeur-soak-"))
    ports = [free_port() for _ in range(3)]
    mock = Mock(ports)
    house = Primeur(folder / "data", tuple(ports))
    try:
        heard = soak(house, mock, options.minutes, folder)
        books = check_books(house, mock, heard)
        print(books)
        if not books["exact"]:
            sys.exit("the books are not exact")
    finally:
        house.stop()
        mock.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
