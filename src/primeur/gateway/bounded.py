"""HTTP as uvicorn parses it, with bounds: heads and requests end, in size and in time, and faults are told as JSON."""

import asyncio
import math
from http import HTTPStatus
from typing import Any, ClassVar

import httptools
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from primeur.core.errors import BadRequest, NotReady, PrimeurError, TooLarge
from primeur.core.heads import header_lines
from primeur.gateway.deadlines import Watch
from primeur.gateway.problems import problem

HEAD_LIMIT = 64 << 10
HEADERS_LIMIT = 128
REQUESTS_LIMIT = 10_000
HEAD_TIMEOUT_S, BODY_TIMEOUT_S, REST_TIMEOUT_S, UNREAD_TIMEOUT_S = 60.0, 60.0, 75.0, 60.0
_LINGER_S = 2.0
# Whoever stops is followed by another process, or another stands behind the same load balancer.
_AGAIN_MS = 1000
_STATUS = {BadRequest: 400, TooLarge: 431, NotReady: 503}
_MALFORMED = "this is not HTTP/1.1 as RFC 9112 has it; check the request line, the headers and the content-length"


class _Refused(Exception):
    """Stops the parser; the caller has been told."""


class BoundedProtocol(HttpToolsProtocol):
    """One connection; what is malformed, too large or too slow does not keep it.

    Attributes:
        due_s: the loop's time at which it is closed or refused if nothing comes; infinite while we answer.
    """

    watch: ClassVar[Watch] = Watch()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """As uvicorn's, with every leniency of the parser off."""
        super().__init__(*args, **kwargs)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=False)
        self.due_s = math.inf
        self._in_head = True
        self._shut = self._draining = False
        self._head_size = self._rest_size = 0
        self._answered = 0

    @property
    def is_answering(self) -> bool:
        """Whether a request is under way."""
        return self.cycle is not None and not self.cycle.response_complete

    def finish(self) -> None:
        """Let what is under way be the last on this connection."""
        if self.cycle is not None:
            self.cycle.keep_alive = False

    # --- in -------------------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Somebody is there, and must say something soon."""
        super().connection_made(transport)
        self.due_s = self.loop.time() + HEAD_TIMEOUT_S
        self.watch.begin(self.loop, self.connections)

    def data_received(self, data: bytes) -> None:
        """Parse; what belongs to an unfinished head is counted, because the parser keeps all of it."""
        if self._shut:
            return
        began_before = self._in_head
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            # Nothing to upgrade to is offered; the request itself is answered.
            return
        except httptools.HttpParserError:
            # What the bounds refused has been told; everything else is a fault of HTTP.
            self.refuse(BadRequest(_MALFORMED, code="invalid_http"), HTTPStatus.BAD_REQUEST)
            return
        if self._in_head and began_before:
            # A piece in which a head began may be the end of a body for its greatest part.
            self._rest_size += len(data)
            if self._rest_size > HEAD_LIMIT:
                self._refuse_head()

    def on_message_begin(self) -> None:
        """A head begins; what uvicorn needs of it is made when the long way is taken."""
        self.url = b""
        self.headers = []
        self.expect_100_continue = False
        self._in_head = True
        self._head_size = self._rest_size = 0
        if not self.is_answering:
            self.due_s = self.loop.time() + HEAD_TIMEOUT_S

    def on_url(self, url: bytes) -> None:
        """Count."""
        self._count(len(url))
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Count."""
        self._count(len(name) + len(value))
        name = name.lower()
        if name == b"expect" and value.lower() == b"100-continue":
            self.expect_100_continue = True
        self.headers.append((name, value))

    def end_head(self, said: dict[bytes, bytes]) -> None:
        """To be called when a head is whole.

        Args:
            said: its headers.
        """
        self._in_head = False
        fault = self._fault_of_head(said)
        if fault is not None:
            self.refuse(fault, HTTPStatus(_STATUS[type(fault)]))
            raise _Refused

    def _fault_of_head(self, said: dict[bytes, bytes]) -> PrimeurError | None:
        count = len(self.headers)
        if count > HEADERS_LIMIT:
            return _too_large()
        hosts = int(b"host" in said) if len(said) == count else sum(name == b"host" for name, _ in self.headers)
        if hosts > 1 or (not hosts and self.parser.get_http_version() == "1.1"):
            return BadRequest("a request names its Host, once", code="invalid_http")
        if said.get(b"transfer-encoding", b"chunked").lower() != b"chunked":
            # The parser would say so too, but only when the request is on its way.
            return BadRequest("the only transfer-encoding of a request is chunked", code="invalid_http")
        words = "the service is stopping; ask again in a moment"
        return NotReady(words, retry_after_ms=_AGAIN_MS) if self._draining else None

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self.end_head(dict(self.headers))
        self.go_long_way(keep_alive=self.parser.should_keep_alive())

    def go_long_way(self, *, keep_alive: bool) -> None:
        """Let uvicorn run the application for the request whose head is known."""
        url, headers, expects = self.url, self.headers, self.expect_100_continue
        HttpToolsProtocol.on_message_begin(self)
        self.url, self.expect_100_continue = url, expects
        self.headers.extend(headers)
        self.due_s = math.inf
        HttpToolsProtocol.on_headers_complete(self)
        self.cycle.keep_alive = keep_alive and self.may_stay

    @property
    def may_stay(self) -> bool:
        """Whether another request may follow on this connection."""
        return self._answered < REQUESTS_LIMIT and not self._draining and not self._shut

    def on_response_complete(self) -> None:
        """On to the next request, or rest; uvicorn would make a timer here."""
        self.server_state.total_requests += 1
        self._answered += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            cycle, app = self.pipeline.pop()
            self._start_asgi_task(cycle, app)
        else:
            self.due_s = self.loop.time() + REST_TIMEOUT_S

    def pause_writing(self) -> None:
        """The caller reads slowly; whoever reads nothing for a minute is cut off."""
        super().pause_writing()
        self.due_s = self.loop.time() + UNREAD_TIMEOUT_S

    def resume_writing(self) -> None:
        """The caller reads again."""
        super().resume_writing()
        self.due_s = math.inf if self.is_answering else self.loop.time() + REST_TIMEOUT_S

    # --- the end --------------------------------------------------------------------------------------------------

    def overdue(self) -> None:
        """Time is over: say so where a request was expected, and close."""
        if self._shut or self.is_answering:
            self.transport.abort()
        elif self._in_head:
            words = f"no request came within {HEAD_TIMEOUT_S:g} s"
            self.refuse(BadRequest(words, code="timeout"), HTTPStatus.REQUEST_TIMEOUT)
        else:
            self.transport.close()

    def shutdown(self) -> None:
        """The service stops: finish what is under way, then close; what comes now is refused."""
        self._draining = True
        if self.is_answering:
            self.finish()
        elif not (self._in_head and self._rest_size):
            self.transport.close()

    def cut(self) -> None:
        """The time to finish is over too."""
        self.transport.abort()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 (uvicorn's words are for people who know it)
        """As uvicorn's, in JSON."""
        self.refuse(BadRequest(_MALFORMED, code="invalid_http"), HTTPStatus.BAD_REQUEST)

    def refuse(self, error: PrimeurError, status: HTTPStatus) -> None:
        """Answer instead of the application and hear no more; while an answer is under way, let it be the last."""
        if self._shut or self.transport.is_closing():
            return
        self._shut = True
        if self.is_answering and not self._still_reads():
            self.finish()
            return
        answer = problem(error, "openai")
        head = b"content-type: application/json\r\ncontent-length: %d\r\nconnection: close\r\n\r\n" % len(answer.body)
        self.transport.write(STATUS_LINE[status] + header_lines(answer.headers) + head + answer.body)
        # Closing while the caller still sends would reset the connection, and the answer would be lost with it.
        self.transport.write_eof()
        self.due_s = self.loop.time() + _LINGER_S

    def _still_reads(self) -> bool:
        """Whether the fault is in the body of the request under way; its application is told that nobody is there."""
        cycle = self.cycle
        if self.pipeline or cycle is None or cycle.response_started or not cycle.more_body:
            return False
        cycle.disconnected = True
        cycle.message_event.set()
        return True

    def _count(self, size: int) -> None:
        self._head_size += size
        if self._head_size > HEAD_LIMIT:
            self._refuse_head()
            raise _Refused

    def _refuse_head(self) -> None:
        self.refuse(_too_large(), HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)


def _too_large() -> TooLarge:
    return TooLarge(f"URL and headers are larger than {HEAD_LIMIT >> 10} KiB together, or more than {HEADERS_LIMIT}")
