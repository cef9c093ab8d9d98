"""A connection whose head never ends, or never comes, is answered and closed."""

import json

import pytest
from uvicorn import Config
from uvicorn.server import ServerState

from primeur.gateway.bounded import HEAD_LIMIT, HEADERS_LIMIT, BoundedProtocol
from primeur.gateway.deadlines import Watch


class Wire:
    """A transport that keeps what was written."""

    def __init__(self):
        self.sent, self.closed, self.ended = b"", False, False

    def write(self, data):
        self.sent += data

    def close(self):
        self.closed = True

    def write_eof(self):
        self.ended = True

    def abort(self):
        self.closed = True

    def is_closing(self):
        return self.closed

    def pause_reading(self):
        """Nothing more is read here anyway."""

    def get_extra_info(self, _name):
        return None


class Loop:
    """A clock that goes when it is told to."""

    def __init__(self):
        self.now_s, self.later = 0.0, []

    def time(self):
        return self.now_s

    def call_later(self, seconds, what, *words):
        self.later.append((self.now_s + seconds, what, words))
        return self

    def pass_time(self, seconds):
        until_s = self.now_s + seconds
        while self.later and self.later[0][0] <= until_s:
            self.now_s, what, words = self.later.pop(0)
            what(*words)
        self.now_s = until_s


@pytest.fixture
def opened():
    loop, wire = Loop(), Wire()

    async def app(_scope, _receive, _send):
        """Never called: no head is whole here."""

    class Protocol(BoundedProtocol):
        watch = Watch()

    protocol = Protocol(Config(app, lifespan="off"), ServerState(), {}, loop)
    protocol.connection_made(wire)
    return protocol, wire, loop


def told(wire):
    head, _, body = wire.sent.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)["error"]["code"]


def test_a_head_that_never_comes_is_not_waited_for(opened):
    """Nor one that stops halfway."""
    protocol, wire, loop = opened
    protocol.data_received(b"GET / HTTP/1.1\r\nx-half")
    loop.pass_time(59)
    assert not wire.sent
    loop.pass_time(3)
    assert told(wire) == (408, "timeout")
    assert wire.ended
    loop.pass_time(5)
    assert wire.closed


def test_one_header_that_never_ends_is_cut_off(opened):
    """Though the parser has not told of it yet."""
    protocol, wire, _ = opened
    protocol.data_received(b"GET / HTTP/1.1\r\nx-long: ")
    for _ in range(HEAD_LIMIT // 1000 + 1):
        protocol.data_received(b"a" * 1000)
    assert told(wire) == (431, "request_too_large")
    assert wire.ended


def test_many_headers_are_counted_together(opened):
    """Also when they come at once."""
    protocol, wire, _ = opened
    protocol.data_received(b"GET / HTTP/1.1\r\n" + b"x-many: b\r\n" * 20_000)
    assert told(wire) == (431, "request_too_large")


def test_what_is_not_http_is_told_in_json(opened):
    """And closed."""
    protocol, wire, _ = opened
    protocol.data_received(b"hello\r\n\r\n")
    assert told(wire) == (400, "invalid_http")
    assert wire.ended


@pytest.mark.parametrize(
    "head",
    [
        b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: +5\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked, gzip\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: xchunked\r\n\r\n",
        b"GET / HTTP/1.1\nhost: x\n\n",
        b"GET / HTTP/1.1\r\nhost: x\nx-a: b\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: x\r\nx-a: b\r\n folded\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost : x\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: x\r\nhost: y\r\n\r\n",
        b"GET / HTTP/1.1\r\nx-a: b\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: x\r\nx-a: b\x00c\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: x\r\nb\x00d: c\r\n\r\n",
    ],
)
def test_what_two_parsers_could_read_differently_is_refused(opened, head):
    """Lengths that disagree, bare line feeds, folded lines, no Host or two: the ways of request smuggling."""
    protocol, wire, _ = opened
    protocol.data_received(head)
    assert told(wire) == (400, "invalid_http")
    protocol.data_received(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
    assert wire.sent.count(b"HTTP/1.1 4") == 1


def test_headers_are_counted_too(opened):
    """However short they are."""
    protocol, wire, _ = opened
    protocol.data_received(b"GET / HTTP/1.1\r\nhost: x\r\n" + b"a: b\r\n" * HEADERS_LIMIT + b"\r\n")
    assert told(wire) == (431, "request_too_large")


def test_whoever_hangs_up_is_waited_for_no_longer(opened):
    """Nor looked at."""
    protocol, wire, loop = opened
    protocol.connection_lost(None)
    loop.pass_time(300)
    assert not wire.sent
    assert not loop.later


def test_a_service_that_stops_refuses_what_comes_now(opened):
    """A head that had begun is answered with 503; whoever rests is let go."""
    protocol, wire, _ = opened
    protocol.data_received(b"GET / HTTP/1.1\r\nhost: x\r\n")
    protocol.shutdown()
    assert not wire.closed
    protocol.data_received(b"\r\n")
    assert told(wire) == (503, "not_ready")
    assert b"\r\nretry-after: 1\r\n" in wire.sent
