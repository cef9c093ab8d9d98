"""Sockets of what leaves the house: requests to targets, errands to addresses of others, mail."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from primeur.core.chat import Endpoint
from primeur.core.errors import TargetFailed


class Reply(Protocol):
    """A target's answer; its body is read by iterating, once."""

    @property
    def status(self) -> int:
        """HTTP status."""
        ...

    @property
    def headers(self) -> Mapping[bytes, bytes]:
        """Lower-case names; the last of repeated ones."""
        ...

    async def begin(self) -> None:
        """Wait until the first piece of the body is there (or its end); the piece stays to be read.

        Raises:
            TargetFailed, TargetTimedOut: as in iterating.
        """
        ...

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Pieces of the body as they arrive.

        Raises:
            TargetFailed: the body ended early or broke HTTP.
            TargetTimedOut: silence for longer than the endpoint allows.
        """
        ...

    async def read(self, limit: int) -> bytes:
        """The whole body.

        Raises:
            TargetFailed: longer than *limit* bytes, or as in iterating.
        """
        ...

    def close(self) -> None:
        """Let go; a reply that was not read to its end has its connection cut, which cancels it upstream."""
        ...


class Sink(Protocol):
    """Whoever is told an answer piece by piece; called from the event loop, never again after end or fault.

    An answer is `on_whole`, or `on_head`, any number of `on_piece` and `on_end`; `on_fault` may come at any time. The
    line is gone at its end: whoever is told of it lets go of the line.
    """

    def on_whole(self, status: int, headers: dict[bytes, bytes], body: bytes) -> None:
        """A whole answer that came in one piece."""
        ...

    def on_head(self, status: int, headers: dict[bytes, bytes]) -> None:
        """The head is whole; header names in lower case."""
        ...

    def on_piece(self, piece: bytes) -> None:
        """A part of the body."""
        ...

    def on_packet(self, packet: bytes) -> bool:
        """Bytes of a chunked body that begin with a chunk; True: they were one whole chunk and have been dealt with."""
        ...

    def on_end(self) -> None:
        """The body is whole."""
        ...

    def on_fault(self, fault: TargetFailed) -> None:
        """The answer will not become whole."""
        ...


class Line(Protocol):
    """An exchange that is under way; not to be touched after its end."""

    def pause(self) -> None:
        """Read no more until `resume`; the target is held back by TCP."""
        ...

    def resume(self) -> None:
        """Go on reading."""
        ...

    def close(self) -> None:
        """Cut it off: the answer is cancelled upstream."""
        ...


class Post(Protocol):
    """Where one path of one endpoint is asked, worked out once."""

    def start(self, request_id: str, body: bytes, sink: Sink) -> Line | None:
        """Post over a connection that is at rest, or over one more; None when there are as many as there may be.

        The answer is told to *sink*, never before this has returned.

        Args:
            request_id: told as ``x-request-id``, which lets a target's log be joined with ours.
            body: JSON.
        """
        ...


class Relay(Protocol):
    """HTTP out, over pooled connections."""

    def post(self, endpoint: Endpoint, path: str) -> Post:
        """Work out how *path* is posted to; asked again, it gives the same."""
        ...

    async def send(
        self,
        endpoint: Endpoint,
        method: str,
        path: str,
        body: bytes = b"",
        headers: Sequence[tuple[bytes, bytes]] = (),
    ) -> Reply:
        """Send one request and wait for the head of its answer.

        Args:
            path: with the query, appended to the endpoint's prefix.

        Raises:
            TargetFailed: no connection, or not HTTP.
            TargetTimedOut: connecting or waiting took too long.
        """
        ...

    def busy(self, endpoint: Endpoint) -> int:
        """Tell how many requests of this process are under way there, or wait for a connection."""
        ...

    async def aclose(self) -> None:
        """Close every connection."""
        ...


@dataclass(frozen=True, slots=True)
class Fetched:
    """What an errand brought back; header names are in lower case."""

    status: int
    headers: Mapping[bytes, bytes]
    body: bytes


class Errands(Protocol):
    """HTTP to addresses that somebody else chose: webhooks, identity providers, papers to be fetched."""

    async def run(  # noqa: PLR0913 (one for each part of a request and its bounds)
        self,
        method: str,
        url: str,
        body: bytes = b"",
        headers: Sequence[tuple[bytes, bytes]] = (),
        *,
        timeout_s: float = 10.0,
        limit_bytes: int = 1 << 20,
        redirects: int = 0,
    ) -> Fetched:
        """Send one request and read the whole answer, whatever its status.

        Args:
            headers: sent to the first host; after a redirect to another one, credentials stay behind.
            timeout_s: for everything together, redirects included.
            limit_bytes: most bytes of the answer's body.
            redirects: how many are followed, each judged anew; a GET only.

        Raises:
            BadRequest: the URL is none.
            EgressRefused: it leads where nobody may go; says which line of the allow-list would let it through.
            TargetFailed, TargetTimedOut: no answer, too long an answer, too many redirects.
        """
        ...


class Mailer(Protocol):
    """Mail out."""

    async def send(self, recipient: str, subject: str, body: str) -> None:
        """Hand one mail over to a server.

        Raises:
            TargetFailed: the server is out of reach, or refuses.
        """
        ...
