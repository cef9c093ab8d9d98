"""Events of a stream that differ in one text alone: one has been looked at, the next are known by their frame; pure.

Most events of a stream are the one before with another piece of the answer. Such a packet goes on as it came, chunk and
all, and counts as one piece.
"""

from primeur.metering.counting import CARRIES

_NAMED = (b'"usage":', b'"error":', b"[DONE]", b'"finish_reason":"', b'"finish_reason": "')
_SIZE_MOST = 10
_BACKSLASH = 0x5C


class EventFrame:
    """What comes before and after the text."""

    __slots__ = ("_after", "_after_size", "_before", "_before_size")

    def __init__(self, before: bytes, after: bytes) -> None:
        """*before* ends with the quote that opens the text, *after* begins with the one that closes it."""
        self._before, self._before_size = before, len(before)
        self._after = after + b"\r\n"
        self._after_size = len(self._after)

    def holds(self, packet: bytes) -> bool:
        """Whether *packet* is one whole chunk with one event in this frame, and nothing else."""
        start = packet.find(b"\r\n", 0, _SIZE_MOST) + 2
        begin, end = start + self._before_size, len(packet) - self._after_size
        return (
            begin < end
            and packet.startswith(self._before, start)
            and packet.endswith(self._after)
            # The text ends where its frame goes on: it has no quote, and its last sign does not hide the closing one.
            and packet.find(b'"', begin) == end
            and packet[end - 1] != _BACKSLASH
            and packet.find(b"\n", begin, end) < 0
            and packet.find(b"\r", begin, end) < 0
            and packet.startswith(b"%x\r\n" % (len(packet) - start - 2))
        )


def frame_of(block: bytes) -> EventFrame | None:
    """Give the frame of *block*, which has been looked at and passed on; None when it is no single plain event."""
    if not block.startswith(b"data: {") or not block.endswith(b"}\n\n") or block.count(b"\n") != 2:
        return None
    if b"\r" in block or any(name in block for name in _NAMED):
        return None
    texts = list(CARRIES.finditer(block))
    if len(texts) != 1:
        return None
    begin = texts[0].end() - 1
    end = block.find(b'"', begin)
    if end < 0 or block[end - 1] == _BACKSLASH:
        return None
    return EventFrame(block[:begin], block[end:])
