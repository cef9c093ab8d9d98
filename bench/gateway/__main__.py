"""Measure Primeur beside nginx and other gateways: same machine, same client, same payloads, rounds A B A B.

Run: make bench (or: PYTHONPATH=src python -m bench.gateway --quick --without litellm)
"""

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import uvloop
from bench.gateway.check import check_books, check_limits
from bench.gateway.evenness import look
from bench.gateway.house import Primeur
from bench.gateway.load import Heard, steady, streams, wrk
from bench.gateway.measure import cpu_s, load_average, machine, memory_mb
from bench.gateway.parties import Mock, Party, free_port, start_nginx
from bench.gateway.peers import PEERS
from bench.gateway.table import print_table

ROOT = Path(__file__).parents[2]
LEVELS = (1, 4, 16, 64, 256)
_STREAMS, _PACE_US, _EVENTS = 32, 5000, 200
_SLOW_STREAMS, _SLOW_PACE_US = 1000, 50_000
_STEADY_LEVEL = 64


class Bench:
    """One run; what was measured is in `found`, by party."""

    def __init__(self, options: argparse.Namespace) -> None:
        """Start the upstream; parties follow in `run`."""
        self.options = options
        self.seconds = 2 if options.quick else 3
        self.rounds = 1 if options.quick else 2
        self.folder = Path(tempfile.mkdtemp(prefix="primeur-bench-"))
        self.cache = ROOT / ".cache" / "bench"
        self.found: dict[str, dict[str, Any]] = {}
        self.missing: dict[str, str] = {}
        self.heard = 0

    def run(self) -> dict[str, Any]:
        """Do it all."""
        ports = [free_port() for _ in range(8)]
        mock = Mock(ports)
        parties: list[Party] = []
        house: Primeur | None = None
        try:
            house = Primeur(self.folder / "data", tuple(ports[2:5]))
            parties = [mock.party(), house.party(), start_nginx(self.folder / "nginx", ports[1])]
            parties += self._peers(tuple(ports[5:8]))
            self._warm_up(parties)
            self._whole_answers(parties)
            self._steady(parties)
            self._streams(parties, mock)
            self._slow_streams([party for party in parties if party.name in {"direct", "Primeur", "nginx"}], mock)
            self._many(next(party for party in parties if party.name == "Primeur"))
            checks = {"books": check_books(house, mock, self.heard), "limits": check_limits(house, house.party())}
        finally:
            for party in parties:
                party.stop()
            if house is not None:
                house.stop()
            mock.stop()
            shutil.rmtree(self.folder, ignore_errors=True)
        return {"checks": checks, "parties": self.found, "missing": self.missing}

    def _peers(self, ports: tuple[int, ...]) -> list[Party]:
        started = []
        for name, start in PEERS.items():
            if name in self.options.without:
                self.missing[name] = "left out by --without"
                continue
            try:
                started.append(start(self.cache / name, ports))
            except (OSError, subprocess.CalledProcessError, RuntimeError, TimeoutError) as error:
                # A peer that cannot be installed here is told as missing; its figures are never made up.
                self.missing[name] = str(error)
        return started

    def _warm_up(self, parties: list[Party]) -> None:
        for party in parties:
            time.sleep(0.5)
            self.found[party.name] = {
                "version": party.version,
                "setup": party.setup,
                "memory_idle_mb": memory_mb(party.pids),
                "levels": {level: [] for level in LEVELS},
                "streams": [],
                "steady": [],
                "requests": 0,
            }
            first = wrk(party, 16, 1, self.folder)
            if first.errors:
                raise RuntimeError(f"{party.name} answers with errors: {first}")
            self._count(party, first.requests)

    def _whole_answers(self, parties: list[Party]) -> None:
        for _ in range(self.rounds):
            for level in LEVELS:
                for party in parties:
                    before_s, pids = cpu_s(party.pids), party.pids
                    seen = wrk(party, level, self.seconds, self.folder)
                    used_s = cpu_s(pids) - before_s
                    self._count(party, seen.requests)
                    kept = {"requests": seen.requests, "seconds": seen.duration_us / 1e6, "cpu_s": used_s}
                    kept |= {"p50_us": seen.p50_us, "p99_us": seen.p99_us, "errors": seen.errors}
                    self.found[party.name]["levels"][level].append(kept)
                    self._say(
                        f"{party.name} at {level}: {seen.requests / kept['seconds']:,.0f}/s, p50 {seen.p50_us} us"
                    )

    def _steady(self, parties: list[Party]) -> None:
        """An open loop at half of what each party can do; the upstream itself at the same rate, beside it."""
        direct = parties[0]
        for party in parties[1:]:
            levels = self.found[party.name]["levels"][_STEADY_LEVEL]
            rate = min(6000.0, statistics.median(one["requests"] / one["seconds"] for one in levels) / 2)
            for _ in range(self.rounds):
                pair = [uvloop.run(steady(one, _STEADY_LEVEL, rate, self.seconds)) for one in (direct, party)]
                self._count(party, len(pair[1].waits_us))
                kept = {"rate": rate, "faults": pair[1].faults}
                for name, heard in zip(("direct", "through"), pair, strict=True):
                    kept |= {f"{name}_p50_us": _at(heard.waits_us, 50), f"{name}_p99_us": _at(heard.waits_us, 99)}
                self.found[party.name]["steady"].append(kept)
                self._say(f"{party.name} steady at {rate:,.0f}/s: p99 {kept['through_p99_us']:,.0f} us")

    def _streams(self, parties: list[Party], mock: Mock) -> None:
        mock.control(f"stream/{_EVENTS}/{_PACE_US}")
        for _ in range(self.rounds):
            for party in parties:
                before_s, pids = cpu_s(party.pids), party.pids
                heard = uvloop.run(streams(party, _STREAMS, self.seconds))
                used_s = cpu_s(pids) - before_s
                self._count(party, heard.streams)
                kept = {"events": heard.events, "cpu_s": used_s, "faults": heard.faults}
                kept |= {"first_p50_us": _at(heard.first_us, 50), "first_p99_us": _at(heard.first_us, 99)}
                self.found[party.name]["streams"].append(kept)
                self._say(f"{party.name}: {heard.events} events in {used_s:.2f} CPU-s")

    def _slow_streams(self, parties: list[Party], mock: Mock) -> None:
        mock.control(f"stream/{int(self.seconds * 20)}/{_SLOW_PACE_US}")
        for party in parties:
            heard = uvloop.run(streams(party, _SLOW_STREAMS, self.seconds, keeps_gaps=True))
            self._count(party, heard.streams)
            self.found[party.name]["slow_streams"] = _slow(heard)
            self._say(f"{party.name}: 1,000 slow streams, gap p99 {_at(heard.gaps_us, 99):,.0f} us")

    def _many(self, party: Party) -> None:
        """Memory after as many requests as asked for; then what is kept is grown, not warmed up."""
        begin_mb, begun = memory_mb(party.pids), self.found[party.name]["requests"]
        while self.found[party.name]["requests"] < self.options.requests:
            self._count(party, wrk(party, 64, 5, self.folder).requests)
        grown = {"from_requests": begun, "from_mb": begin_mb, "to_mb": memory_mb(party.pids)}
        self.found[party.name]["memory_growth"] = grown | {"to_requests": self.found[party.name]["requests"]}

    def _count(self, party: Party, requests: int) -> None:
        kept = self.found[party.name]
        kept["requests"] += requests
        kept["memory_after_mb"] = memory_mb(party.pids)
        if party.name == "Primeur":
            self.heard += requests

    def _say(self, words: str) -> None:
        print(f"  {words}", file=sys.stderr, flush=True)


def _slow(heard: Heard) -> dict[str, Any]:
    return {
        "gap_p50_us": _at(heard.gaps_us, 50),
        "gap_p99_us": _at(heard.gaps_us, 99),
        "events": heard.events,
        "faults": heard.faults,
    }


def _at(values: list[float], percent: int) -> float:
    """Nearest rank; a value that was measured."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)] if ordered else 0.0


def main() -> None:
    """Measure, keep the figures, print the table."""
    parser = argparse.ArgumentParser(prog="bench.gateway", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="shorter and fewer rounds")
    parser.add_argument("--requests", type=int, default=200_000, help="requests after which memory is looked at")
    parser.add_argument("--without", nargs="*", default=[], choices=sorted(PEERS), help="peers to leave out")
    parser.add_argument("--out", type=Path, default=None, help="where the figures go; bench/results/DATE.json")
    options = parser.parse_args()
    began = datetime.fromtimestamp(time.time_ns() / 1e9, UTC)
    about = {"began": began.isoformat(timespec="seconds"), "quick": options.quick, **machine()}
    about["load_average_before"] = load_average()
    about["evenness"] = look(10.0)._asdict()
    result = {**about, **Bench(options).run(), "load_average_after": load_average()}
    out = options.out or ROOT / "bench" / "results" / f"{began:%Y-%m-%d}.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    print_table(result)
    if not (result["checks"]["books"]["exact"] and result["checks"]["limits"]["held"]):
        sys.exit("the books are not exact, or a limit did not hold; the figures do not count")


if __name__ == "__main__":
    main()
