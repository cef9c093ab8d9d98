"""What a caller is told of an answer beside the answer: who gave it and what it cost, as JSON."""

from functools import lru_cache

import msgspec

from primeur.core.chat import Placed, Served
from primeur.core.splice import with_member
from primeur.walks.meter import Meter

_MEMBER = b'"primeur":{"request_id":"%b",%b"cost_nanos":%b,"currency":%b}'


def with_account(answer: bytes, meter: Meter) -> bytes:
    """Append the account of *meter* to *answer*.

    Raises:
        TargetFailed: *answer* is not a JSON object.
    """
    served, cost_nanos = meter.served, meter.cost_nanos
    price, target = served.price, served.target
    names = _names(served.deployment, target.revision_id, target.provider)
    cost = b"null" if cost_nanos is None else b"%d" % cost_nanos
    currency = _spelled(price.currency) if price else b"null"
    if served.placed is not None:
        names += _placed(served.placed)
    return with_member(answer, _MEMBER % (meter.ask.id.encode(), names, cost, currency))


def _placed(placed: Placed) -> bytes:
    """The right that concerned it, what the caller got, and why it is not the holder."""
    return msgspec.json.encode(placed)[1:-1] + b","


def account_form(served: Served) -> bytes:
    """Give the account of every request that is *served* so, outside of rights, with ``%b`` for its id and its cost."""
    target = served.target
    names = _names(served.deployment, target.revision_id, target.provider).replace(b"%", b"%%")
    currency = _spelled(served.price.currency) if served.price else b"null"
    return _MEMBER % (b"%b", names, b"%b", currency.replace(b"%", b"%%"))


@lru_cache(maxsize=1024)
def _names(deployment: str, revision_id: str, provider: str) -> bytes:
    spelled = map(_spelled, (deployment, revision_id, provider))
    return b'"deployment":%b,"revision":%b,"provider":%b,' % tuple(spelled)


@lru_cache(maxsize=64)
def _spelled(word: str) -> bytes:
    return msgspec.json.encode(word)
