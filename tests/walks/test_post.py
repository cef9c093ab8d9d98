"""Posting without a coroutine: over a connection at rest, or one that is opened for it."""

import asyncio
import socket

from tests.walks.test_relay import CLOSE, OK, served

from primeur.core.chat import Endpoint
from primeur.core.errors import TargetFailed, TargetStale

STREAM = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"


class Heard:
    """A sink that keeps what it is told."""

    def __init__(self):
        self.told = []
        self.over = asyncio.get_running_loop().create_future()

    def on_head(self, status, _headers):
        self.told.append(status)

    def on_packet(self, _packet):
        return False

    def on_piece(self, piece):
        self.told.append(piece)

    def on_whole(self, status, _headers, body):
        self.told += [status, body]
        self.on_end()

    def on_end(self):
        self.over.set_result(None)

    def on_fault(self, fault):
        self.over.set_result(fault)


async def ask(pool, endpoint):
    """Post once; gives what was told and the fault, if any."""
    heard = Heard()
    assert pool.post(endpoint, "/x").start("req_1", b"{}", heard) is not None
    async with asyncio.timeout(5):
        return heard.told, await heard.over


async def test_a_connection_is_opened_when_none_rests_and_used_again(pool):
    """Two requests, one connection, and nobody waits for a task in between."""
    async with served(OK, OK) as (endpoint, log):
        assert [await ask(pool, endpoint) for _ in range(2)] == [([200, b"ok"], None)] * 2
    assert log.count("connected") == 1


async def test_no_more_connections_are_opened_than_there_may_be(pool):
    """The second has to wait its turn, which only the long way does."""
    async with served(None, max_connections=1) as (endpoint, _):
        post = pool.post(endpoint, "/x")
        line = post.start("req_1", b"{}", Heard())
        assert post.start("req_2", b"{}", Heard()) is None
        line.close()
        await asyncio.sleep(0)


async def test_nobody_there_is_the_targets_fault(pool):
    """Told to the sink, not raised."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        endpoint = Endpoint("http", "127.0.0.1", taken.getsockname()[1])
        told, fault = await ask(pool, endpoint)
    assert (told, type(fault)) == ([], TargetFailed)
    assert "cannot be reached" in str(fault)
    assert pool.busy(endpoint) == 0


async def test_who_hangs_up_before_there_is_a_connection_hears_nothing(pool):
    """And the place it took becomes free again."""
    async with served(OK, OK, max_connections=1) as (endpoint, log):
        heard = Heard()
        pool.post(endpoint, "/x").start("req_1", b"{}", heard).close()
        async with asyncio.timeout(5):
            while pool.busy(endpoint):
                await asyncio.sleep(0.001)
        assert await ask(pool, endpoint) == ([200, b"ok"], None)
    assert not heard.over.done()
    assert log.count(b"{}") == 1


async def test_a_connection_that_was_closed_while_it_rested_is_told_apart(pool):
    """Nobody has seen the request, so it is no fault of whoever is judged by its faults."""
    async with served(OK, b"") as (endpoint, _):
        await ask(pool, endpoint)
        told, fault = await ask(pool, endpoint)
    assert (told, type(fault)) == ([], TargetStale)


async def test_an_answer_that_breaks_off_is_a_fault_also_on_a_connection_that_rested(pool):
    """The request was seen: it may have been worked on."""
    torn = b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nab" + CLOSE
    async with served(OK, torn) as (endpoint, _):
        await ask(pool, endpoint)
        told, fault = await ask(pool, endpoint)
    assert (told, type(fault)) == ([200, b"ab"], TargetFailed)


async def test_who_ends_connections_after_streams_is_asked_over_new_ones(pool):
    """As llama.cpp's server does, without a word: it is found out once, and no request meets such an end again."""
    async with served(*[STREAM + CLOSE] * 6) as (endpoint, log):
        assert await ask(pool, endpoint) == ([200, b"abc"], None)
        # The end of the connection is on its way, and is seen within a turn or two of the loop.
        await asyncio.sleep(0.05)
        # At once after one another, so that each begins before the end of the connection before can be seen.
        assert [await ask(pool, endpoint) for _ in range(5)] == [([200, b"abc"], None)] * 5
    assert log.count("connected") == 6


async def test_who_keeps_connections_after_streams_is_asked_over_the_same(pool):
    """Streams share a connection where the target lets them."""
    async with served(*[STREAM] * 5) as (endpoint, log):
        assert [await ask(pool, endpoint) for _ in range(5)] == [([200, b"abc"], None)] * 5
    assert log.count("connected") == 1
