"""The lines that heads of answers are made of on the short way; `gateway.openai` says the same as pairs."""

from functools import lru_cache

from primeur.core.chat import Served
from primeur.core.ports import Standing


def serving_lines(served: Served, overhead_us: int, standing: Standing) -> bytes:
    """Who served, at what overhead, and how much is left."""
    target = served.target
    lines = b"%bx-primeur-overhead-us: %d\r\n" % (
        _who_served(served.deployment, target.revision_id, target.provider),
        overhead_us,
    )
    if standing.requests_limit is not None:
        reset = f"{standing.requests_reset_ms / 1000:g}".encode()
        lines += (
            b"x-ratelimit-limit-requests: %d\r\nx-ratelimit-remaining-requests: %d\r\n"
            b"x-ratelimit-reset-requests: %bs\r\n" % (standing.requests_limit, standing.requests_left or 0, reset)
        )
    if standing.tokens_limit is not None:
        reset = f"{standing.tokens_reset_ms / 1000:g}".encode()
        lines += (
            b"x-ratelimit-limit-tokens: %d\r\nx-ratelimit-remaining-tokens: %d\r\n"
            b"x-ratelimit-reset-tokens: %bs\r\n" % (standing.tokens_limit, standing.tokens_left or 0, reset)
        )
    return lines


@lru_cache(maxsize=1024)
def _who_served(deployment: str, revision_id: str, provider: str) -> bytes:
    names = (deployment.encode(), revision_id.encode(), provider.encode())
    return b"x-primeur-deployment: %b\r\nx-primeur-revision: %b\r\nx-primeur-provider: %b\r\n" % names
