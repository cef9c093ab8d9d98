"""The judge on simulated canaries whose truth is known: how often it is wrong, and how soon it finds what is worse.

    python bench/judge.py [--runs 400] [--seed 1]

Each run is a canary of 25 percent beside its baseline, judged after every tenth of its own requests. Times to first
token are log-normal with a median of 200 ms and a sigma of 0.5; answers have 20 to 400 tokens.
"""

import argparse
import random
from collections.abc import Callable
from dataclasses import dataclass

from primeur.registry.judging import Observation, Trial
from primeur.registry.roll_outs import RollOutPolicy

POLICY = RollOutPolicy(watch=("errors", "first_token", "speed", "cost", "guards", "evaluation"))
SHARE = 0.25
HISTORY = 500


@dataclass(frozen=True)
class Truth:
    """What a canary really is like.

    Attributes:
        slower: factor on the times to first token of the slowest *tail* of its requests.
    """

    name: str
    goal: str
    within: int
    errors: float = 0.005
    slower: float = 1.0
    tail: float = 1.0
    guards: float = 0.01
    dearer: float = 1.0


TRUTHS = (
    Truth("the same (A/A), 2,000 requests", "at most 5 %", 2000),
    Truth("the same (A/A), 5 % errors both", "at most 5 %", 2000, errors=0.05),
    Truth("first token 20 % slower", "at least 95 %", 2000, slower=1.2),
    Truth("p95 of first token 20 % slower, the rest the same", "at least 95 %", 2000, slower=1.2, tail=0.15),
    Truth("errors 5 % instead of 0.5 %", "at least 95 %", 300, errors=0.05),
    Truth("cost 20 % higher", "-", 2000, dearer=1.2),
    Truth("guards find 5 % instead of 1 %", "-", 2000, guards=0.05),
)


def observe(dice: random.Random, truth: Truth, *, canary: bool) -> Observation:
    """Draw one request."""
    both = "both" in truth.name
    place = dice.random()
    first_us = 200_000 * 2.718281828 ** (0.5 * dice.normalvariate(0.0, 1.0))
    if canary and first_us > _tail_of(truth.tail):
        first_us *= truth.slower
    tokens = dice.randint(20, 400)
    return Observation(
        failed=place < (truth.errors if canary or both else 0.005),
        first_token_us=round(first_us),
        token_us=30_000 * 2.718281828 ** (0.2 * dice.normalvariate(0.0, 1.0)),
        cost_nanos=round(tokens * 100 * (truth.dearer if canary else 1.0)),
        guarded=dice.random() < (truth.guards if canary else 0.01),
    )


def _tail_of(part: float) -> float:
    """Microseconds above which the slowest *part* of all first tokens lie."""
    points = {1.0: -9.0, 0.15: 1.036}
    return 200_000 * 2.718281828 ** (0.5 * points[part])


def run(dice: random.Random, truth: Truth) -> int | None:
    """Judge one canary after every request; gives how many of its requests it took to take it back."""
    known = [observe(dice, truth, canary=False) for _ in range(HISTORY)]
    trial = Trial(POLICY, known)
    while trial.seen[True] < truth.within:
        canary = dice.random() < SHARE
        trial.take(observe(dice, truth, canary=canary), canary=canary)
        if canary:
            worst = trial.findings()[0] if trial.seen[True] % 10 == 0 else None
            if worst is not None and worst.e_value >= worst.limit:
                return trial.seen[True]
    return None


def table(runs: int, seed: int, write: Callable[[str], None]) -> None:
    """Print one line for each truth."""
    write("| the canary | goal | taken back | within | median requests |")
    write("|---|---|---|---|---|")
    for truth in TRUTHS:
        dice = random.Random(f"{seed} {truth.name}")  # noqa: S311 (drawn anew from a printed seed)
        found = sorted(one for one in (run(dice, truth) for _ in range(runs)) if one is not None)
        median = f"{found[len(found) // 2]:,}" if found else "-"
        write(f"| {truth.name} | {truth.goal} | {len(found) / runs:.1%} of {runs} | {truth.within:,} | {median} |")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    table(asked.runs, asked.seed, print)
