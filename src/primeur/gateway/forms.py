"""Multipart forms read from a stream: the file goes to disk piece by piece, the fields stay small.

Source: RFC 7578.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header

from primeur.core.errors import BadRequest
from primeur.store.blobs import Draft, Sealed

FORM_OVERHEAD = 64 << 10
_FIELDS = 16
_FIELD_BYTES = 4096
_BUFFER_BYTES = 1 << 20


@dataclass(slots=True)
class Form:
    """A form with one file.

    Attributes:
        filename: as the client named it; empty when it gave none.
        sealed: the file's bytes, durable and without a name yet.
    """

    fields: dict[str, str]
    filename: str
    sealed: Sealed


@dataclass(slots=True)
class _Reader:
    """What the parser has seen; bytes of the file wait in *buffer* until they are written."""

    file_field: str
    fields: dict[str, bytearray] = field(default_factory=dict)
    buffer: bytearray = field(default_factory=bytearray)
    filename: str | None = None
    finished: bool = False
    _header: bytearray = field(default_factory=bytearray)
    _value: bytearray = field(default_factory=bytearray)
    _disposition: bytes = b""
    _sink: bytearray | None = None

    def parser(self, boundary: bytes) -> MultipartParser:
        """Give a parser that reports to this reader."""
        return MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_header_field": self._on_header,
                "on_header_value": self._on_value,
                "on_header_end": self._end_header,
                "on_headers_finished": self._open_sink,
                "on_part_data": self._on_data,
                "on_end": self._end,
            },
        )

    def _begin(self) -> None:
        self._disposition = b""

    def _on_header(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _on_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _end_header(self) -> None:
        if self._header.lower() == b"content-disposition":
            self._disposition = bytes(self._value)
        self._header.clear()
        self._value.clear()

    def _open_sink(self) -> None:
        _, options = parse_options_header(self._disposition)
        name = options.get(b"name", b"").decode(errors="replace")
        if name == self.file_field:
            if self.filename is not None:
                raise BadRequest(f"the form has {name!r} twice; send one", param=name)
            self.filename = options.get(b"filename", b"").decode(errors="replace")
            self._sink = self.buffer
            return
        if name in self.fields or len(self.fields) == _FIELDS:
            raise BadRequest(f"the form has {name!r} twice, or more than {_FIELDS} fields", param=name or None)
        self._sink = self.fields[name] = bytearray()

    def _on_data(self, data: bytes, start: int, end: int) -> None:
        assert self._sink is not None  # noqa: S101
        self._sink += data[start:end]
        if self._sink is not self.buffer and len(self._sink) > _FIELD_BYTES:
            raise BadRequest(f"a form field is longer than {_FIELD_BYTES} bytes; only {self.file_field!r} may be long")

    def _end(self) -> None:
        self.finished = True


async def read_form(content_type: bytes, stream: AsyncIterator[bytes], file_field: str, draft: Draft) -> Form:
    """Read a form whose field *file_field* is a file; its bytes go to *draft*.

    Raises:
        BadRequest: not a form, broken off, without the file, or with fields that are too many or too long.
        TooLarge: the file is larger than the draft takes.
    """
    kind, options = parse_options_header(content_type)
    if kind != b"multipart/form-data" or not options.get(b"boundary"):
        raise BadRequest("send the file as multipart/form-data with a boundary", code="invalid_content_type")
    reader = _Reader(file_field)
    try:
        parser = reader.parser(options[b"boundary"])
        async for piece in stream:
            parser.write(piece)
            if len(reader.buffer) >= _BUFFER_BYTES:
                await _flush(reader, draft)
        parser.finalize()
    except MultipartParseError as error:
        raise BadRequest(f"the form cannot be read: {error}", code="invalid_form") from None
    if not reader.finished:
        raise BadRequest("the form broke off before its last boundary; send it again", code="invalid_form")
    if reader.filename is None:
        raise BadRequest(f"the form has no {file_field!r}", param=file_field, code="missing_required_parameter")
    await _flush(reader, draft)
    fields = {name: value.decode(errors="replace") for name, value in reader.fields.items()}
    return Form(fields, reader.filename, await asyncio.to_thread(draft.seal))


async def _flush(reader: _Reader, draft: Draft) -> None:
    data = bytes(reader.buffer)
    reader.buffer.clear()
    await asyncio.to_thread(draft.write, data)
