"""Which targets may answer an ask, in which order; pure."""

from collections.abc import Callable, Sequence
from zlib import crc32

from primeur.core.chat import Ask, Deployment, Endpoint, Target
from primeur.core.errors import BadRequest, NotReady, UnknownModel, UnsupportedParameter
from primeur.core.wire import Sampling

BEYOND_OPENAI = frozenset(
    {
        "top_k",
        "min_p",
        "typical_p",
        "repeat_penalty",
        "repeat_last_n",
        "mirostat",
        "mirostat_tau",
        "mirostat_eta",
        "grammar",
        "ignore_eos",
        "cache_prompt",
        "lora",
        "chat_template_kwargs",
    }
)
_BEYOND = tuple(sorted(BEYOND_OPENAI))
# An engine that comes up or is started again takes seconds.
_AGAIN_MS = 2000
Busy = Callable[[Endpoint], int]


def nobody(_endpoint: Endpoint) -> int:
    """Say that nothing is under way."""
    return 0


def unknown_model(name: str) -> UnknownModel:
    """The error for a name that nothing answers to, or not for this caller: both read the same."""
    return UnknownModel(
        f"the model {name!r} does not exist or this key may not use it; GET /v1/models lists those it may",
        param="model",
    )


def lot_of(sticky: str, ask: Ask, key_id: str) -> str:
    """What a revision is drawn by: asks with the same lot stay together while shares grow or shrink.

    Args:
        sticky: see `primeur.core.chat.Deployment`; a conversation without a name of its own is one request.
    """
    if sticky == "key":
        return key_id or ask.id
    if sticky == "request":
        return ask.id
    # Whoever says what belongs together is believed, in the first turn of a conversation as in the later ones.
    return getattr(ask.fields, "prompt_cache_key", None) or ask.affinity or ask.id


def order_targets(deployment: Deployment, ask: Ask, lot: str | None = None, busy: Busy = nobody) -> list[Target]:
    """Put the targets that can honour every parameter in the order in which they are to be tried.

    The first is drawn by traffic share and by *lot* (see `lot_of`), so that a conversation stays where its prompt cache
    is.

    Raises:
        NotReady: no target is up; says why.
        BadRequest: the deployment serves other routes only.
        UnsupportedParameter: no target honours a parameter; names it.
    """
    if not deployment.targets:
        why = deployment.pending or "it has no revision"
        again_ms = _AGAIN_MS if deployment.pending else 0
        raise NotReady(f"deployment {deployment.name!r} is not ready: {why}", retry_after_ms=again_ms)
    able = [target for target in deployment.targets if ask.route in target.routes]
    if not able:
        served = ", ".join(sorted({route for target in deployment.targets for route in target.routes}))
        raise BadRequest(
            f"deployment {deployment.name!r} does not serve {ask.route}; it serves {served}", param="model"
        )
    beyond = _beyond(ask)
    faults = [_fault(target, ask, beyond) for target in able]
    willing = [target for target, fault in zip(able, faults, strict=True) if fault is None]
    if not willing:
        raise next(fault for fault in faults if fault is not None)
    return _drawn(team_up(willing), lot or ask.affinity or ask.id, busy)


def team_up(targets: Sequence[Target]) -> list[list[Target]]:
    """Put the replicas of each revision together."""
    teams: dict[str, list[Target]] = {}
    for target in targets:
        teams.setdefault(target.revision_id, []).append(target)
    return list(teams.values())


def spread(teams: Sequence[Sequence[Target]], lot: int, busy: Busy) -> list[Target]:
    """Order targets: two of the first team, one of each other team, then the rest.

    Within a team the one with the fewest requests under way comes first; of equals, the one that *lot* says, so that a
    conversation finds its prompt cache where nothing speaks against it.
    """
    ordered = [_by_load(team, lot, busy) for team in teams]
    first, others = ordered[0], ordered[1:]
    rest = [target for team in others for target in team[1:]]
    return [*first[:2], *(team[0] for team in others), *first[2:], *rest]


def _by_load(team: Sequence[Target], lot: int, busy: Busy) -> list[Target]:
    if len(team) == 1:
        return list(team)
    start = lot % len(team)
    return sorted((*team[start:], *team[:start]), key=lambda target: busy(target.endpoint))


def fault_of(target: Target, ask: Ask) -> UnsupportedParameter | None:
    """Name the first parameter that *target* cannot honour."""
    return _fault(target, ask, _beyond(ask))


def _beyond(ask: Ask) -> list[str]:
    """What an ask says beyond OpenAI's parameters."""
    fields = ask.fields
    return [name for name in _BEYOND if getattr(fields, name, None) is not None] if isinstance(fields, Sampling) else []


def _fault(target: Target, ask: Ask, beyond: Sequence[str]) -> UnsupportedParameter | None:
    """*beyond* is looked up once for all targets."""
    refused = target.dialect.refuses.get(ask.route)
    for name, reason in refused.items() if refused else ():
        if getattr(ask.fields, name, None) is not None:
            return UnsupportedParameter(f"{name!r} is not supported by {target.provider}: {reason}", param=name)
    for name in beyond:
        if name not in target.dialect.accepts:
            return UnsupportedParameter(f"{name!r} is not supported by {target.provider}; leave it out", param=name)
    return None


def _drawn(teams: Sequence[Sequence[Target]], lot: str, busy: Busy) -> list[Target]:
    total, point = sum(team[0].share for team in teams), crc32(lot.encode())
    if len(teams) == 1 or total == 0:
        return spread(teams, point, busy)
    left = point % total
    for team in teams:
        left -= team[0].share
        if left < 0:
            return spread([team, *(other for other in teams if other is not team)], point, busy)
    raise AssertionError("shares add up to their total")
