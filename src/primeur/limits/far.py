"""Claims on limits that another process keeps: how they are sent, and how that process answers them."""

from collections.abc import Awaitable, Callable

import msgspec

from primeur.core.ports import Clock
from primeur.limits.keeper import MemoryKeeper
from primeur.limits.slices import Claim, Grant

Call = Callable[[str, bytes], Awaitable[bytes]]

_claims = msgspec.msgpack.Decoder(list[Claim])
_grants = msgspec.msgpack.Decoder(list[Grant])


class FarKeeper:
    """Implements `primeur.limits.slices.Keeper`; the other process knows by the socket who speaks.

    The limiter's holder must be that name: a request in flight is counted for its holder, and ends with it.
    """

    def __init__(self, call: Call) -> None:
        """*call*: sends a method and a body, and gives the answer."""
        self._call = call

    async def exchange(self, holder: str, claims: list[Claim]) -> list[Grant]:  # noqa: ARG002 (the port's signature)
        """See the port."""
        return _grants.decode(await self._call("claims", msgspec.msgpack.encode(claims)))

    async def leave(self, holder: str) -> None:
        """The other notices by itself."""

    async def aclose(self) -> None:
        """The socket is not ours."""


def answer(counts: MemoryKeeper, clock: Clock, holder: str, body: bytes) -> bytes:
    """Answer what a `FarKeeper` has sent."""
    return msgspec.msgpack.encode(counts.answer(holder, _claims.decode(body), clock.now_ms()))
