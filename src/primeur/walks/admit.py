"""Let a request in: find who may answer, hold the worst case, and write what the target will read."""

import msgspec

from primeur.core.caller import Caller
from primeur.core.chat import Ask, Deployment, Dialect, Route, Target, Translation, price_of
from primeur.core.errors import NeedsPlacing, NotReady, OverLimit, SliceSpent
from primeur.core.fan import answers_of
from primeur.core.images import has_images
from primeur.core.ports import Hold, Lane
from primeur.core.splice import with_fields, with_model, with_usage_asked
from primeur.core.usage import Usage
from primeur.core.wire import ChatRequest
from primeur.governance.rules import check
from primeur.metering.bounds import output_cap, worst_cost
from primeur.metering.counting import worst_case
from primeur.registry.ways import Way, check_allowed
from primeur.walks.house import House
from primeur.walks.wait_awake import wait_awake

_FILLS_MOST = 50
_NEWER = "max_completion_tokens"


class Admission(msgspec.Struct, frozen=True, gc=False):
    """A request that was let in; whatever it holds is given back by `settle` or `withdraw`, once.

    Attributes:
        targets: in the order in which they are to be tried.
        hold: what the limiter reserved.
        overhead_us: microseconds from arrival to here.
        cap: tokens at which the answer must be cut, because no more money is held; None: it need not.
    """

    way: Way
    targets: list[Target]
    hold: Hold
    overhead_us: int
    cap: int | None = None

    @property
    def deployment(self) -> Deployment:
        """Who answers."""
        return self.way.deployment


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


def admit(house: House, caller: Caller, ask: Ask, *, may_wait: bool = False) -> Admission:
    """Let *ask* in; whoever goes on must `settle` (or `withdraw`) it, once.

    Args:
        may_wait: the request can be placed under a right and its images be fetched, which may mean to wait.

    Raises:
        UnknownModel, UnsupportedParameter, OverLimit, NotPermitted, NotReady, VersionRetired: refused.
        SliceSpent: see `primeur.core.ports.Lane.reserve`; `admit_in_turn` deals with it.
        NeedsPlacing: a right concerns the deployment, or there are images, and it cannot wait; as before.
    """
    check(caller, "inference", None, ask.arrived_ms)
    way = house.board.now.way(ask.route, ask.fields.model)
    if caller.deployments is not None:
        check_allowed(way, caller, ask)
    if not may_wait and (way.placed or has_images(ask.fields)):
        raise NeedsPlacing(f"{way.deployment.name!r} has a right, or the request an image")
    deployment, targets = way.deployment, way.order(ask, caller.key_id, house.relay.busy)
    entry = deployment.entry
    if entry is not None:
        entry.check(ask)
    lane = caller.lanes.get(deployment.name) or _lane(house, caller, deployment)
    tokens = worst_case(ask, deployment)
    if entry is not None:
        entry.check_reserved(tokens, ask.arrived_ms)
    cost_nanos = cap = None
    if lane.counts_money:
        cost_nanos, cap = worst_cost(ask, targets, price_of(caller, deployment)), output_cap(ask, targets)
    hold = lane.reserve(tokens, cost_nanos, ask.arrived_ms)
    if entry is not None:
        entry.take(tokens, ask.arrived_ms)
    if not ask.low_priority:
        house.board.serving += 1
    return Admission(way, targets, hold, house.clock.monotonic_us() - ask.arrived_us, cap)


async def admit_in_turn(house: House, caller: Caller, ask: Ask) -> Admission:
    """As `admit`, for those who can wait until this process has got more of a limit that it shares with others."""
    for _ in range(_FILLS_MOST):
        try:
            return admit(house, caller, ask, may_wait=True)
        except SliceSpent as spent:
            await house.limiter.fill(spent)
        except NotReady as unready:
            await wait_awake(house, ask, unready)
    raise OverLimit("too many wait for the same limit; retry in 1 s", retry_after_ms=1000)


def settle(
    house: House, ask: Ask, admission: Admission, usage: Usage | None = None, cost_nanos: int | None = None
) -> None:
    """End what `admit` began.

    Args:
        usage: what was used of what was held; None if nobody answered.
        cost_nanos: what it came to; None is unknown, and counts as nothing.
    """
    hold, now_ms = admission.hold, house.clock.now_ms()
    hold.lane.settle(hold, usage.total_tokens if usage else 0, cost_nanos, now_ms)
    _leave(house, ask, admission, usage, now_ms)


def withdraw(house: House, ask: Ask, admission: Admission) -> None:
    """Undo `admit` for a request that nobody has answered and that is about to be admitted anew: it counts once."""
    hold, now_ms = admission.hold, house.clock.now_ms()
    hold.lane.withdraw(hold, now_ms)
    _leave(house, ask, admission, None, now_ms)


def _leave(house: House, ask: Ask, admission: Admission, usage: Usage | None, now_ms: int) -> None:
    entry = admission.way.deployment.entry
    if entry is not None:
        entry.settle(admission.hold.tokens, usage, now_ms)
    if not ask.low_priority:
        house.board.serving -= 1


def _lane(house: House, caller: Caller, deployment: Deployment) -> Lane:
    """Bind the gates of this caller before this deployment; done once for each snapshot."""
    gates = caller.gates if deployment.gate is None else (*caller.gates, deployment.gate)
    price = price_of(caller, deployment)
    lane = house.limiter.lane(gates, price.currency if price else None)
    caller.lanes[deployment.name] = lane
    return lane


def write_letter(target: Target, ask: Ask, cap: int | None = None) -> Letter:
    """Write what *target* reads, by splicing where only the model's name changes; *cap*: see `Admission`."""
    dialect = target.dialect
    if cap is not None:
        ask = _capped(ask, dialect, cap)
    translation = dialect.translate(ask, target) if dialect.translate else None
    each = dialect.one_answer_each and answers_of(ask.fields) > 1
    body = translation.body if translation else body_for(target, ask)
    return Letter(path_for(target, ask.route), body, translation, each)


def path_for(target: Target, route: Route) -> str:
    """Give the path, with its query, at which *target* answers *route*."""
    dialect = target.dialect
    path = dialect.paths[route]
    if "{" in path:
        path = path.replace("{model}", target.upstream_model)
    return f"{path}?{dialect.query}" if dialect.query else path


def _capped(ask: Ask, dialect: Dialect, cap: int) -> Ask:
    """State the length of the answer, by the newer name where the target may know it."""
    newer = isinstance(ask.fields, ChatRequest) and _NEWER not in dialect.refuses.get(ask.route, {})
    name = _NEWER if newer else "max_tokens"
    fields = msgspec.structs.replace(ask.fields, **{name: cap})
    return msgspec.structs.replace(ask, body=with_fields(ask.body, {name: cap}), fields=fields)


def body_for(target: Target, ask: Ask) -> bytes:
    """Write what *target* reads of *ask*, where no translation is needed."""
    body, dialect = ask.body, target.dialect
    if dialect.renames:
        said = {old: getattr(ask.fields, old, None) for old in dialect.renames}
        renamed = {dialect.renames[old]: value for old, value in said.items() if value is not None}
        if renamed:
            body = with_fields(body, renamed, without=frozenset(dialect.renames))
    if dialect.reads_model and target.upstream_model != ask.model:
        body = with_model(body, target.upstream_model, ask.model)
    return with_stream_options(body, ask, reads_usage=dialect.streams_usage) if ask.streams else body


def with_stream_options(body: bytes, ask: Ask, *, reads_usage: bool) -> bytes:
    """Ask for the usage chunk where the target knows it; where it does not, keep what would be refused from it."""
    if reads_usage:
        return body if ask.wants_usage else with_usage_asked(body)
    if getattr(ask.fields, "stream_options", None) is not None:
        return with_fields(body, {}, without=frozenset({"stream_options"}))
    return body
