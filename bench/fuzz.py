"""Change bytes that are right into bytes that are not, by the million, and look that nothing but a refusal comes of it.

    python -m bench.fuzz --cases 1000000 --seconds 600 --processes 2

Every case is found again by its seed: ``--only NAME --seed N --cases 1``.
"""

import argparse
import multiprocessing
import resource
import signal
import sys
import time
import traceback
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from bench.fuzz_targets import REFUSALS, Fuzzed, targets

_HANG_S = 5.0
_GROWTH_KIB = 128 << 10
_ROUND = 200
_LONGEST = 4096
_FINDS, _WARM_ROUNDS = 20, 20
Reader = tuple[str, Fuzzed, list[bytes]]
_TOKENS = (
    b"\r\n", b"\n", b"\0", b'"', b"\\", b"{", b"}", b"[", b"]", b":", b",", b"\xff\xfe", b"\xed\xa0\x80", b"0",
    b"-1", b"1e999", b"9223372036854775808", b"null", b"true", b"\r\n\r\n", b"chunked", b"content-length: 9\r\n",
    b"transfer-encoding: x\r\n", b"%00", b"../", b"\xe2\x80\xa8",
    b"[" * 600, b'{"a":' * 300, b"A" * 300, b"--xy", b"data: ", b"\t", b";",
)  # fmt: skip


class Hang(Exception):
    """A case took longer than it may."""


@dataclass
class Found:
    """What one process has come to."""

    cases: dict[str, int] = field(default_factory=dict)
    refused: int = 0
    finds: dict[str, str] = field(default_factory=dict)
    growth_kib: int = 0


def mutate(seeds: Sequence[bytes], dice: Random) -> bytes:
    """Change one of *seeds* in one to eight places."""
    data = bytearray(dice.choice(seeds))
    for _ in range(dice.choice((1, 1, 1, 2, 3, 8))):
        at = dice.randrange(len(data) + 1)
        how = dice.randrange(7)
        if how == 0 and data:
            data[at % len(data)] ^= 1 << dice.randrange(8)
        elif how == 1 and data:
            data[at % len(data)] = dice.randrange(256)
        elif how == 2:
            del data[at : at + dice.choice((1, 1, 2, 8, 64))]
        elif how == 3:
            data[at:at] = dice.choice(_TOKENS)
        elif how == 4:
            data[at:at] = bytes(data[at : at + dice.choice((1, 4, 16, 64))]) * dice.choice((1, 2, 20))
        elif how == 5:
            other = dice.choice(seeds)
            start = dice.randrange(len(other) + 1)
            data[at:] = other[start:]
        else:
            data[at:at] = dice.randbytes(dice.choice((1, 2, 8)))
    return bytes(data[:_LONGEST])


def try_one(name: str, read: Fuzzed, seeds: Sequence[bytes], seed: int, found: Found) -> None:
    """Read one case; whatever is no refusal is a find."""
    data = mutate(seeds, Random(f"{name}/{seed}"))  # noqa: S311 (cases must be found again)
    signal.setitimer(signal.ITIMER_REAL, _HANG_S)
    try:
        read(data)
    except REFUSALS:
        found.refused += 1
    except Exception as error:  # noqa: BLE001 (this is what is looked for)
        where = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{name}: {type(error).__name__} at {Path(where.filename).name}:{where.lineno}"
        found.finds.setdefault(place, f"seed {seed}: {error}: {data[:400]!r}")
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    found.cases[name] = found.cases.get(name, 0) + 1


def run(first: int, cases: int, seconds: float, only: str) -> Found:
    """Go through all readers, round by round, until there were enough cases or the time is over."""
    signal.signal(signal.SIGALRM, _hang)
    with ExitStack() as stack:
        return _run(list(targets(stack)), first, cases, seconds, only)


def _run(known: list[Reader], first: int, cases: int, seconds: float, only: str) -> Found:
    readers, found, end_s = [one for one in known if only in {"", one[0]}], Found(), time.monotonic() + seconds
    seed, warm_kib = first, 0
    while sum(found.cases.values()) < cases and time.monotonic() < end_s and len(found.finds) < _FINDS:
        for name, read, seeds in readers:
            for offset in range(min(_ROUND, cases)):
                try_one(name, read, seeds, seed + offset, found)
        seed += _ROUND
        # The first rounds fill caches; from then on memory must stay where it is.
        warm = sum(found.cases.values()) > _WARM_ROUNDS * _ROUND * len(readers)
        warm_kib = warm_kib if warm and warm_kib else _memory_kib()
    found.growth_kib = _memory_kib() - warm_kib
    return found


def _hang(*_: object) -> None:
    raise Hang(f"more than {_HANG_S:g} s")


def _memory_kib() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def main() -> None:
    """Print how many cases there were of what, and every find."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--processes", type=int, default=multiprocessing.cpu_count())
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="")
    said = parser.parse_args()
    began, each = time.monotonic(), -(-said.cases // said.processes)
    orders = [(said.seed + number * 1_000_000_000, each, said.seconds, said.only) for number in range(said.processes)]
    with multiprocessing.get_context("spawn").Pool(said.processes) as pool:
        results = pool.starmap(run, orders)
    cases = {name: sum(one.cases.get(name, 0) for one in results) for name in results[0].cases}
    finds = {place: words for one in results for place, words in one.finds.items()}
    growth_kib = max(one.growth_kib for one in results)
    for name, count in cases.items():
        print(f"{count:>10}  {name}")
    refused, total = sum(one.refused for one in results), sum(cases.values())
    took_s = time.monotonic() - began
    print(f"{total:>10}  cases in {took_s:.0f} s: {refused} refused, {len(finds)} finds, memory +{growth_kib} KiB")
    for place, words in finds.items():
        print(f"FIND {place}, {words}")
    if finds or growth_kib > _GROWTH_KIB:
        sys.exit(1)


if __name__ == "__main__":
    main()
