"""Pooled connections to every target; the only HTTP client on the request path."""

import asyncio
import ssl
from collections.abc import Sequence
from functools import partial

from primeur.core.chat import Endpoint
from primeur.core.egress import Egress, Reach
from primeur.core.errors import TargetBusy, TargetFailed, TargetStale, TargetTimedOut
from primeur.core.ports import Line, Sink
from primeur.relay.connection import Connection
from primeur.relay.lane import Lane
from primeur.relay.opening import Opening
from primeur.relay.reach import open_socket
from primeur.relay.reply import PooledReply
from primeur.relay.request import request_bytes, request_head

_WAITING_LIMIT = 4096
_POSTS_LIMIT = 1024

_Place = tuple[str, str, int, Reach]
# What an operator declares may be on this machine, as when `primeur up` listens to nobody else.
_DEFAULT = Egress(own_machine=True)


class Pool:
    """Implements `primeur.core.ports.Relay`."""

    def __init__(self, tls: ssl.SSLContext | None = None, egress: Egress = _DEFAULT) -> None:
        """*tls*: how certificates are checked, the system's authorities by default; *egress*: what may be reached."""
        self._tls = tls
        self._egress = egress
        self._lanes: dict[_Place, Lane] = {}
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
            except TargetStale:
                reply.close()
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
            known = self._posts[id(endpoint), path] = (endpoint, Post(self, endpoint, self._lane(endpoint), head))
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

    def _lane(self, endpoint: Endpoint) -> Lane:
        place = (endpoint.scheme, endpoint.host, endpoint.port, endpoint.reach)
        lane = self._lanes.get(place)
        if lane is None:
            lane = self._lanes[place] = Lane()
        return lane

    async def _take(self, endpoint: Endpoint, lane: Lane) -> Connection:
        deadline = asyncio.get_running_loop().time() + endpoint.silence_timeout_s
        while True:
            found = lane.rested(asyncio.get_running_loop().time())
            if found is not None:
                return found
            if lane.open < endpoint.max_connections:
                lane.open += 1
                return await self.connect(endpoint, lane)
            await self._wait_turn(endpoint, lane, deadline)

    async def _wait_turn(self, endpoint: Endpoint, lane: Lane, deadline: float) -> None:
        where = endpoint.where
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

    async def connect(self, endpoint: Endpoint, lane: Lane) -> Connection:
        """Open a connection to the place of *lane*, which counts it as open already.

        Raises:
            TargetFailed, TargetTimedOut: nobody accepts it.
            EgressRefused: the place may not be reached.
        """
        loop = asyncio.get_running_loop()
        where = endpoint.where
        try:
            async with asyncio.timeout(endpoint.connect_timeout_s):
                secure = endpoint.scheme == "https"
                _, connection = await loop.create_connection(
                    lambda: Connection(where, endpoint.silence_timeout_s, lane.give_back, lane.lost),
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

    def _never_opened(self, lane: Lane) -> None:
        lane.open -= 1
        lane.let_next_go()

    def _context(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = ssl.create_default_context()
        return self._tls


class Post:
    """Implements `primeur.core.ports.Post`: a lane, and the beginning of a request's head."""

    __slots__ = ("_endpoint", "_head", "_lane", "_loop", "_pool")

    def __init__(self, pool: Pool, endpoint: Endpoint, lane: Lane, head: bytes) -> None:
        """*head* ends where the request's id goes."""
        self._pool, self._endpoint, self._lane, self._head = pool, endpoint, lane, head
        self._loop = asyncio.get_running_loop()

    def start(self, request_id: str, body: bytes, sink: Sink) -> Line | None:
        """See the port."""
        lane = self._lane
        connection = lane.rested(self._loop.time())
        if connection is None and (lane.waiting or lane.open >= self._endpoint.max_connections):
            return None
        request = b"%b%b\r\ncontent-length: %d\r\n\r\n%b" % (self._head, request_id.encode(), len(body), body)
        if connection is None:
            lane.open += 1
            return Opening(partial(self._pool.connect, self._endpoint, lane), request, sink)
        connection.start(request, sink)
        return connection
