"""Pooled connections to every target; the only HTTP client on the request path."""

import asyncio
import ssl
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from primeur.core.chat import Endpoint
from primeur.core.egress import Egress, Reach
from primeur.core.errors import TargetBusy, TargetFailed, TargetTimedOut
from primeur.core.ports import Line, Sink
from primeur.relay.connection import Connection
from primeur.relay.reach import open_socket
from primeur.relay.reply import PooledReply
from primeur.relay.request import request_bytes, request_head

_IDLE_LIMIT_S = 30.0
_WAITING_LIMIT = 4096
_POSTS_LIMIT = 1024

_Place = tuple[str, str, int, Reach]
# What an operator declares may be on this machine, as when `primeur up` listens to nobody else.
_DEFAULT = Egress(own_machine=True)


@dataclass(slots=True)
class _Lane:
    """Connections to one place: those at rest, how many are open, and who waits for one."""

    idle: deque[Connection] = field(default_factory=deque)
    open: int = 0
    waiting: deque[asyncio.Future[None]] = field(default_factory=deque)
    sweeping: asyncio.TimerHandle | None = None

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
        if not connection.reusable:
            connection.close()
            return
        connection.rest()
        self.idle.append(connection)
        if self.sweeping is None:
            self.sweeping = asyncio.get_running_loop().call_later(_IDLE_LIMIT_S, self.sweep)
        if self.waiting:
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


class Pool:
    """Implements `primeur.core.ports.Relay`."""

    def __init__(self, tls: ssl.SSLContext | None = None, egress: Egress = _DEFAULT) -> None:
        """*tls*: how certificates are checked, the system's authorities by default; *egress*: what may be reached."""
        self._tls = tls
        self._egress = egress
        self._lanes: dict[_Place, _Lane] = {}
        self._posts: dict[tuple[int, str], tuple[Endpoint, Post]] = {}

    async def send(
        self,
        endpoint: Endpoint,
        method: str,
        path: str,
        body: bytes = b"",
        headers: Sequence[tuple[bytes, bytes]] = (),
    ) -> PooledReply:
        """See the port. A connection that turns out to be stale before any byte came back is replaced once."""
        return await self.send_request(endpoint, request_bytes(endpoint, method, path, body, headers))

    async def send_request(self, endpoint: Endpoint, request: bytes) -> PooledReply:
        """As `send`, with a whole request that is written already."""
        lane = self._lane(endpoint)
        while True:
            connection = await self._take(endpoint, lane)
            reply = PooledReply(connection)
            try:
                connection.start(request, reply)
                await reply.head()
            except TargetTimedOut:
                reply.close()
                raise
            except TargetFailed:
                reply.close()
                if connection.fresh or connection.answered:
                    raise
            except BaseException:
                reply.close()
                raise
            else:
                return reply

    def post(self, endpoint: Endpoint, path: str) -> "Post":
        """See the port."""
        # An endpoint is found by its identity: it is kept here, so nothing else can have the same.
        known = self._posts.get((id(endpoint), path))
        if known is None:
            if len(self._posts) >= _POSTS_LIMIT:
                self._posts.clear()
            head = request_head(endpoint, "POST", path) + b"content-type: application/json\r\nx-request-id: "
            known = self._posts[id(endpoint), path] = (endpoint, Post(self._lane(endpoint), head))
        return known[1]

    def busy(self, endpoint: Endpoint) -> int:
        """See the port."""
        lane = self._lanes.get((endpoint.scheme, endpoint.host, endpoint.port, endpoint.reach))
        return 0 if lane is None else lane.open - len(lane.idle) + len(lane.waiting)

    async def aclose(self) -> None:
        """Close every connection."""
        for lane in self._lanes.values():
            if lane.sweeping is not None:
                lane.sweeping.cancel()
            while lane.idle:
                lane.idle.pop().close()
        self._lanes.clear()
        self._posts.clear()

    def _lane(self, endpoint: Endpoint) -> _Lane:
        place = (endpoint.scheme, endpoint.host, endpoint.port, endpoint.reach)
        lane = self._lanes.get(place)
        if lane is None:
            lane = self._lanes[place] = _Lane()
        return lane

    async def _take(self, endpoint: Endpoint, lane: _Lane) -> Connection:
        deadline = asyncio.get_running_loop().time() + endpoint.silence_timeout_s
        while True:
            found = lane.rested(asyncio.get_running_loop().time())
            if found is not None:
                return found
            if lane.open < endpoint.max_connections:
                return await self._connect(endpoint, lane)
            await self._wait_turn(endpoint, lane, deadline)

    async def _wait_turn(self, endpoint: Endpoint, lane: _Lane, deadline: float) -> None:
        where = f"{endpoint.host}:{endpoint.port}"
        if len(lane.waiting) >= _WAITING_LIMIT:
            raise TargetBusy(f"{where} has {_WAITING_LIMIT} requests waiting for a connection", retry_after_ms=1000)
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        lane.waiting.append(turn)
        try:
            async with asyncio.timeout_at(deadline):
                await turn
        except TimeoutError:
            raise TargetTimedOut(f"no connection to {where} came free in {endpoint.silence_timeout_s:g} s") from None
        finally:
            if turn in lane.waiting:
                lane.waiting.remove(turn)

    async def _connect(self, endpoint: Endpoint, lane: _Lane) -> Connection:
        loop = asyncio.get_running_loop()
        where = f"{endpoint.host}:{endpoint.port}"

        def lost(connection: Connection) -> None:
            lane.open -= 1
            if connection in lane.idle:
                lane.idle.remove(connection)
            lane.let_next_go()

        lane.open += 1
        try:
            async with asyncio.timeout(endpoint.connect_timeout_s):
                secure = endpoint.scheme == "https"
                _, connection = await loop.create_connection(
                    lambda: Connection(where, endpoint.silence_timeout_s, lane.give_back, lost),
                    sock=await open_socket(endpoint, self._egress),
                    ssl=self._context() if secure else None,
                    server_hostname=endpoint.host if secure else None,
                )
        except TimeoutError:
            self._never_opened(lane)
            raise TargetTimedOut(f"{where} did not accept a connection in {endpoint.connect_timeout_s:g} s") from None
        except (OSError, ssl.SSLError, UnicodeError) as error:
            self._never_opened(lane)
            raise TargetFailed(f"{where} cannot be reached: {getattr(error, 'strerror', None) or error}") from error
        except BaseException:
            self._never_opened(lane)
            raise
        return connection

    def _never_opened(self, lane: _Lane) -> None:
        lane.open -= 1
        lane.let_next_go()

    def _context(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = ssl.create_default_context()
        return self._tls


class Post:
    """Implements `primeur.core.ports.Post`: a lane, and the beginning of a request's head."""

    __slots__ = ("_head", "_lane", "_loop")

    def __init__(self, lane: _Lane, head: bytes) -> None:
        """*head* ends where the request's id goes."""
        self._lane, self._head = lane, head
        self._loop = asyncio.get_running_loop()

    def start(self, request_id: str, body: bytes, sink: Sink) -> Line | None:
        """See the port."""
        connection = self._lane.rested(self._loop.time())
        if connection is None:
            return None
        request = b"%b%b\r\ncontent-length: %d\r\n\r\n%b" % (self._head, request_id.encode(), len(body), body)
        connection.start(request, sink)
        return connection
