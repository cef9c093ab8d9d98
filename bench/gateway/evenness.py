"""Whether the machine itself keeps its pace: a fixed piece of work, again and again, by its own processor time.

Run: python -m bench.gateway.evenness [SECONDS]

A virtual processor may be slowed by its host for tens of milliseconds at a time, which no account in the guest tells.
Every latency measured meanwhile is the machine's, whoever is asked; a 99th percentile means little when more than one
hundredth of the time is like that.
"""

import json
import statistics
import sys
import time
from typing import NamedTuple

_STEPS, _PAUSE_S = 2000, 0.0005
_SLOW, _PHASE_GAP_S = 3.0, 0.02


class Evenness(NamedTuple):
    """What was seen.

    Attributes:
        piece_us: processor time of the piece of work, the median.
        slow_share: of the pieces, those that took three times that.
        phases_ms: how long each slow phase lasted, a phase being slow pieces within 20 ms of one another.
    """

    piece_us: float
    slow_share: float
    phases_ms: list[int]


def look(seconds: float) -> Evenness:
    """Work for *seconds*, at a small part of one processor."""
    pieces: list[tuple[float, float]] = []
    end_s = time.perf_counter() + seconds
    while (at_s := time.perf_counter()) < end_s:
        before_s = time.thread_time()
        _work()
        pieces.append((at_s, time.thread_time() - before_s))
        time.sleep(_PAUSE_S)
    usual_s = statistics.median(took_s for _, took_s in pieces)
    slow = [at_s for at_s, took_s in pieces if took_s > _SLOW * usual_s]
    return Evenness(usual_s * 1e6, len(slow) / len(pieces), find_phases(slow))


def _work() -> int:
    total = 0
    for number in range(_STEPS):
        total += number
    return total


def find_phases(slow: list[float]) -> list[int]:
    """Give how long each run of slow moments (seconds, ascending) lasted, in milliseconds; 5 ms are none yet."""
    phases: list[list[float]] = []
    for at_s in slow:
        if phases and at_s - phases[-1][1] < _PHASE_GAP_S:
            phases[-1][1] = at_s
        else:
            phases.append([at_s, at_s])
    return [round((last_s - first_s) * 1000) for first_s, last_s in phases if last_s - first_s > 0.005]


if __name__ == "__main__":
    print(json.dumps(look(float(sys.argv[1]) if len(sys.argv) > 1 else 10.0)._asdict()))
