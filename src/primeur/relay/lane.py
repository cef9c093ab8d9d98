"""The connections to one place: at rest, in use, and waited for."""

import asyncio
from collections import deque
from dataclasses import dataclass, field

from primeur.relay.connection import Connection

_IDLE_LIMIT_S = 30.0
# A connection that is closed so soon after a stream was closed because of it; believed for so long.
_SUDDEN_S, _SHY_S = 0.1, 60.0


@dataclass(slots=True)
class Lane:
    """Connections to one place.

    Attributes:
        idle: those at rest, the one that rested least last.
        open: how many there are.
        waiting: who waits for one.
        shy_until_s: until then, by the loop's time, a connection that carried a stream is not used again.
    """

    idle: deque[Connection] = field(default_factory=deque)
    open: int = 0
    waiting: deque[asyncio.Future[None]] = field(default_factory=deque)
    sweeping: asyncio.TimerHandle | None = None
    shy_until_s: float = 0.0

    def rested(self, now_s: float) -> Connection | None:
        """Give the connection that rested least, and cut those that rested or lived too long."""
        while self.idle:
            connection = self.idle.pop()
            if connection.is_open and now_s < connection.idle_since_s + _IDLE_LIMIT_S and now_s < connection.dies_s:
                return connection
            connection.close()
        return None

    def give_back(self, connection: Connection) -> None:
        """Let a connection rest, or cut it when it cannot be used again."""
        if not connection.reusable or (connection.streamed and connection.heard_s < self.shy_until_s):
            connection.close()
            return
        connection.rest()
        self.idle.append(connection)
        if self.sweeping is None:
            self.sweeping = asyncio.get_running_loop().call_later(_IDLE_LIMIT_S, self.sweep)
        if self.waiting:
            self.let_next_go()

    def lost(self, connection: Connection) -> None:
        """Forget a connection that is closed.

        Some servers (llama.cpp's) end a connection right after a stream without saying so. Whoever does is not asked
        over such a connection for a while, or requests would meet its end on their way.
        """
        self.open -= 1
        if connection in self.idle:
            self.idle.remove(connection)
        now_s = asyncio.get_running_loop().time()
        sudden = not connection.hung_up and not connection.fresh and now_s < connection.idle_since_s + _SUDDEN_S
        if sudden and connection.streamed:
            self.shy_until_s = now_s + _SHY_S
        self.let_next_go()

    def sweep(self) -> None:
        """Cut those that rested too long, though nobody asks for one; look again while any rest."""
        loop = asyncio.get_running_loop()
        due_s = loop.time() - _IDLE_LIMIT_S
        while self.idle and self.idle[0].idle_since_s <= due_s:
            self.idle.popleft().close()
        wait_s = self.idle[0].idle_since_s - due_s if self.idle else 0
        self.sweeping = loop.call_later(max(wait_s, 1), self.sweep) if self.idle else None

    def let_next_go(self) -> None:
        """Wake the first who waits."""
        while self.waiting:
            turn = self.waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
