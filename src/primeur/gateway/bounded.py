"""HTTP as uvicorn parses it, with bounds: heads end, in size and in time, and faults of HTTP are told as JSON."""

import asyncio
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from primeur.core.errors import BadRequest, PrimeurError, TooLarge
from primeur.gateway.problems import problem

HEAD_LIMIT = 64 << 10
HEAD_TIMEOUT_S = 60.0
_MALFORMED = "this is not HTTP/1.1 as RFC 9112 has it; check the request line, the headers and the content-length"


class BoundedProtocol(HttpToolsProtocol):
    """One connection; a head that never ends or never comes does not keep it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """As uvicorn's."""
        super().__init__(*args, **kwargs)
        self._in_head = True
        self._head_began_now = False
        self._head_size = 0
        self._rest_size = 0
        self._head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Somebody is there, and must say something soon."""
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody is there any more."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse; what belongs to an unfinished head is counted, because the parser keeps all of it."""
        super().data_received(data)
        if not self._in_head or self.transport.is_closing():
            return
        if self._head_began_now:
            # This piece may be the end of a body for its greatest part.
            self._head_began_now = False
        else:
            self._rest_size += len(data)
        if self._rest_size > HEAD_LIMIT:
            self._refuse_head()
        elif self._head_timer is None:
            self._await_head()

    def on_message_begin(self) -> None:
        """A head begins."""
        self._in_head = self._head_began_now = True
        self._head_size = self._rest_size = 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """Count."""
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Count."""
        self._count(len(name) + len(value))
        super().on_header(name, value)

    def end_head(self) -> None:
        """To be called when a head is whole."""
        self._in_head = False
        self._stop_waiting()

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self.end_head()
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 (uvicorn's words are for people who know it)
        """Say in JSON what is wrong with the HTTP; called by uvicorn's parser."""
        if self._head_size > HEAD_LIMIT:
            self._refuse_head()
        else:
            self.refuse(BadRequest(_MALFORMED, code="invalid_http"), HTTPStatus.BAD_REQUEST)

    def refuse(self, error: PrimeurError, status: HTTPStatus) -> None:
        """Answer instead of the application, and close."""
        if self.transport.is_closing():
            return
        body = problem(error, "openai").body
        head = b"content-type: application/json\r\ncontent-length: %d\r\nconnection: close\r\n\r\n" % len(body)
        self.transport.write(STATUS_LINE[status] + head + body)
        self.transport.close()

    def _count(self, size: int) -> None:
        self._head_size += size
        if self._head_size > HEAD_LIMIT:
            # The parser turns this into its own error and calls `send_400_response`.
            raise TooLarge("the head is too large")

    def _refuse_head(self) -> None:
        words = f"URL and headers together are larger than {HEAD_LIMIT >> 10} KiB"
        self.refuse(TooLarge(words), HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    def _await_head(self) -> None:
        self._head_timer = self.loop.call_later(HEAD_TIMEOUT_S, self._head_timed_out)

    def _head_timed_out(self) -> None:
        self._head_timer = None
        words = f"no request came within {HEAD_TIMEOUT_S:g} s"
        self.refuse(BadRequest(words, code="timeout"), HTTPStatus.REQUEST_TIMEOUT)

    def _stop_waiting(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None
