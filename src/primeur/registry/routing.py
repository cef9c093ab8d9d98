"""Which targets may answer an ask, in which order; pure."""

from collections.abc import Sequence
from zlib import crc32

from primeur.core.chat import Ask, Deployment, Target
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
    return ask.affinity or getattr(ask.fields, "prompt_cache_key", None) or ask.id


def order_targets(deployment: Deployment, ask: Ask, lot: str | None = None) -> list[Target]:
    """Put the targets that can honour every parameter in the order in which they are to be tried.

    The first is drawn by traffic share and by *lot* (see `lot_of`), so that a conversation stays where its prompt cache
    is.

    Raises:
        NotReady: no target is up; says why.
        BadRequest: the deployment serves other routes only.
        UnsupportedParameter: no target honours a parameter; names it.
    """
    if not deployment.targets:
        raise NotReady(f"deployment {deployment.name!r} is not ready: {deployment.pending or 'it has no revision'}")
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
    return _drawn(willing, lot or ask.affinity or ask.id)


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


def _drawn(targets: Sequence[Target], lot: str) -> list[Target]:
    total = sum(target.share for target in targets)
    if len(targets) == 1 or total == 0:
        return list(targets)
    point = crc32(lot.encode()) % total
    for target in targets:
        point -= target.share
        if point < 0:
            return [target, *(other for other in targets if other is not target)]
    raise AssertionError("shares add up to their total")
