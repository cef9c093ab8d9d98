"""Answer one inference request: admit, place, relay, meter."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from primeur.core.caller import Caller
from primeur.core.chat import Ask, Served, Target, Translation
from primeur.core.errors import BadRequest, ContextTooLong, PrimeurError, TargetFailed
from primeur.core.ports import Reply, Standing
from primeur.core.splice import with_fields, with_model, with_usage_asked
from primeur.governance.rules import check
from primeur.metering.counting import worst_case
from primeur.registry.routing import find_deployment, order_targets
from primeur.walks.house import House
from primeur.walks.meter import Meter
from primeur.walks.pass_on import pass_events, pass_whole
from primeur.walks.read_refusal import read_refusal

_ATTEMPTS = 3


@dataclass(slots=True)
class Completion:
    """An answer on its way.

    Attributes:
        body: the whole answer as JSON; None when it streams.
        events: server-sent events as bytes, each piece one or more whole ``data: ...`` events, ``[DONE]`` included.
            Closing it early is a hang-up: the target is cancelled and what was made is metered.
        overhead_us: microseconds spent before the target was called.
    """

    served: Served
    status: int
    standing: Standing
    overhead_us: int
    body: bytes | None = None
    events: AsyncIterator[bytes] | None = None


async def complete(house: House, caller: Caller, ask: Ask) -> Completion:
    """Answer *ask* for *caller*; the usage event is durable before the last byte leaves.

    Raises:
        UnknownModel, UnsupportedParameter, ContextTooLong, OverLimit, NotPermitted: refused by us.
        TargetFailed: every target that could be tried failed before its first byte.
    """
    snapshot = house.board.now
    check(caller, "inference", None, ask.arrived_ms)
    deployment = find_deployment(snapshot.deployments, caller, ask)
    targets = order_targets(deployment, ask)
    hold = house.limiter.reserve(caller.gates, worst_case(ask, deployment), house.clock.monotonic_us())
    overhead_us = house.clock.monotonic_us() - ask.arrived_us
    try:
        target, reply, translation = await _first_answer(house, ask, targets)
    except BaseException:
        house.limiter.settle(hold, 0, house.clock.monotonic_us())
        raise
    served = Served(deployment.name, target, deployment.price)
    meter = Meter(house, caller, ask, served, hold, overhead_us)
    standing = house.limiter.standing(caller.gates, house.clock.monotonic_us())
    completion = Completion(served, 200, standing, overhead_us)
    if ask.streams:
        completion.events = pass_events(meter, reply, translation)
    else:
        completion.body = await pass_whole(meter, reply, translation)
    return completion


async def _first_answer(house: House, ask: Ask, targets: list[Target]) -> tuple[Target, Reply, Translation | None]:
    """Try targets until one begins to answer; after its first byte there is no switching."""
    fault: PrimeurError | None = None
    for target in targets[:_ATTEMPTS]:
        translation = target.dialect.translate(ask, target) if target.dialect.translate else None
        body = translation.body if translation else _body_for(target, ask)
        try:
            reply = await house.relay.send(target.endpoint, "POST", _path(target, ask), body, _tracing(ask))
            if reply.status != 200:
                raise await read_refusal(reply, target)
            await _begun(reply)
        except (BadRequest, ContextTooLong):
            raise
        except TargetFailed as error:
            # The first fault is the one to tell: it is about the target that should have answered.
            fault = fault or error
        else:
            return target, reply, translation
    raise fault or TargetFailed("no target could be tried")


async def _begun(reply: Reply) -> None:
    """Wait for the first byte of the answer; a target that fails before it can still be replaced."""
    try:
        await reply.begin()
    except BaseException:
        reply.close()
        raise


def _path(target: Target, ask: Ask) -> str:
    path = target.dialect.paths[ask.route].replace("{model}", target.upstream_model)
    return f"{path}?{target.dialect.query}" if target.dialect.query else path


def _tracing(ask: Ask) -> tuple[tuple[bytes, bytes], ...]:
    return ((b"x-request-id", ask.id.encode()),)


def _body_for(target: Target, ask: Ask) -> bytes:
    """Write the body this target reads, by splicing where only the model's name changes."""
    body, dialect = ask.body, target.dialect
    renamed = {
        new: getattr(ask.fields, old)
        for old, new in dialect.renames.items()
        if getattr(ask.fields, old, None) is not None
    }
    if renamed:
        body = with_fields(body, renamed, without=frozenset(dialect.renames))
    if dialect.reads_model and target.upstream_model != ask.model:
        body = with_model(body, target.upstream_model)
    if ask.streams and not ask.wants_usage and dialect.streams_usage:
        body = with_usage_asked(body)
    if ask.streams and not dialect.streams_usage and getattr(ask.fields, "stream_options", None) is not None:
        # Such a target would refuse the option; what it stands for is done here.
        body = with_fields(body, {}, without=frozenset({"stream_options"}))
    return body
