"""Let a request in: find who may answer, hold the worst case, and write what the target will read."""

import msgspec

from primeur.core.caller import Caller
from primeur.core.chat import Ask, Deployment, Target, Translation
from primeur.core.fan import answers_of
from primeur.core.ports import Hold
from primeur.core.splice import with_fields, with_model, with_usage_asked
from primeur.governance.rules import check
from primeur.metering.counting import worst_case
from primeur.registry.routing import find_deployment, order_targets
from primeur.walks.house import House


class Admission(msgspec.Struct, frozen=True, gc=False):
    """A request that was let in.

    Attributes:
        targets: in the order in which they are to be tried.
        overhead_us: microseconds from arrival to here.
    """

    deployment: Deployment
    targets: list[Target]
    hold: Hold
    overhead_us: int


class Letter(msgspec.Struct, frozen=True, gc=False):
    """What one target is sent.

    Attributes:
        translation: reads the answer; None when its bytes can pass as they are.
        each: it is to be sent once for each answer wanted, see `primeur.core.fan`.
    """

    path: str
    body: bytes
    translation: Translation | None
    each: bool = False


def admit(house: House, caller: Caller, ask: Ask) -> Admission:
    """Let *ask* in; whoever goes on must `settle` it, once.

    Raises:
        UnknownModel, UnsupportedParameter, OverLimit, NotPermitted, NotReady: refused.
    """
    check(caller, "inference", None, ask.arrived_ms)
    deployment = find_deployment(house.board.now.deployments, caller, ask)
    targets = order_targets(deployment, ask)
    now_us = house.clock.monotonic_us()
    hold = house.limiter.reserve(caller.gates, worst_case(ask, deployment), now_us)
    if not ask.low_priority:
        house.board.serving += 1
    return Admission(deployment, targets, hold, now_us - ask.arrived_us)


def settle(house: House, ask: Ask, hold: Hold, tokens: int) -> None:
    """End what `admit` began: *tokens* were used of what was held, none if nobody answered."""
    house.limiter.settle(hold, tokens, house.clock.monotonic_us())
    if not ask.low_priority:
        house.board.serving -= 1


def write_letter(target: Target, ask: Ask) -> Letter:
    """Write what *target* reads, by splicing where only the model's name changes."""
    dialect = target.dialect
    translation = dialect.translate(ask, target) if dialect.translate else None
    path = dialect.paths[ask.route]
    if "{" in path:
        path = path.replace("{model}", target.upstream_model)
    if dialect.query:
        path = f"{path}?{dialect.query}"
    each = dialect.one_answer_each and answers_of(ask.fields) > 1
    return Letter(path, translation.body if translation else _body_for(target, ask), translation, each)


def _body_for(target: Target, ask: Ask) -> bytes:
    body, dialect = ask.body, target.dialect
    if dialect.renames:
        said = {old: getattr(ask.fields, old, None) for old in dialect.renames}
        renamed = {dialect.renames[old]: value for old, value in said.items() if value is not None}
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
