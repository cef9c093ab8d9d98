"""The way in: find the door, let the caller in, read the body, answer, and notice a hang-up."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qsl, unquote

from primeur.core.caller import Caller
from primeur.core.errors import BadRequest, NotFound, PrimeurError, TooLarge, WrongMethod
from primeur.core.ids import make_id
from primeur.core.statuses import status_of
from primeur.gateway.client import client_address, forwarded
from primeur.gateway.doors import Door
from primeur.gateway.entry import check_scope, let_in, note_caller
from primeur.gateway.measure import measure
from primeur.gateway.problems import problem
from primeur.gateway.table import Found, Table
from primeur.gateway.visit import Answer, Face, Visit
from primeur.governance.rules import check
from primeur.store.origin import ORIGIN, Origin
from primeur.walks.house import House
from primeur.walks.log_refusal import Arrival, log_refusal
from primeur.walks.note_refusal import note_refusal

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_log = logging.getLogger("primeur.gateway")
_FACES: dict[str, Face] = {"openai": "azure", "scim": "scim"}
_NOBODY = Caller("", "", "", "nobody", frozenset())
_BODY_TIMEOUT_S = 60.0


class Gateway:
    """An ASGI application: doors first, everything else goes to the console."""

    def __init__(self, house: House, console: App | None = None, table: Table | None = None) -> None:
        """*console*: answers what no door does."""
        self._house = house
        self._console = console
        self._table = table or Table()
        self._prefixes = tuple({door.path.split("/")[1] for door in self._table.doors})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        if scope["type"] != "http":
            return
        path = scope["path"]
        if self._console is not None and path.split("/", 2)[1] not in {*self._prefixes, "openai"}:
            ORIGIN.set(Origin(_address(self._house, scope)))
            await self._console(scope, receive, send)
            return
        await _Exchange(self._house, self._table, scope, receive, send).run()


class _Exchange:
    """One request on its way through the gateway."""

    def __init__(self, house: House, table: Table, scope: Scope, receive: Receive, send: Send) -> None:
        self.house, self.table, self.scope, self.receive, self.send = house, table, scope, receive, send
        self.arrived_ms = house.clock.now_ms()
        self.arrived_us = house.clock.monotonic_us()
        self.id = make_id("request", self.arrived_ms, house.entropy)
        self.headers = dict(scope["headers"])
        self.caller = _NOBODY
        self.address = _address(house, scope)
        self.door: Door | None = None
        self.face: Face = _FACES.get(scope["path"][1:].partition("/")[0], "openai")
        self.hung_up = False
        self.started = False

    async def run(self) -> None:
        """Answer, whatever happens."""
        status = 500
        try:
            answer = await self._answer()
            status = answer.status
            await self._reply(answer)
        except PrimeurError as error:
            status = status_of(error)
            await self._refuse(error, status)
        except asyncio.CancelledError:
            status = 499
            if not self.hung_up:
                raise
        except Exception:  # noqa: BLE001 (the last line of defence: nobody sees a traceback, everybody gets an answer)
            _log.exception("request %s failed inside Primeur", self.id)
            await self._refuse(PrimeurError(f"something broke inside Primeur; its log has {self.id}"), status)
        finally:
            measure(self.door, status, self.house.clock.monotonic_us() - self.arrived_us)

    async def _answer(self) -> Answer:
        query = dict(parse_qsl(self.scope["query_string"].decode("latin-1"), keep_blank_values=True))
        found = self.table.find(self.scope["method"], self.scope["path"], query)
        self.face = found.face
        self.door = found.door
        if found.door is None:
            raise _no_door(self.scope, found)
        if found.door.permission is not None:
            self.caller = await let_in(self.house, self.headers, now_ms=self.arrived_ms)
            ORIGIN.set(Origin(self.address, self.id, self.caller.organisation_id))
            check(self.caller, found.door.permission, None, self.arrived_ms)
            check_scope(self.caller, found.door.path, self.address)
            note_caller(self.house, self.caller, self.arrived_ms)
        visit = Visit(
            house=self.house,
            caller=self.caller,
            id=self.id,
            method=self.scope["method"],
            path=self.scope["path"],
            params={name: unquote(value) for name, value in found.params.items()},
            query=query,
            headers=self.headers,
            body=b"" if found.door.streams_body else await self._body(found.door.body_limit),
            stream=self._pieces(found.door.body_limit),
            address=self.address,
            face=self.face,
            arrived_ms=self.arrived_ms,
            arrived_us=self.arrived_us,
        )
        if found.door.streams_body:
            return await found.door.handler(visit)
        with self._watching():
            return await found.door.handler(visit)

    # --- the body -------------------------------------------------------------------------------------------------

    async def _body(self, limit: int) -> bytes:
        pieces = [piece async for piece in self._pieces(limit)]
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    async def _pieces(self, limit: int) -> AsyncIterator[bytes]:
        if int(self.headers.get(b"content-length", b"0")) > limit:
            raise TooLarge(f"the body is larger than {limit >> 20} MiB, the most this route takes")
        size = 0
        while True:
            try:
                async with asyncio.timeout(_BODY_TIMEOUT_S):
                    message = await self.receive()
            except TimeoutError:
                raise BadRequest(f"no more of the body came for {_BODY_TIMEOUT_S:g} s", code="timeout") from None
            if message["type"] == "http.disconnect":
                raise BadRequest("the connection closed before the body was complete", code="disconnected")
            size += len(message.get("body", b""))
            if size > limit:
                raise TooLarge(f"the body is larger than {limit >> 20} MiB, the most this route takes")
            if message.get("body"):
                yield message["body"]
            if not message.get("more_body"):
                return

    # --- the answer -----------------------------------------------------------------------------------------------

    async def _reply(self, answer: Answer) -> None:
        if answer.stream is None:
            await self._start(answer, len(answer.body))
            await self.send({"type": "http.response.body", "body": answer.body})
            return
        with self._watching():
            try:
                # The first piece is fetched before the head is sent: a fault up to there still has its own status.
                first = await anext(answer.stream, b"")
                await self._start(answer, None)
                await self.send({"type": "http.response.body", "body": first, "more_body": True})
                async for piece in answer.stream:
                    await self.send({"type": "http.response.body", "body": piece, "more_body": True})
                await self.send({"type": "http.response.body", "body": b""})
            finally:
                await _close(answer.stream)

    async def _start(self, answer: Answer, length: int | None) -> None:
        self.started = True
        headers = [
            (b"content-type", answer.content_type),
            (b"x-request-id", self.id.encode()),
            *answer.headers,
        ]
        if length is None:
            headers += [(b"cache-control", b"no-cache"), (b"x-accel-buffering", b"no")]
        else:
            headers.append((b"content-length", str(length).encode()))
        if self.face == "azure":
            headers.append((b"apim-request-id", self.id.encode()))
        if self.face == "anthropic":
            headers.append((b"request-id", self.id.encode()))
        await self.send({"type": "http.response.start", "status": answer.status, "headers": headers})

    async def _refuse(self, error: PrimeurError, status: int) -> None:
        if self.door is not None and self.door.meter == "usage" and self.caller is not _NOBODY:
            arrival = Arrival(self.id, self.door.path, self.arrived_ms, self.arrived_us, self.address)
            log_refusal(self.house, self.caller, arrival, error, status)
        if self.door is not None:
            caller = None if self.caller is _NOBODY else self.caller
            origin = Origin(self.address, self.id)
            note_refusal(self.house, caller, f"{self.door.method} {self.door.path}", origin, error)
        if not self.started:
            await self._reply(problem(error, self.face))

    # --- a hang-up ------------------------------------------------------------------------------------------------

    def _watching(self) -> "_Watch":
        return _Watch(self)


class _Watch:
    """Cancels the task that answers when the caller hangs up."""

    def __init__(self, exchange: _Exchange) -> None:
        self._exchange = exchange
        self._task: asyncio.Task[None] | None = None

    def __enter__(self) -> None:
        answering = asyncio.current_task()
        assert answering is not None  # noqa: S101
        self._task = asyncio.get_running_loop().create_task(self._wait(answering))

    def __exit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()

    async def _wait(self, answering: asyncio.Task[Any]) -> None:
        while (await self._exchange.receive())["type"] != "http.disconnect":
            pass
        self._exchange.hung_up = True
        answering.cancel()


def _address(house: House, scope: Scope) -> str:
    """Where a request comes from; the console's calls have the address of whoever looks at its pages."""
    peer = (scope.get("client") or ("",))[0]
    return ORIGIN.get().address or client_address(peer, forwarded(scope["headers"]), house.place.trusted_proxies)


def _no_door(scope: Scope, found: Found) -> PrimeurError:
    if found.others:
        words = f"{scope['path']} does not take {scope['method']}; it takes {', '.join(found.others)}"
        return WrongMethod(words, allowed=found.others)
    return NotFound(f"there is nothing at {scope['path']}; /api/docs lists what there is", code="unknown_url")


async def _close(stream: AsyncIterator[bytes]) -> None:
    close = getattr(stream, "aclose", None)
    if close is not None:
        with suppress(RuntimeError):
            await close()
