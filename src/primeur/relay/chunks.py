"""Chunked bodies: the bytes of the chunks out of arbitrary pieces.

Source: RFC 9112, section 7.1 "Chunked Transfer Coding".
"""

import re

from primeur.core.errors import TargetFailed

_LINE_LIMIT = 4096
_TRAILER_LIMIT = 64 * 1024
_SIZE = re.compile(rb"([0-9A-Fa-f]{1,12})(?:[ \t]*;[^\r\n\x00]*)?")


class ChunkReader:
    """Reads one chunked body.

    Attributes:
        ended: the last chunk and its trailer have been read.
        surplus: what came after the end.
    """

    __slots__ = ("_in_trailer", "_left", "_rest", "_trailer_size", "ended", "surplus")

    def __init__(self) -> None:
        """Start before the first chunk."""
        self._rest = b""
        self._left = 0
        self._in_trailer = False
        self._trailer_size = 0
        self.ended = False
        self.surplus = b""

    @property
    def between(self) -> bool:
        """Whether the next byte begins a chunk."""
        return not self._left and not self._rest and not self._in_trailer

    def feed(self, data: bytes) -> bytes:
        """Give the bytes of the chunks in *data*.

        Raises:
            TargetFailed: it is not chunked as the RFC has it.
        """
        if self._rest:
            data, self._rest = self._rest + data, b""
        elif not self._left and not self._in_trailer:
            # The commonest packet is one whole chunk.
            end = data.find(b"\r\n", 0, _LINE_LIMIT)
            said = _SIZE.fullmatch(data, 0, end) if end > 0 else None
            if said is not None and int(said[1], 16) == len(data) - end - 4 > 0 and data.endswith(b"\r\n"):
                return data[end + 2 : -2]
        pieces: list[bytes] = []
        at, size = 0, len(data)
        while at < size and not self.ended:
            # What is left of a chunk counts its line end too.
            left = self._left
            if left > size - at:
                at = self._part(data, at, pieces)
                break
            if left:
                at += left
                if data[at - 2 : at] != b"\r\n":
                    raise TargetFailed("the target sent a chunk that is longer than it said")
                pieces.append(data[at - left : at - 2])
                self._left = 0
                continue
            end = data.find(b"\r\n", at, at + _LINE_LIMIT)
            if end < 0:
                self._keep(data[at:])
                break
            self._line(data[at:end])
            at = end + 2
        if self.ended:
            self.surplus = data[at:]
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _part(self, data: bytes, at: int, pieces: list[bytes]) -> int:
        """Take the part of a chunk that is there; its line end is looked at when it is whole."""
        take = min(len(data) - at, self._left - 2)
        if take > 0:
            pieces.append(data[at : at + take])
            self._left -= take
        self._rest = data[at + max(0, take) :]
        return len(data)

    def _keep(self, rest: bytes) -> None:
        if len(rest) >= _LINE_LIMIT:
            raise TargetFailed("the target sent the size of a chunk without an end")
        self._rest = rest

    def _line(self, line: bytes) -> None:
        if self._in_trailer:
            self._trailer_size += len(line)
            if self._trailer_size > _TRAILER_LIMIT:
                raise TargetFailed(f"the target sent a trailer of more than {_TRAILER_LIMIT} bytes")
            self.ended = not line
            return
        said = _SIZE.fullmatch(line)
        if said is None:
            raise TargetFailed("the target sent a chunk whose size is no number")
        length = int(said[1], 16)
        self._in_trailer = not length
        self._left = length + 2 if length else 0
