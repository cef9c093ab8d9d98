"""How traffic moves from one revision to the next: the machine, the policy, and the shares of each state; pure."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Annotated, Literal

import msgspec

from primeur.core.errors import BadRequest
from primeur.core.machine import Machine
from primeur.registry.sequential import least_failures

# The revision is kept; its engine is not up yet.
REGISTERED = "registered"
# Its engine or provider can be asked; it gets no traffic.
READY = "ready"
# A part of the requests is copied to it; its answers are judged and thrown away.
SHADOW = "shadow"
# Nothing is copied to it until somebody resumes, promotes or rolls back.
SHADOW_PAUSED = "shadow_paused"
# It answers a share of the callers and is judged.
CANARY = "canary"
# It keeps its share and is not judged until somebody resumes, promotes or rolls back.
PAUSED = "paused"
# It answers everybody; the revision before stays warm for its window.
PROMOTED = "promoted"
# The window is over; rolling back is still possible and has to start the revision before.
SETTLED = "settled"
# The revision before answers everybody again.
ROLLED_BACK = "rolled_back"

ROLL_OUT = Machine(
    "roll-out",
    {
        (REGISTERED, "prepare"): READY,
        (READY, "open"): CANARY,
        (READY, "mirror"): SHADOW,
        (SHADOW, "open"): CANARY,
        (SHADOW, "pause"): SHADOW_PAUSED,
        (SHADOW_PAUSED, "resume"): SHADOW,
        (SHADOW_PAUSED, "promote"): PROMOTED,
        (SHADOW_PAUSED, "roll_back"): ROLLED_BACK,
        (SHADOW, "promote"): PROMOTED,
        (SHADOW, "roll_back"): ROLLED_BACK,
        (CANARY, "widen"): CANARY,
        (CANARY, "pause"): PAUSED,
        (PAUSED, "resume"): CANARY,
        (READY, "promote"): PROMOTED,
        (CANARY, "promote"): PROMOTED,
        (PAUSED, "promote"): PROMOTED,
        (PROMOTED, "settle"): SETTLED,
        (REGISTERED, "roll_back"): ROLLED_BACK,
        (READY, "roll_back"): ROLLED_BACK,
        (CANARY, "roll_back"): ROLLED_BACK,
        (PAUSED, "roll_back"): ROLLED_BACK,
        (PROMOTED, "roll_back"): ROLLED_BACK,
        (SETTLED, "roll_back"): ROLLED_BACK,
    },
)

# A canary that nobody but the roll-out may ask yet.
UNOPENED = frozenset({REGISTERED, READY, SHADOW, SHADOW_PAUSED})
# Nothing else may move the deployment's traffic.
UNDER_WAY = UNOPENED | {CANARY, PAUSED}
# The revision before must be up.
KEEPS_BASELINE = UNDER_WAY | {PROMOTED}
WHOLE = 100

Metric = Literal["errors", "first_token", "speed", "cost", "guards", "evaluation"]
METRICS: tuple[Metric, ...] = ("errors", "first_token", "speed", "cost", "guards", "evaluation")


class RollOutPolicy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a new revision is given its traffic, and what takes it back.

    Attributes:
        steps: percent of the traffic, one after the other, before all of it.
        shadow: percent of the requests that are copied to it before its first share; 0: none are.
        step_requests: answers of the new revision in a step before the next, copied ones first.
        step_s: least seconds of a step.
        watch: what is judged.
        alpha: most probability of a wrong roll-back, over the whole roll-out and everything watched.
        tolerance: how much slower or dearer still counts as the same; 0.02 is two percent.
        sticky: what keeps its revision: a conversation, a key, or nothing (each request is drawn anew).
        rollback_window_s: how long the revision before stays warm after promotion.
        ready_s: how long the new revision may take to come up.
        promote: by itself after the last step, or by hand.
    """

    steps: tuple[Annotated[int, msgspec.Meta(ge=1, le=99)], ...] = (5, 25, 50)
    shadow: Annotated[int, msgspec.Meta(ge=0, le=100)] = 0
    step_requests: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 100
    step_s: Annotated[int, msgspec.Meta(ge=0, le=604_800)] = 60
    watch: tuple[Metric, ...] = METRICS
    alpha: Annotated[float, msgspec.Meta(gt=0, le=0.5)] = 0.05
    tolerance: Annotated[float, msgspec.Meta(ge=0, le=10)] = 0.02
    sticky: Literal["conversation", "key", "request"] = "conversation"
    rollback_window_s: Annotated[int, msgspec.Meta(ge=0, le=2_592_000)] = 300
    ready_s: Annotated[int, msgspec.Meta(ge=1, le=604_800)] = 1800
    promote: Literal["automatic", "by_hand"] = "automatic"


AT_ONCE = RollOutPolicy(steps=(), rollback_window_s=0)


def check_policy(policy: RollOutPolicy) -> RollOutPolicy:
    """Give *policy* back if it can be met.

    Raises:
        BadRequest: steps that do not grow, nothing to watch, or too few requests for the judge to find anything.
    """
    steps = policy.steps
    if not steps or any(after <= before for before, after in pairwise(steps)):
        raise BadRequest(f"the steps {list(steps)} do not grow; write them like [5, 25, 50]", param="roll_out.steps")
    if not policy.watch or len(set(policy.watch)) != len(policy.watch):
        known = ", ".join(METRICS)
        raise BadRequest(f"watch names nothing, or a thing twice; choose of {known}", param="roll_out.watch")
    least = max(least_failures(alpha_of(metric, policy)) for metric in policy.watch)
    if policy.step_requests * len(steps) < least:
        raise BadRequest(
            f"the policy cannot be met: {policy.step_requests * len(steps)} requests in all its steps, and a judge "
            f"who is wrong at most {policy.alpha:g} of the time needs {least} even when all "
            "fail; raise step_requests or alpha",
            param="roll_out.step_requests",
        )
    return policy


_FOR_ERRORS = 0.6


def alpha_of(metric: Metric, policy: RollOutPolicy) -> float:
    """The part of the policy's alpha that one metric may use: 60 % for errors, the rest evenly for the others."""
    others = len(policy.watch) - ("errors" in policy.watch)
    if metric == "errors":
        return policy.alpha * _FOR_ERRORS if others else policy.alpha
    return policy.alpha * (1.0 - _FOR_ERRORS if "errors" in policy.watch else 1.0) / others


def share_in(state: str, step: int, policy: RollOutPolicy) -> int:
    """Percent of the traffic that the new revision has in *state*."""
    if state in {PROMOTED, SETTLED}:
        return WHOLE
    return policy.steps[min(step, len(policy.steps) - 1)] if state in {CANARY, PAUSED} and policy.steps else 0


def check_shares(shares: Mapping[int, int]) -> None:
    """Let shares pass that divide the whole traffic.

    Raises:
        BadRequest: a share that is no percentage, or a sum that is not 100.
    """
    if any(not 0 <= share <= WHOLE for share in shares.values()) or sum(shares.values()) != WHOLE:
        told = ", ".join(f"{number}={share}" for number, share in sorted(shares.items()))
        raise BadRequest(f"the shares {told} are not percentages that add up to 100", param="shares")
