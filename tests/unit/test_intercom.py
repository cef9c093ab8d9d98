"""What processes of one house say to each other."""

import asyncio
import socket
from contextlib import asynccontextmanager

import msgspec
import pytest

from primeur.core.ports import EngineState
from primeur.core.scaling import Load
from primeur.intercom.metrics import add_up
from primeur.intercom.office import Office
from primeur.intercom.peer import Peer
from primeur.intercom.window import FarFamily, FarHost


@asynccontextmanager
async def pair(ours, theirs):
    """Two peers on the two ends of a socket pair."""
    ends = socket.socketpair()
    left, right = [await asyncio.open_unix_connection(sock=end) for end in ends]
    peers = Peer(*left, ours, "left"), Peer(*right, theirs, "right")
    try:
        yield peers
    finally:
        for peer in peers:
            await peer.aclose()


async def double(_peer, body):
    return body * 2


async def fail(_peer, _body):
    raise ValueError("no such thing")


async def sleep(_peer, _body):
    await asyncio.sleep(30)
    return b""


async def test_each_may_call_the_other_many_at_a_time():
    """Answers find their calls, large ones too."""
    async with pair({"double": double}, {"double": double}) as (left, right):
        bodies = [bytes([number]) * 10_000 * number for number in range(1, 20)]
        assert await asyncio.gather(*(left.call("double", body) for body in bodies)) == [2 * body for body in bodies]
        assert await right.call("double", b"x") == b"xx"


@pytest.mark.parametrize(
    ("method", "words"), [("fail", "no such thing"), ("other", "nobody answers"), ("sleep", "in time")]
)
async def test_what_goes_wrong_is_told_to_whoever_called(method, words):
    """And the next call is answered."""
    handlers = {"fail": fail, "sleep": sleep, "double": double}
    async with pair({}, handlers) as (left, _):
        with pytest.raises(ConnectionError, match=words):
            await left.call(method, timeout_s=0.2)
        assert await left.call("double", b"y") == b"yy"


async def test_a_call_ends_when_the_other_is_gone():
    """Nobody waits for the dead."""
    async with pair({}, {"sleep": sleep}) as (left, right):
        calling = asyncio.create_task(left.call("sleep"))
        await asyncio.sleep(0.05)
        await right.aclose()
        with pytest.raises(ConnectionError, match="is gone"):
            await calling
        assert left.gone.is_set()
        with pytest.raises(ConnectionError, match="is gone"):
            await left.call("sleep")


def test_metrics_of_several_processes_are_added_up():
    """By name and labels; histograms bucket by bucket."""
    text = (
        "# HELP a_total Things\n# TYPE a_total counter\n"
        'a_total{route="/x"} %d\n'
        "# HELP b_seconds Time\n# TYPE b_seconds histogram\n"
        'b_seconds_bucket{le="1.0"} 1\nb_seconds_bucket{le="+Inf"} 2\nb_seconds_count 2\nb_seconds_sum 3.5\n'
    )
    told = add_up([(text % 3).encode(), (text % 4).encode()]).decode()
    assert 'a_total{route="/x"} 7.0' in told
    assert 'b_seconds_bucket{le="+Inf"} 4.0' in told
    assert "b_seconds_sum 7.0" in told


async def test_a_window_knows_engines_and_metrics_from_its_office():
    """It is told when something changes; what it has used is forgotten when it is gone."""
    forgotten, changes = [], []
    office = Office(lambda name, body: name.encode() + body, forgotten.append, lambda: b"a_total 1\n", dict)
    host = FarHost(lambda: changes.append(1))

    async def hear(_peer, body):
        host.hear(body)
        return b""

    async def metrics(_peer, _body):
        return b"a_total 2\n"

    ends = socket.socketpair()
    await office.receive(*await asyncio.open_unix_connection(sock=ends[0]), "w1")
    parent = Peer(*await asyncio.open_unix_connection(sock=ends[1]), {"engines": hear, "metrics": metrics})
    assert host.state("rev_1").phase == "waiting"
    for _ in range(2):
        await office.tell_engines({"rev_1": EngineState("ready", pid=7)})
    assert (host.state("rev_1").pid, len(changes)) == (7, 1)
    assert await parent.call("claims", b"!") == b"w1!"
    assert b"a_total 3.0" in (await FarFamily(parent).metrics()).replace(b"a 3.0", b"a_total 3.0")
    await parent.call("serving", (5).to_bytes(8, "little"))
    await parent.call("ready")
    await office.until_ready(["w1"])
    assert office.serving == {"w1": 5}
    await parent.aclose()
    await office.part("w1")
    assert (forgotten, office.serving) == (["w1"], {})


async def test_what_is_under_way_is_known_of_all_processes_and_ends_with_each():
    """Sums by revision and replica, the parent's own with them; what a dead process said last is not taken up."""
    own = {"rev_1": Load(1, 0, {1: 1})}
    office = Office(lambda _name, body: body, lambda _name: None, bytes, lambda: own)
    windows = {}
    for name in ("w1", "w2"):
        ends = socket.socketpair()
        await office.receive(*await asyncio.open_unix_connection(sock=ends[0]), name)
        windows[name] = Peer(*await asyncio.open_unix_connection(sock=ends[1]), {})
    told = {"w1": {"rev_1": Load(3, 2, {1: 1, 2: 2})}, "w2": {"rev_1": Load(2, 1, {2: 2}), "rev_2": Load(waiting=4)}}
    for name, loads in told.items():
        await windows[name].call("loads", msgspec.msgpack.encode(loads))
    for window in windows.values():
        found = await FarFamily(window).loads()
        assert found == {"rev_1": Load(6, 3, {1: 2, 2: 4}), "rev_2": Load(waiting=4)}
    last_words = asyncio.create_task(windows["w2"].call("loads", msgspec.msgpack.encode(told["w2"])))
    await asyncio.sleep(0)
    await office.part("w2")
    with pytest.raises(ConnectionError):
        await last_words
    assert await FarFamily(windows["w1"]).loads() == {"rev_1": Load(4, 2, {1: 2, 2: 2})}
    await office.part("w1")
    assert office.loads == {}
    for window in windows.values():
        await window.aclose()
