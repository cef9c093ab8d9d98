"""An answer to wait for: collects what a connection tells and gives it to whoever iterates."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Mapping

from primeur.core.errors import TargetFailed
from primeur.relay.connection import Connection

_HIGH_WATER = 256 * 1024


class PooledReply:
    """Implements `primeur.core.ports.Reply`, and the sink of its connection."""

    def __init__(self, connection: Connection) -> None:
        """Stands for the exchange that *connection* is about to carry."""
        self._connection: Connection | None = connection
        self._where = connection.where
        self._pieces: deque[bytes] = deque()
        self._buffered = 0
        self._ended = False
        self._fault: TargetFailed | None = None
        self._waiter: asyncio.Future[None] | None = None
        self.status = 0
        self.headers: Mapping[bytes, bytes] = {}

    async def head(self) -> None:
        """Wait until `status` and `headers` are known.

        Raises:
            TargetFailed, TargetTimedOut: there is no answer.
        """
        while not self.status:
            await self._more()

    async def begin(self) -> None:
        """See the port."""
        while not self._pieces and not self._ended:
            await self._more()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """See the port."""
        while True:
            await self.begin()
            if not self._pieces:
                break
            piece = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
            self._pieces.clear()
            self._buffered = 0
            if self._connection is not None:
                self._connection.resume()
            yield piece

    async def read(self, limit: int) -> bytes:
        """See the port."""
        pieces, size = [], 0
        async for piece in self:
            pieces.append(piece)
            size += len(piece)
            if size > limit:
                self.close()
                raise TargetFailed(f"{self._where} sent more than {limit} bytes")
        return b"".join(pieces)

    def close(self) -> None:
        """See the port."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    async def _more(self) -> None:
        if self._fault is not None:
            raise self._fault
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    # --- the sink -------------------------------------------------------------------------------------------------

    def on_head(self, status: int, headers: dict[bytes, bytes]) -> None:
        """See `Sink`."""
        self.status, self.headers = status, headers
        self._wake()

    def on_piece(self, piece: bytes) -> None:
        """See `Sink`."""
        self._pieces.append(piece)
        self._buffered += len(piece)
        if self._buffered > _HIGH_WATER and self._connection is not None:
            self._connection.pause()
        self._wake()

    def on_packet(self, packet: bytes) -> bool:  # noqa: ARG002 (the port's signature)
        """See `Sink`."""
        return False

    def on_end(self) -> None:
        """See `Sink`."""
        # The connection is free again, for others.
        self._connection = None
        self._ended = True
        self._wake()

    def on_whole(self, status: int, headers: dict[bytes, bytes], body: bytes) -> None:
        """See `Sink`."""
        self.status, self.headers = status, headers
        if body:
            self._pieces.append(body)
        self.on_end()

    def on_fault(self, fault: TargetFailed) -> None:
        """See `Sink`."""
        self._connection = None
        self._fault = fault
        self._wake()
