"""The lines that heads of answers are made of on the short way; `gateway.openai` says the same as pairs."""

from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache

from primeur.core.chat import Served
from primeur.core.guards import Verdict
from primeur.core.ports import Standing

_RATE = (
    b"x-ratelimit-limit-%b: %%d\r\n"
    b"x-ratelimit-remaining-%b: %%d\r\n"
    b"x-ratelimit-reset-%b: %%gs\r\n"
)  # fmt: skip
_REQUESTS, _TOKENS = (_RATE % (word, word, word) for word in (b"requests", b"tokens"))
_OVERHEAD = b"%bx-primeur-overhead-us: %d\r\n"
_BOTH = _OVERHEAD + _REQUESTS + _TOKENS


def serving_lines(served: Served, overhead_us: int, now: Standing) -> bytes:
    """Who served, at what overhead, and how much is left."""
    target = served.target
    who = _who_served(served.deployment, target.revision_id, target.provider, target.ends_ms)
    if now.requests_limit is not None and now.tokens_limit is not None:
        return _BOTH % (
            who,
            overhead_us,
            now.requests_limit,
            now.requests_left or 0,
            now.requests_reset_ms / 1000,
            now.tokens_limit,
            now.tokens_left or 0,
            now.tokens_reset_ms / 1000,
        )
    lines = _OVERHEAD % (who, overhead_us)
    if now.requests_limit is not None:
        lines += _REQUESTS % (now.requests_limit, now.requests_left or 0, now.requests_reset_ms / 1000)
    if now.tokens_limit is not None:
        lines += _TOKENS % (now.tokens_limit, now.tokens_left or 0, now.tokens_reset_ms / 1000)
    return lines


@lru_cache(maxsize=1024)
def _who_served(deployment: str, revision_id: str, provider: str, ends_ms: int | None) -> bytes:
    names = (deployment.encode(), revision_id.encode(), provider.encode())
    who = b"x-primeur-deployment: %b\r\nx-primeur-revision: %b\r\nx-primeur-provider: %b\r\n" % names
    return who if ends_ms is None else who + b"sunset: %b\r\n" % sunset(ends_ms)


def guarded(verdicts: Sequence[Verdict]) -> bytes:
    """Write what a guard found for the header ``x-primeur-guard``."""
    return ", ".join(f"{one.stage} {one.rule} {one.action}" for one in verdicts).encode()


def sunset(ends_ms: int) -> bytes:
    """Write the end of what answered for the header ``sunset`` (RFC 8594)."""
    return format_datetime(datetime.fromtimestamp(ends_ms / 1000, UTC), usegmt=True).encode()
