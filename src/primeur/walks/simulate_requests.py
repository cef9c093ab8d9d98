"""Simulate requests: how much a holder could have served, did serve, and why the rest went elsewhere."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from primeur.broker.fluid import spilled_at_least
from primeur.broker.headroom import Capacity
from primeur.broker.traces import MICROSECONDS, Trace
from primeur.core.errors import BadRequest
from primeur.walks.audit_replay import audit_replay
from primeur.walks.read_trace import read_requests
from primeur.walks.replay_requests import HOLDER, Faults, Replay, Scenario

BLOCK_US = 60 * MICROSECONDS
DAY_US = 86_400 * MICROSECONDS
LONGEST_US = 400 * DAY_US
_FEWEST_BLOCKS = 20
_SHOWN_BREACHES = 5


@dataclass(frozen=True, slots=True)
class Study:
    """What is asked of the simulator.

    Attributes:
        load: work offered, as a multiple of the holder's capacity.
        seeds: replays; the first is the trace as recorded, the others are resampled from it.
        patience_s: a request must be done so long after its arrival.
        output_weight: work tokens of one output token.
        most: read or draw no more requests than this.
        right_share: the right ends after this share of the trace; 1 is never.
    """

    load: float = 0.9
    seeds: int = 1
    patience_s: float = 10.0
    output_weight: float = 1.0
    caution: float = 2.0
    dedicated_every: int = 0
    most: int = 200_000
    right_share: float = 1.0
    faults: Faults = field(default_factory=Faults)

    def check(self) -> None:
        """Refuse what cannot be simulated.

        Raises:
            BadRequest: names the option.
        """
        limits = {"load": self.load, "patience": self.patience_s, "output-weight": self.output_weight}
        for name, value in limits.items():
            if not 0 < value <= 1e6:
                raise BadRequest(f"--{name} is {value}; it must be above zero (and at most 1000000)")
        if not 1 <= self.seeds <= 1000:
            raise BadRequest(f"--seeds is {self.seeds}; it must be 1 to 1000")
        if self.most < 1 or self.dedicated_every < 0:
            raise BadRequest("--most must be at least 1, --dedicated-every zero or more")
        if not 0 <= self.caution <= 1000 or not 0 <= self.right_share <= 1:
            raise BadRequest("--caution must be 0 to 1000 and --right-share 0 to 1")


@dataclass(frozen=True, slots=True)
class Run:
    """One replay, counted. All work in work tokens; see docs/rooms/broker.md for the exact meaning of each.

    Attributes:
        served_by_minute, spilled_by_minute, optimum_by_minute: work that arrived in each minute.
        contract_violations: breaches of the contract, all of them.
        breaches: the first few, in words.
    """

    seed: int
    requests: int
    offered_work: float
    spilled_work: float
    late_work: float
    optimum_spilled_work: float
    reasons: dict[str, int]
    contract_violations: int
    breaches: Sequence[str]
    served_by_minute: Sequence[float]
    spilled_by_minute: Sequence[float]
    optimum_by_minute: Sequence[float]


def simulate_requests(
    path: Path, study: Study, tell: Callable[[int, int], None] | None = None
) -> tuple[float, list[Run]]:
    """Replay a trace as often as there are seeds.

    Args:
        tell: is given (requests replayed, requests in all) from time to time.

    Returns:
        the holder's capacity in work tokens a second, and each replay.

    Raises:
        BadRequest: the study or the trace cannot be used.
    """
    study.check()
    recorded = read_requests(path, most=study.most)
    if recorded.duration_us > LONGEST_US:
        days = recorded.duration_us // DAY_US
        raise BadRequest(f"{path.name} spans {days} days, at most 400 can be replayed; is its time in milliseconds?")
    work = sum(recorded.work(study.output_weight))
    if work <= 0:
        raise BadRequest(f"{path.name} holds no tokens at all; give a trace with work in it")
    per_s = work / recorded.duration_us * MICROSECONDS / study.load
    runs = []
    for seed in range(study.seeds):
        trace = recorded if seed == 0 else resample(recorded, seed)
        runs.append(_run(trace, study, per_s, seed, _counter(tell, seed * len(recorded), study.seeds * len(recorded))))
    return per_s, runs


def _counter(tell: Callable[[int, int], None] | None, before: int, total: int) -> Callable[[int], object]:
    return (lambda done: tell(before + done, total)) if tell is not None else (lambda _: None)


def resample(trace: Trace, seed: int) -> Trace:
    """Make another trace of the same length from pieces of this one, each a minute long, drawn with replacement.

    Bursts inside a minute stay as they were recorded; their order and number change.

    Source: Künsch (1989), "The jackknife and the bootstrap for general stationary observations".
    """
    block_us = min(BLOCK_US, max(1, trace.duration_us // _FEWEST_BLOCKS))
    blocks: list[list[int]] = [[] for _ in range(-(-trace.duration_us // block_us))]
    for request, at_us in enumerate(trace.arrivals_us):
        blocks[at_us // block_us].append(request)
    dice = Random(seed)  # noqa: S311 - a simulation, and it must repeat
    arrivals: list[int] = []
    picks: list[int] = []
    for place in range(len(blocks)):
        block = dice.randrange(len(blocks))
        shift = (place - block) * block_us
        arrivals.extend(trace.arrivals_us[request] + shift for request in blocks[block])
        picks.extend(blocks[block])
    if not picks:
        return trace
    return Trace(
        trace.name,
        [at - arrivals[0] for at in arrivals],
        [trace.input_tokens[request] for request in picks],
        [trace.output_tokens[request] for request in picks],
    )


def _run(trace: Trace, study: Study, per_s: float, seed: int, tell: Callable[[int], object]) -> Run:
    patience_us = round(study.patience_s * MICROSECONDS)
    scenario = Scenario(
        Capacity(per_s, study.patience_s, study.output_weight),
        patience_us,
        study.caution,
        study.dedicated_every,
        None if study.right_share >= 1 else round(trace.duration_us * study.right_share),
        study.faults,
    )
    replay = Replay(trace, scenario)
    log = replay.run(tell)
    floor = spilled_at_least(trace.arrivals_us, replay.work, replay.supply, patience_us)
    breaches = audit_replay(log, scenario, trace.arrivals_us)
    spilled = [
        0.0 if placement and placement.target and placement.target.provider == HOLDER else size
        for placement, size in zip(log.final, replay.work, strict=True)
    ]
    late = sum(replay.work[request] for request in log.late)
    for request in log.late:
        spilled[request] = replay.work[request]
    minutes = [at // BLOCK_US for at in trace.arrivals_us]
    served = [size - gone for size, gone in zip(replay.work, spilled, strict=True)]
    return Run(
        seed=seed,
        requests=len(trace),
        offered_work=sum(replay.work),
        spilled_work=sum(spilled),
        late_work=late,
        optimum_spilled_work=sum(floor),
        reasons=dict(Counter(str(p.reason) for p in log.final if p is not None and p.reason is not None)),
        contract_violations=len(breaches),
        breaches=breaches[:_SHOWN_BREACHES],
        served_by_minute=_by_minute(minutes, served),
        spilled_by_minute=_by_minute(minutes, spilled),
        optimum_by_minute=_by_minute(minutes, floor),
    )


def _by_minute(minutes: Sequence[int], amounts: Sequence[float]) -> list[float]:
    sums = [0.0] * (minutes[-1] + 1)
    for minute, amount in zip(minutes, amounts, strict=True):
        sums[minute] += amount
    return sums


def summarise(per_s: float, runs: Sequence[Run], study: Study) -> dict[str, object]:
    """Put the replays together: means over seeds for work, sums for violations; ratios are of the means."""
    count = len(runs)
    spilled = sum(run.spilled_work for run in runs) / count
    optimum = sum(run.optimum_spilled_work for run in runs) / count
    offered = sum(run.offered_work for run in runs) / count
    reasons: Counter[str] = Counter()
    for run in runs:
        reasons.update(run.reasons)
    return {
        "requests": runs[0].requests,
        "seeds": count,
        "load": study.load,
        "patience_s": study.patience_s,
        "output_weight": study.output_weight,
        "capacity_work_per_s": per_s,
        "offered_work": offered,
        "spilled_work": spilled,
        "late_work": sum(run.late_work for run in runs) / count,
        "optimum_spilled_work": optimum,
        "ratio_to_optimum": ratio(spilled, optimum),
        "spill_share": spilled / offered,
        "slack_met_share": 1 - sum(run.late_work for run in runs) / sum(run.offered_work for run in runs),
        "reasons": dict(reasons),
        "contract_violations": sum(run.contract_violations for run in runs),
        "breaches": [breach for run in runs for breach in run.breaches][:_SHOWN_BREACHES],
        "runs": [
            {
                "seed": run.seed,
                "requests": run.requests,
                "spilled_work": run.spilled_work,
                "optimum_spilled_work": run.optimum_spilled_work,
                "ratio_to_optimum": ratio(run.spilled_work, run.optimum_spilled_work),
            }
            for run in runs
        ],
    }


def ratio(spilled: float, optimum: float) -> float | None:
    """Divide; None where the optimum spills nothing and the policy does (no ratio says how much)."""
    if optimum > 0:
        return spilled / optimum
    return 1.0 if spilled == 0 else None
