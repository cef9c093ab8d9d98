"""The connection to whoever asked, as an exchange on the short way sees it."""

from typing import Protocol

from primeur.core.errors import PrimeurError


class Client(Protocol):
    """The connection to whoever asked."""

    @property
    def is_gone(self) -> bool:
        """Whether nobody is there any more to be told anything."""
        ...

    def send_whole(self, lines: bytes, body: bytes) -> None:
        """Send a whole answer with status 200; *lines* are header lines."""
        ...

    def send_refusal(self, error: PrimeurError) -> None:
        """Tell an error that is the caller's own."""
        ...

    def begin_stream(self, lines: bytes) -> None:
        """Send the head of a stream."""
        ...

    def send_piece(self, piece: bytes) -> None:
        """Send a part of a stream.

        Raises:
            TargetFailed: it cannot be said in the caller's dialect.
        """
        ...

    def send_packet(self, packet: bytes) -> None:
        """Send a part of a stream that is a whole chunk already; raises as `send_piece`."""
        ...

    def end_stream(self, last: bytes) -> None:
        """Send the last part of a stream, and its end."""
        ...

    def take_long_way(self) -> None:
        """Answer by the ordinary application; nothing has been sent."""
        ...

    def drop(self) -> None:
        """Cut the connection: the answer cannot be finished."""
        ...
