"""Judge texts with the guards of deployments, and pass nothing on."""

import asyncio
from collections.abc import Iterator, Sequence

from primeur.core.caller import Caller, Gate
from primeur.core.errors import NotFound, OverLimit, SliceSpent
from primeur.core.guards import Guard
from primeur.core.ports import Hold
from primeur.core.usage import UsageEvent
from primeur.registry.routing import unknown_model
from primeur.trust.moderation import Moderated, moderated
from primeur.walks.house import House
from primeur.walks.log_refusal import Arrival

_FILLS_MOST = 50
_EVERY = ("omni-moderation-", "text-moderation-")


async def moderate(house: House, caller: Caller, arrival: Arrival, model: str, texts: Sequence[str]) -> list[Moderated]:
    """Give what the guards find in each of *texts*; the call counts as one request of the caller's limits.

    Args:
        arrival: of the call, for its usage event.
        model: a deployment, whose guard judges; OpenAI's names of moderation models mean every guard of the
            deployments that the caller may use.

    Raises:
        NotFound: no guard has a rule, so that nothing here can judge.
        UnknownModel: no such deployment for this caller.
        OverLimit: too many requests.
    """
    guards = _guards(house, caller, model)
    hold = await _hold(house, caller)
    try:
        found = [moderated(await _judge(guards, text)) for text in texts]
    finally:
        hold.lane.settle(hold, 0, 0, house.clock.now_ms())
    named = house.board.now.deployments.get(model)
    await house.journal.append(_event(house, caller, arrival, "" if named is None else named.name))
    return found


async def _judge(guards: Sequence[Guard], text: str) -> dict[str, bool]:
    """Give whether each rule of any guard finds something."""
    judged: dict[str, bool] = {}
    for guard in guards:
        for rule, there in guard.judge(text).items():
            judged[rule] = judged.get(rule, False) or there
        # Others are served between two looks at a long text.
        await asyncio.sleep(0)
    return judged


def _event(house: House, caller: Caller, arrival: Arrival, deployment: str) -> UsageEvent:
    """One request, of no tokens: no engine worked, so it costs nothing, whatever the deployment's price."""
    return UsageEvent(
        id=arrival.request_id,
        at_ms=arrival.at_ms,
        route="moderations",
        outcome="completed",
        status=200,
        project_id=caller.project_id,
        key_id=caller.key_id,
        deployment=deployment,
        cost_nanos=0,
        duration_us=house.clock.monotonic_us() - arrival.at_us,
        address=arrival.address,
    )


def _guards(house: House, caller: Caller, model: str) -> list[Guard]:
    deployments, may = house.board.now.deployments, caller.deployments
    named = deployments.get(model)
    if named is not None and may is not None and named.name not in may:
        raise unknown_model(model)
    every = named is None and model.startswith(_EVERY)
    if named is None and not every and any(one.guard is not None for one in deployments.values()):
        raise unknown_model(model)
    asked = [named] if named is not None else [one for one in deployments.values() if may is None or one.name in may]
    # An alias leads to the same deployment; it is asked once.
    guards = {one.name: one.guard for one in asked if one.guard is not None and one.guard.judge("")}
    if not guards:
        raise NotFound(
            f"no guard is configured, so nothing here can moderate as {model!r}; an operator must add a guard",
            param="model",
            code="no_guard_configured",
        )
    return list(guards.values())


async def _hold(house: House, caller: Caller) -> Hold:
    """Take one request of the caller's limits; no engine works, so there are no tokens and no money in it."""
    gates = tuple(_without_money(caller.gates))
    lane = house.limiter.lane(gates, None)
    for _ in range(_FILLS_MOST):
        try:
            return lane.reserve(0, None, house.clock.now_ms())
        except SliceSpent as spent:
            await house.limiter.fill(spent)
    raise OverLimit("too many wait for the same limit; retry in 1 s", retry_after_ms=1000)


def _without_money(gates: Sequence[Gate]) -> Iterator[Gate]:
    for gate in gates:
        yield Gate(gate.scope, gate.limits)
