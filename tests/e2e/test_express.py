"""The short way in behaves as HTTP wants it, byte for byte, and the long way takes what it declines."""

import json
import resource
import socket
import time
from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit

import httpx2
import pytest


@contextmanager
def wire(service):
    """A bare connection to the service, and what comes back over it."""
    address = urlsplit(service.url)
    place = (address.hostname, address.port)
    with socket.create_connection(place, timeout=20) as line, line.makefile("rb") as back:
        yield line, back


def request(service, content, *, path="/v1/chat/completions", key=None, extra=b"", **fields):
    body = json.dumps({"model": "echo", "messages": [{"role": "user", "content": content}], **fields}).encode()
    head = f"POST {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key or service.key}\r\n".encode()
    return head + extra + b"content-length: %d\r\n\r\n" % len(body) + body


def read_answer(back):
    """Status, headers and body of the next answer, chunked or not."""
    status = int(back.readline().split()[1])
    headers = {}
    while line := back.readline().strip():
        name, _, value = line.partition(b": ")
        headers[name.lower().decode()] = value.decode()
    if "content-length" in headers:
        return status, headers, back.read(int(headers["content-length"]))
    body = b""
    while size := int(back.readline(), 16):
        body += back.read(size)
        back.readline()
    back.readline()
    return status, headers, body


def said(body):
    return json.loads(body)["choices"][0]["message"]["content"]


@pytest.fixture(autouse=True)
def warm(service):
    """The short way needs a connection to the engine at rest."""
    with wire(service) as (line, back):
        line.sendall(request(service, "warm"))
        assert read_answer(back)[0] == 200


def test_requests_in_one_packet_are_answered_in_order(service):
    """Pipelining, mixed with a request for the management API."""
    other = f"GET /healthz HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {service.key}\r\n\r\n".encode()
    with wire(service) as (line, back):
        line.sendall(request(service, "one") + other + request(service, "two") + request(service, "three"))
        answers = [read_answer(back) for _ in range(4)]
    assert [said(answers[n][2]) for n in (0, 2, 3)] == ["one", "two", "three"]
    assert json.loads(answers[1][2]) == {"status": "ok"}


def test_a_request_that_comes_byte_by_byte_is_answered(service):
    """However it is cut."""
    whole = request(service, "slow")
    with wire(service) as (line, back):
        for start in range(0, len(whole), 7):
            line.sendall(whole[start : start + 7])
        status, headers, body = read_answer(back)
    assert (status, said(body)) == (200, "slow")
    assert headers["x-primeur-deployment"] == "echo"


def test_a_stream_ends_and_the_connection_goes_on(service):
    """Chunks, ``[DONE]``, and the next request on the same connection."""
    with wire(service) as (line, back):
        line.sendall(request(service, "a b c", stream=True))
        status, headers, body = read_answer(back)
        assert (status, headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
        assert body.endswith(b"data: [DONE]\n\n")
        assert b'"usage":{' not in body
        line.sendall(request(service, "again"))
        assert said(read_answer(back)[2]) == "again"


def test_a_caller_who_wants_no_keep_alive_is_let_go(service):
    """The connection closes after the answer."""
    with wire(service) as (line, back):
        line.sendall(request(service, "bye", extra=b"connection: close\r\n"))
        _, headers, body = read_answer(back)
        assert headers["connection"] == "close"
        assert said(body) == "bye"
        assert back.read() == b""


@pytest.mark.parametrize(
    ("content", "fields", "status"),
    [
        ("x", {"model": "nobody"}, 404),
        ("x", {"temperature": "warm"}, 400),
        ("[[status=503]] x", {}, 502),
        ("[[status=400]] x", {}, 400),
    ],
)
def test_what_goes_wrong_is_told_and_the_connection_goes_on(service, content, fields, status):
    """Refused by us, refused by the target, or failed there."""
    with wire(service) as (line, back):
        line.sendall(request(service, content, **fields))
        seen, _, body = read_answer(back)
        assert seen == status, body
        assert "error" in json.loads(body)
        line.sendall(request(service, "on"))
        assert said(read_answer(back)[2]) == "on"


def test_a_strangers_key_is_refused(service):
    """As on the long way."""
    with wire(service) as (line, back):
        line.sendall(request(service, "x", key="pk_" + "a" * 43))
        assert read_answer(back)[0] == 401


def test_azures_path_names_the_deployment(service):
    """And gets Azure's header."""
    with wire(service) as (line, back):
        path = "/openai/deployments/echo/chat/completions?api-version=2024-10-21"
        line.sendall(request(service, "azure", path=path, model="something else"))
        status, headers, body = read_answer(back)
    assert (status, said(body)) == (200, "azure")
    assert headers["apim-request-id"] == headers["x-request-id"]


def test_a_hang_up_in_a_stream_is_metered_as_cancelled(service):
    """What was made is counted, and the request ends."""
    with wire(service) as (line, back):
        line.sendall(request(service, "[[token_ms=50]] " + "word " * 200, stream=True))
        assert b"200" in back.readline()
        while (name := back.readline().strip().lower()).partition(b": ")[0] != b"x-request-id":
            assert name
        request_id = name.partition(b": ")[2].decode()
        back.read(1500)
    row = service.logged(request_id)
    assert row["outcome"] == "cancelled"
    assert 0 < row["output_tokens"] < 200


def test_a_key_over_its_limit_is_told_when_to_come_back(service):
    """Two requests a minute: the third waits."""
    key = service.make_key("express-limits", rpm=2)
    with wire(service) as (line, back):
        for left in (1, 0):
            line.sendall(request(service, "x", key=key))
            status, headers, _ = read_answer(back)
            assert (status, headers["x-ratelimit-remaining-requests"]) == (200, str(left))
        line.sendall(request(service, "x", key=key))
        status, headers, _ = read_answer(back)
    assert status == 429
    assert int(headers["retry-after"]) > 0


def test_a_request_counts_once_however_it_is_answered(service):
    """Thirty at once are more than there are connections at rest: most take the long way after all."""
    key = service.make_key(f"express-burst-{time.monotonic_ns()}", rpm=30)
    with ExitStack() as held:
        wires = [held.enter_context(wire(service)) for _ in range(31)]
        for line, _ in wires[:30]:
            line.sendall(request(service, "burst", key=key))
        assert [read_answer(back)[0] for _, back in wires[:30]] == [200] * 30
        line, back = wires[30]
        line.sendall(request(service, "x", key=key))
        assert read_answer(back)[0] == 429


def test_a_chunk_that_is_none_is_refused(service):
    """In the middle of a body that an application is reading."""
    with wire(service) as (line, back):
        line.sendall(
            request(service, "x").partition(b"content-length")[0] + b"transfer-encoding: chunked\r\n\r\nzz\r\n"
        )
        status, headers, body = read_answer(back)
        assert (status, headers["connection"]) == (400, "close")
        assert json.loads(body)["error"]["code"] == "invalid_http"
        assert back.read() == b""


def test_a_large_head_is_told_even_while_it_is_sent(service):
    """Nothing resets the connection before the answer has been read."""
    with wire(service) as (line, back):
        line.sendall(b"GET / HTTP/1.1\r\nhost: x\r\nx-long: " + b"a" * 300_000)
        status, _, body = read_answer(back)
        assert (status, json.loads(body)["error"]["code"]) == (431, "request_too_large")


def test_thousands_of_open_connections_leave_room_for_more(service):
    """Idle ones cost memory only; the next caller is answered."""
    address = urlsplit(service.url)
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    place = (address.hostname, address.port)
    with ExitStack() as open_lines:
        for _ in range(min(2000, soft // 2)):
            open_lines.enter_context(socket.create_connection(place, timeout=20))
        with wire(service) as (line, back):
            line.sendall(request(service, "room"))
            assert said(read_answer(back)[2]) == "room"


def test_a_stream_that_outlives_the_stop_is_cut_and_metered(house_of_its_own):
    """Whoever reads when the time to finish is over is hung up on; what was made is in the books."""
    house_of_its_own._flags = ("--drain-s", "1")
    house_of_its_own.start()
    house_of_its_own.deploy("echo", engine="echo")
    with wire(house_of_its_own) as (line, back):
        line.sendall(request(house_of_its_own, "[[token_ms=50]] " + "word " * 2000, stream=True))
        while (name := back.readline().strip().lower()).partition(b": ")[0] != b"x-request-id":
            assert name
        house_of_its_own.stop()
    house_of_its_own.start()
    row = house_of_its_own.logged(name.partition(b": ")[2].decode())
    assert row["outcome"] == "cancelled"
    assert row["output_tokens"] > 0


def test_a_body_of_unknown_length_goes_the_long_way(service):
    """Chunked request bodies are rare and welcome."""
    body = json.dumps({"model": "echo", "messages": [{"role": "user", "content": "chunks"}]}).encode()
    headers = {"authorization": f"Bearer {service.key}"}
    answer = httpx2.post(f"{service.url}/v1/chat/completions", content=iter([body[:10], body[10:]]), headers=headers)
    assert said(answer.content) == "chunks"
