"""Requests that two parsers could read differently are refused, and nothing of a second one is answered.

Sources: RFC 9112, sections 6 and 11.2; the cases of PortSwigger's "HTTP desync attacks".
"""

import asyncio

import pytest
from uvicorn import Config
from uvicorn.server import ServerState

from primeur.gateway.bounded import BoundedProtocol
from primeur.gateway.deadlines import Watch

HEAD = b"POST / HTTP/1.1\r\nhost: x\r\n"
SECOND = b"GET /second HTTP/1.1\r\nhost: x\r\n\r\n"
REFUSED = {
    "both lengths": HEAD + b"content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    "two lengths": HEAD + b"content-length: 5\r\ncontent-length: 6\r\n\r\nhello",
    "two equal lengths": HEAD + b"content-length: 5\r\ncontent-length: 5\r\n\r\nhello",
    "a list of lengths": HEAD + b"content-length: 5, 5\r\n\r\nhello",
    "a signed length": HEAD + b"content-length: +5\r\n\r\nhello",
    "a negative length": HEAD + b"content-length: -5\r\n\r\nhello",
    "a hexadecimal length": HEAD + b"content-length: 0x5\r\n\r\nhello",
    "a length in words": HEAD + b"content-length: five\r\n\r\nhello",
    "an empty length": HEAD + b"content-length: \r\n\r\nhello",
    "a length beyond numbers": HEAD + b"content-length: 99999999999999999999999\r\n\r\n",
    "a space before the colon": HEAD + b"content-length : 5\r\n\r\nhello",
    "a space before chunked's colon": HEAD + b"transfer-encoding : chunked\r\n\r\n0\r\n\r\n",
    "another coding": HEAD + b"transfer-encoding: gzip\r\n\r\n",
    "chunked and another": HEAD + b"transfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "another before chunked": HEAD + b"transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "chunked twice": HEAD + b"transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunked misspelt": HEAD + b"transfer-encoding: xchunked\r\n\r\n0\r\n\r\n",
    "chunked with a tab": HEAD + b"transfer-encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    "chunked in quotes": HEAD + b'transfer-encoding: "chunked"\r\n\r\n0\r\n\r\n',
    "a folded header": HEAD + b"x: y\r\n transfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    "a line feed alone in a head": b"POST / HTTP/1.1\nhost: x\ncontent-length: 0\n\n",
    "a carriage return alone": HEAD + b"x: y\rz: w\r\n\r\n",
    "a NUL in a value": HEAD + b"x: a\0b\r\n\r\n",
    "a NUL in a name": HEAD + b"x\0: a\r\n\r\n",
    "no name": HEAD + b": a\r\n\r\n",
    "a space in a name": HEAD + b"x y: a\r\n\r\n",
    "no colon": HEAD + b"nonsense\r\n\r\n",
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "two hosts": b"GET / HTTP/1.1\r\nhost: x\r\nhost: y\r\n\r\n",
    "a bad version": b"GET / HTTP/9.9\r\nhost: x\r\n\r\n",
    "a bad method": b"GE\tT / HTTP/1.1\r\nhost: x\r\n\r\n",
    "a space in the path": b"GET /a b HTTP/1.1\r\nhost: x\r\n\r\n",
    "a chunk size in words": HEAD + b"transfer-encoding: chunked\r\n\r\nzz\r\n",
    "a chunk size with a sign": HEAD + b"transfer-encoding: chunked\r\n\r\n+5\r\nhello\r\n0\r\n\r\n",
    "a chunk size in 0x": HEAD + b"transfer-encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n",
    "a chunk longer than said": HEAD + b"transfer-encoding: chunked\r\n\r\n2\r\nhello\r\n0\r\n\r\n",
    "a chunk size beyond numbers": HEAD + b"transfer-encoding: chunked\r\n\r\n" + b"f" * 20 + b"\r\nx",
    "a chunk ended by a line feed": HEAD + b"transfer-encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n",
}


class Wire:
    """A transport that keeps what was written."""

    def __init__(self):
        self.sent, self.closed = b"", False

    def write(self, data):
        self.sent += data

    def close(self):
        self.closed = True

    abort = write_eof = close

    def is_closing(self):
        return self.closed

    def pause_reading(self):
        """Nothing is read anyway."""

    resume_reading = pause_reading

    def get_extra_info(self, _name):
        return None


async def spoken(data: bytes) -> tuple[bytes, list[str]]:
    """What came back, and the paths that the application was asked for."""
    paths: list[str] = []

    async def app(scope, receive, send):
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            if not message.get("more_body"):
                break
        paths.append(scope["path"])
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    config = Config(app, log_level="critical", lifespan="off")
    config.load()

    class Protocol(BoundedProtocol):
        watch = Watch()

    protocol, wire = Protocol(config, ServerState(), {}, asyncio.get_running_loop()), Wire()
    protocol.connection_made(wire)
    protocol.data_received(data)
    for _ in range(20):
        await asyncio.sleep(0)
    protocol.connection_lost(None)
    await asyncio.sleep(0)
    return wire.sent, paths


@pytest.mark.parametrize("request_bytes", REFUSED.values(), ids=list(REFUSED))
async def test_an_ambiguous_request_is_refused(request_bytes):
    """And what follows on its connection is never taken for a request."""
    sent, paths = await spoken(request_bytes + SECOND)
    assert "/second" not in paths
    assert sent == b"" or sent.startswith((b"HTTP/1.1 400", b"HTTP/1.1 431"))


async def test_what_is_unambiguous_passes():
    """One after the other, each whole."""
    chunked = HEAD + b"transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
    _, paths = await spoken(chunked + HEAD + b"content-length: 2\r\n\r\n{}" + SECOND)
    assert paths == ["/", "/", "/second"]
