"""Server-sent events as bytes: whole events out of arbitrary pieces.

Source: HTML Living Standard, section 9.2 "Server-sent events".
"""

from primeur.core.errors import TargetFailed

EVENT_LIMIT = 4 << 20
DONE = b"data: [DONE]\n\n"


class EventSplitter:
    """Cuts a byte stream after whole events; what is incomplete waits for its rest."""

    def __init__(self) -> None:
        """Start at the beginning of a stream."""
        self._rest = b""

    def feed(self, piece: bytes) -> bytes:
        """Give all whole events so far as one block, line ends made single line feeds.

        Raises:
            TargetFailed: one event is longer than 4 MiB.
        """
        data = self._rest + piece if self._rest else piece
        if b"\r" in data:
            held = data[-1:] if data.endswith(b"\r") else b""
            data = data[: len(data) - len(held)].replace(b"\r\n", b"\n").replace(b"\r", b"\n") + held
        cut = data.rfind(b"\n\n")
        if cut < 0:
            if len(data) > EVENT_LIMIT:
                raise TargetFailed(f"the target sent an event of more than {EVENT_LIMIT} bytes")
            self._rest = data
            return b""
        self._rest = data[cut + 2 :]
        return data[: cut + 2]

    @property
    def rest(self) -> bytes:
        """What came after the last whole event."""
        return self._rest


def split_events(block: bytes) -> list[bytes]:
    """Cut a block of whole events into single ones, each with its blank line."""
    return [event + b"\n\n" for event in block.split(b"\n\n") if event.strip(b"\n")]


def event_data(event: bytes) -> bytes:
    """Give an event's data; empty for comments and keep-alives."""
    if event.startswith(b"data: ") and event.count(b"\n") == 2:
        return event[6:-2]
    lines = (line[5:].removeprefix(b" ") for line in event.split(b"\n") if line.startswith(b"data:"))
    return b"\n".join(lines)
