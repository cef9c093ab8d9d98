"""The relay against a real server on loopback that behaves as told."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from primeur.core.chat import Endpoint
from primeur.core.errors import TargetFailed, TargetTimedOut

CLOSE = b"<close>"
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


@asynccontextmanager
async def served(*turns, cut=1 << 20, **endpoint):
    """A server that answers each request with the next of *turns*; None hangs, b"" closes. Gives endpoint and log.

    Answers are written in pieces of *cut* bytes.
    """
    answers, log = list(turns), []

    async def talk(reader, writer):
        log.append("connected")
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
                log.append(await reader.readexactly(length))
                answer = answers.pop(0)
                if answer is None:
                    await reader.read()
                    log.append("hung up")
                    return
                if answer == b"":
                    return
                said = answer.removesuffix(CLOSE)
                for start in range(0, len(said), cut):
                    writer.write(said[start : start + cut])
                    await asyncio.sleep(0)
                if answer.endswith(CLOSE):
                    return
        except asyncio.IncompleteReadError:
            log.append("hung up")
        finally:
            writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    try:
        port = server.sockets[0].getsockname()[1]
        yield Endpoint("http", "127.0.0.1", port, **endpoint), log
    finally:
        server.close()


async def test_a_connection_is_used_again(pool):
    """Two exchanges, one connection."""
    async with served(OK, OK) as (endpoint, log):
        for body in (b"one", b"two"):
            reply = await pool.send(endpoint, "POST", "/x", body)
            assert (reply.status, await reply.read(10)) == (200, b"ok")
    assert log[:3] == ["connected", b"one", b"two"]


async def test_a_stale_connection_is_replaced(pool):
    """The server closed it while it rested: the request goes out again on a fresh one."""
    async with served(OK, b"", OK) as (endpoint, log):
        for _ in range(2):
            await (await pool.send(endpoint, "POST", "/x", b"one")).read(10)
    assert log.count("connected") == 2


async def test_closing_a_reply_early_hangs_up(pool):
    """The target learns at once that nobody listens any more."""
    started = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n"
    async with served(started, None) as (endpoint, log):
        reply = await pool.send(endpoint, "POST", "/x", b"one")
        await reply.begin()
        reply.close()
        async with asyncio.timeout(5):
            while "hung up" not in log:
                await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"SSH-2.0-nope\r\n\r\n", "does not speak HTTP"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nab", "closed the connection"),
        (b"HTTP/1.1 200 OK\r\nx: " + b"y" * 70_000, "head of more than"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab", "does not speak HTTP"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: +1\r\n\r\na", "does not speak HTTP"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n", "does not speak HTTP"),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n", "was not asked for"),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n+1\r\na\r\n", "no number"),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nabc\r\n", "longer than it said"),
        (b"HTTP/1.1 200 OK\r\nx: y\r\n folded\r\n\r\n", "does not speak HTTP"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nab", "more than its answer"),
    ],
)
async def test_a_broken_answer_is_the_targets_fault(pool, answer, words):
    """Each in words that name the place."""
    async with served(answer + CLOSE) as (endpoint, _):
        with pytest.raises(TargetFailed, match=words):
            await (await pool.send(endpoint, "POST", "/x", b"one")).read(10_000)


async def test_silence_has_an_end(pool):
    """A target that says nothing is given up."""
    async with served(None, silence_timeout_s=0.1) as (endpoint, _):
        with pytest.raises(TargetTimedOut, match="silent"):
            await pool.send(endpoint, "POST", "/x", b"one")


async def test_a_place_where_nobody_listens_is_named(pool):
    """With its port."""
    with pytest.raises(TargetFailed, match=r"127\.0\.0\.1:1 cannot be reached"):
        await pool.send(Endpoint("http", "127.0.0.1", 1), "POST", "/x", b"")


async def test_where_an_engine_of_this_machine_listens_is_told_to_nobody(pool):
    """Neither when it cannot be reached nor when it breaks off."""
    with pytest.raises(TargetFailed, match=r"^the engine cannot be reached"):
        await pool.send(Endpoint("http", "127.0.0.1", 1, reach="ours"), "POST", "/x", b"")
    async with served(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nab" + CLOSE, reach="ours") as (endpoint, _):
        with pytest.raises(TargetFailed, match=r"^the engine closed the connection before"):
            await (await pool.send(endpoint, "POST", "/x", b"one")).read(10_000)


async def test_requests_beyond_the_connection_limit_wait_their_turn(pool):
    """One connection at most: the second request goes when the first is done, or let go."""
    half = b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nok"
    async with served(half, OK, OK, max_connections=1) as (endpoint, log):
        first = await pool.send(endpoint, "POST", "/x", b"one")
        second = asyncio.create_task(pool.send(endpoint, "POST", "/x", b"two"))
        await asyncio.sleep(0.05)
        assert b"two" not in log
        first.close()
        assert await (await second).read(10) == b"ok"
        assert await (await pool.send(endpoint, "POST", "/x", b"three")).read(10) == b"ok"
    assert log.count("connected") == 2


async def test_a_connection_is_free_when_its_answer_is_whole(pool):
    """Whether or not anybody has read it yet."""
    async with served(OK, OK, max_connections=1) as (endpoint, log):
        replies = [await pool.send(endpoint, "POST", "/x", body) for body in (b"one", b"two")]
        assert [await reply.read(10) for reply in replies] == [b"ok", b"ok"]
    assert log.count("connected") == 1


@pytest.mark.parametrize("cut", [1, 3, 10_000])
async def test_chunks_and_interim_answers_are_read_however_they_are_cut(pool, cut):
    """Byte by byte, or all at once; the connection is used again."""
    chunked = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    whole = chunked + b"3;ext=1\r\nabc\r\n0A\r\n0123456789\r\n0\r\nx-trailer: y\r\n\r\n"
    async with served(*([whole] * 2), cut=cut) as (endpoint, log):
        for _ in range(2):
            reply = await pool.send(endpoint, "POST", "/x", b"one")
            assert await reply.read(100) == b"abc0123456789"
    assert log.count("connected") == 1


async def test_answers_of_other_lengths_are_read_as_well(pool):
    """A head that is known but for its length."""
    said = [b"a", b"b" * 1000, b"", b"c" * 33]
    answers = [b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\nx: y\r\n\r\n%b" % (len(body), body) for body in said]
    async with served(*answers) as (endpoint, log):
        replies = [await pool.send(endpoint, "POST", "/x", b"one") for _ in said]
        assert [await reply.read(2000) for reply in replies] == said
    assert log.count("connected") == 1


async def test_connections_that_rest_too_long_are_cut(pool):
    """Though nobody asks for another one."""
    async with served(OK) as (endpoint, log):
        await (await pool.send(endpoint, "POST", "/x", b"one")).read(10)
        lane = pool._lane(endpoint)
        lane.idle[0].idle_since_s -= 60
        lane.sweep()
        async with asyncio.timeout(5):
            while "hung up" not in log:
                await asyncio.sleep(0.01)
    assert not lane.idle
    assert lane.sweeping is None
