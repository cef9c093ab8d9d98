"""A connection whose head never ends, or never comes, is answered and closed."""

import json

import pytest
from uvicorn import Config
from uvicorn.server import ServerState

from primeur.gateway.bounded import HEAD_LIMIT, BoundedProtocol


class Wire:
    """A transport that keeps what was written."""

    def __init__(self):
        self.sent, self.closed = b"", False

    def write(self, data):
        self.sent += data

    def close(self):
        self.closed = True

    def is_closing(self):
        return self.closed

    def get_extra_info(self, _name):
        return None


class Loop:
    """Keeps what is to happen later."""

    def __init__(self):
        self.later = []

    def call_later(self, _seconds, what):
        timer = Timer(what)
        self.later.append(timer)
        return timer


class Timer:
    """What was put off."""

    def __init__(self, what):
        self.what, self.cancelled = what, False

    def cancel(self):
        self.cancelled = True


@pytest.fixture
def opened():
    loop, wire = Loop(), Wire()

    async def app(_scope, _receive, _send):
        """Never called: no head is whole here."""

    protocol = BoundedProtocol(Config(app, lifespan="off"), ServerState(), {}, loop)
    protocol.connection_made(wire)
    return protocol, wire, loop


def told(wire):
    head, _, body = wire.sent.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)["error"]["code"]


def test_a_head_that_never_comes_is_not_waited_for(opened):
    """Nor one that stops halfway."""
    protocol, wire, loop = opened
    protocol.data_received(b"GET / HTTP/1.1\r\nx-half")
    (timer,) = loop.later
    timer.what()
    assert told(wire) == (408, "timeout")
    assert wire.closed


def test_one_header_that_never_ends_is_cut_off(opened):
    """Though the parser has not told of it yet."""
    protocol, wire, _ = opened
    protocol.data_received(b"GET / HTTP/1.1\r\nx-long: ")
    for _ in range(HEAD_LIMIT // 1000 + 1):
        protocol.data_received(b"a" * 1000)
    assert told(wire) == (431, "request_too_large")
    assert wire.closed


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
    assert wire.closed


def test_whoever_hangs_up_is_waited_for_no_longer(opened):
    """No timer outlives its connection."""
    protocol, _, loop = opened
    protocol.connection_lost(None)
    assert all(timer.cancelled for timer in loop.later)
