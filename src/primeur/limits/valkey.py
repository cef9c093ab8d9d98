"""Keeps the counts of all processes in Valkey or Redis: one script for each claim, all claims in one round trip."""

from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from primeur.core.errors import SetupError
from primeur.limits.slices import CALENDAR, HOLDER_LIFE_MS, Claim, Grant

SCRIPT = (Path(__file__).parent / "valkey.lua").read_text("utf-8")
_TIMEOUT_S = 1.0
# The braces keep all keys in one slot of a cluster.
_PREFIX = "{primeur}"
_JOIN = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if redis.call('ZCARD', KEYS[1]) == 0 then redis.call('INCR', KEYS[2]) end
redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[1])
return redis.call('GET', KEYS[2])
"""


class ValkeyKeeper:
    """Implements `primeur.limits.slices.Keeper`."""

    def __init__(self, url: str, *, prefix: str = _PREFIX, timeout_s: float = _TIMEOUT_S) -> None:
        """Connect when first asked.

        Args:
            url: such as ``redis://127.0.0.1:6379/0``; ``rediss://`` for TLS.
            prefix: what keys begin with; houses that share a server need different ones.

        Raises:
            SetupError: the extra ``valkey`` is not installed, or *url* is none.
        """
        try:
            from redis import asyncio as valkey  # noqa: PLC0415 (an extra: only needed when settings name a server)
            from redis.exceptions import RedisError  # noqa: PLC0415
        except ImportError:
            raise SetupError("limits in Valkey need the extra: pip install 'primeur[valkey]'") from None
        try:
            self._client: Any = valkey.from_url(
                url, socket_timeout=timeout_s, socket_connect_timeout=timeout_s, decode_responses=True
            )
        except ValueError as error:
            raise SetupError(f"{url!r} is no address of a Valkey server ({error}); write redis://HOST:PORT/0") from None
        self._fault = RedisError
        self._prefix = prefix
        self._digest = ""

    async def exchange(self, holder: str, claims: list[Claim]) -> list[Grant]:
        """See the port."""
        try:
            if not self._digest:
                self._digest = await self._client.script_load(SCRIPT)
            return [_grant(answer) for answer in await self._send(holder, claims)]
        except (self._fault, OSError, TimeoutError) as error:
            # A server that was started anew does not know the script.
            self._digest = ""
            raise ConnectionError(f"Valkey does not answer: {error or type(error).__name__}") from error

    async def _send(self, holder: str, claims: list[Claim]) -> list[Any]:
        holders = f"{self._prefix}:holders"
        epoch = int(await self._client.eval(_JOIN, 2, holders, f"{self._prefix}:epoch", holder, HOLDER_LIFE_MS))
        pipeline = self._client.pipeline(transaction=False)
        for claim in claims:
            told = msgspec.json.encode({name: getattr(claim, name) for name in Claim.__struct_fields__})
            # Nobody was there for a while: what the last ones held and did not use is counted again from the books.
            key = f"{self._prefix}:{epoch}:{claim.key}" if claim.way == CALENDAR else f"{self._prefix}:{claim.key}"
            pipeline.evalsha(self._digest, 2, key, holders, holder, told)
        return list(await pipeline.execute())

    async def leave(self, holder: str) -> None:
        """Say that a process has given everything back and is gone."""
        with suppress(self._fault, OSError, TimeoutError):
            await self._client.zrem(f"{self._prefix}:holders", holder)

    async def aclose(self) -> None:
        """See the port."""
        await self._client.aclose()


def _grant(answer: list[Any]) -> Grant:
    units, place, left, outstanding, hungry, wait_ms, holders, unknown = answer
    return Grant(
        int(units), str(place), int(left), int(outstanding), bool(hungry), int(wait_ms), int(holders), bool(unknown)
    )
