"""A thousand requests that are wrong: never a status of 500 or more, never silence, always JSON that says why."""

import json
import socket
from typing import Any
from urllib.parse import quote

import httpx2
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from primeur.core.wire import ChatRequest, CompletionRequest, EmbeddingRequest

PATIENCE_S = 20.0
CHAT = b'{"model":"echo","messages":[{"role":"user","content":"hi"}]}'
HOUSE = {"deadline": None, "suppress_health_check": list(HealthCheck), "database": None}
BODIES: dict[str, tuple[Any, dict[str, Any]]] = {
    "/v1/chat/completions": (ChatRequest, {"model": "echo", "messages": [{"role": "user", "content": "hi"}]}),
    "/v1/completions": (CompletionRequest, {"model": "echo", "prompt": "hi"}),
    "/v1/embeddings": (EmbeddingRequest, {"model": "echo", "input": "hi"}),
    "/v1/responses": (None, {"model": "echo", "input": "hi"}),
    "/v1/messages": (None, {"model": "echo", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}),
    "/openai/deployments/echo/chat/completions?api-version=2024-10-21": (
        ChatRequest,
        {"messages": [{"role": "user", "content": "hi"}]},
    ),
    "/v1/moderations": (None, {"input": "hi"}),
    "/v1/batches": (None, {"input_file_id": "file_x", "endpoint": "/v1/chat/completions", "completion_window": "24h"}),
    "/v1/conversations": (None, {"items": []}),
    "/v1/uploads": (None, {"filename": "a", "purpose": "batch", "bytes": 3, "mime_type": "text/plain"}),
}
NAMES = sorted({name for kind, _ in BODIES.values() if kind for name in kind.__struct_fields__})
NAMES += ["instructions", "include", "reasoning", "text", "truncation", "system", "stop_sequences", "thinking", "items"]
# [[...]] is how tests ask the echo engine to fail: that is not what is looked for here.
TEXTS = st.text(max_size=30).filter(lambda text: "[[" not in text)
NUMBERS = st.one_of(
    st.integers(-3, 200),
    st.integers(),
    st.just(10**30),
    st.just(2**63),
    st.floats(allow_nan=False, allow_infinity=False),
)
ANYTHING: st.SearchStrategy[Any] = st.recursive(
    st.one_of(
        st.none(), st.booleans(), NUMBERS, TEXTS, st.sampled_from(["echo", "auto", "required", "user", "function"])
    ),
    lambda some: st.one_of(
        st.lists(some, max_size=4), st.dictionaries(st.one_of(TEXTS, st.sampled_from(NAMES)), some, max_size=4)
    ),
    max_leaves=12,
)


@pytest.fixture(scope="module")
def caller(service):
    with httpx2.Client(
        base_url=service.url, headers={"authorization": f"Bearer {service.key}"}, timeout=PATIENCE_S
    ) as made:
        yield made


def check(answer: httpx2.Response, sent: Any) -> None:
    """Whatever was sent, this is what may come back."""
    assert answer.status_code < 500, f"{answer.status_code} {answer.text} for {sent!r}"
    assert answer.headers["x-request-id"].startswith("req_")
    if answer.headers["content-type"].startswith("text/event-stream"):
        assert answer.text.rstrip().rsplit("\n", 1)[-1].startswith("data:")
        return
    body = answer.json()
    if answer.status_code >= 400:
        assert body["error"]["message"].strip()
        assert "\n" not in body["error"]["message"]
        assert "Traceback" not in answer.text


@settings(max_examples=600, **HOUSE)
@given(
    path=st.sampled_from(sorted(BODIES)),
    change=st.dictionaries(st.sampled_from(NAMES), ANYTHING, min_size=1, max_size=3),
)
def test_fields_may_hold_anything(caller, path, change):
    """A good body with some fields that are not."""
    body = {**BODIES[path][1], **change}
    check(caller.post(path, json=body), body)


@settings(max_examples=200, **HOUSE)
@given(path=st.sampled_from(sorted(BODIES)), body=ANYTHING)
def test_a_body_may_be_any_json(caller, path, body):
    """Or none that we know."""
    check(caller.post(path, json=body), body)


@settings(max_examples=300, **HOUSE)
@given(
    path=st.sampled_from(sorted(BODIES)),
    at=st.integers(0, 60),
    length=st.integers(0, 9),
    junk=st.binary(max_size=6),
)
def test_a_body_may_be_damaged(caller, path, at, length, junk):
    """Bytes lost, changed or put in: broken JSON, broken UTF-8, NUL bytes."""
    whole = json.dumps(BODIES[path][1]).encode()
    body = whole[:at] + junk + whole[at + length :]
    check(caller.post(path, content=body, headers={"content-type": "application/json"}), body)


@settings(max_examples=150, **HOUSE)
@given(
    method=st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE"]),
    parts=st.lists(
        st.one_of(
            TEXTS.filter(lambda text: text.strip("./")),
            st.sampled_from(["chat", "models", "files", "responses", "%2e%2e", "%00"]),
        ),
        max_size=4,
    ),
    front=st.sampled_from(["/v1/", "/openai/v1/", "/openai/deployments/", "/openai/", "/api/"]),
    query=st.dictionaries(st.sampled_from(["api-version", "limit", "after", "order", "before"]), TEXTS, max_size=2),
)
def test_a_path_may_be_anything(caller, method, parts, front, query):
    """What is not there is not found, or not allowed."""
    path = front + "/".join(quote(part, safe="%.") for part in parts)
    answer = caller.request(method, path, params=query)
    assert answer.status_code < 500, f"{answer.status_code} {answer.text} for {method} {path}"
    if answer.status_code >= 400:
        assert "json" in answer.headers["content-type"], (
            f"{answer.status_code} {answer.text!r} for {method} {path} {query}"
        )
        assert answer.json()["error"]["message"]


# --- below HTTP -------------------------------------------------------------------------------------------------------


def spell(service, body: bytes = CHAT, *, path: bytes = b"/v1/chat/completions", method: bytes = b"POST",
          length: bytes | None = None, more: bytes = b"") -> bytes:  # fmt: skip
    """A request in bytes, to be bent."""
    head = b"%b %b HTTP/1.1\r\nhost: x\r\nauthorization: Bearer %b\r\nconnection: close\r\n%bcontent-length: %b\r\n\r\n"
    size = str(len(body)).encode() if length is None else length
    return head % (method, path, service.key.encode(), more, size) + body


def exchange(service, sent: bytes) -> tuple[int, bytes]:
    """Send bytes; gives status and body of what comes back until the end of the connection."""
    port = int(service.url.rpartition(":")[2])
    heard = b""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as line:
        try:
            line.sendall(sent)
            while piece := line.recv(65536):
                heard += piece
        except ConnectionError:
            pass  # It may close before it has read what it refuses.
    head, _, body = heard.partition(b"\r\n\r\n")
    return (int(head.split(b" ", 2)[1]) if head else 0), body


TOOLS = CHAT[:-1] + b',"tools":[{"type":"function","function":{"name":"f","parameters":'
FORM = CHAT[:-1] + b',"response_format":{"type":"json_schema","json_schema":{"name":"f","schema":'


@pytest.mark.parametrize(
    ("bent", "status"),
    [
        ({"length": b"abc"}, 400),
        ({"length": b"-5"}, 400),
        ({"length": b"9" * 30}, 400),
        ({"length": b"99999999999999"}, 413),
        ({"more": b"content-length: 3\r\n"}, 400),
        ({"more": b"transfer-encoding: chunked\r\n"}, 400),
        ({"body": CHAT[:-10]}, 400),
        ({"body": b""}, 400),
        ({"body": b"null"}, 400),
        ({"body": CHAT.replace(b"hi", b"h\0i")}, 400),
        ({"body": CHAT.replace(b"hi", b"h\xff\xfei")}, 400),
        ({"body": CHAT.replace(b"hi", b"\\ud800")}, 400),
        ({"body": CHAT[:-1] + b',"temperature":NaN}'}, 400),
        ({"body": CHAT[:-1] + b',"temperature":1e999}'}, 400),
        ({"body": b'{"model":"echo","messages":' + b"[" * 200_000}, 400),
        ({"body": TOOLS + b'{"a":' * 100_000 + b"1" + b"}" * 100_000 + b"}}]}"}, 400),
        ({"body": FORM + b'{"items":' * 100_000 + b"{}" + b"}" * 100_000 + b"}}}"}, 400),
        ({"body": b"\xef\xbb\xbf" + CHAT}, 400),
        ({"more": b"x-long: " + b"a" * 100_000 + b"\r\n"}, 431),
        ({"more": b"x-many: b\r\n" * 20_000}, 431),
        ({"path": b"/v1/models/" + b"a" * 100_000, "method": b"GET", "body": b""}, 431),
        ({"path": b"/v1/mod\xffels", "method": b"GET", "body": b""}, 400),
        ({"path": b"/v1/models/%ff%00", "method": b"GET", "body": b""}, 404),
        ({"method": b"GET"}, 405),
        ({"method": b"BREW"}, 400),
    ],
)
def test_bent_http_is_refused_in_json(service, bent, status):
    """With the status that says whose fault it is; the connection is closed."""
    told, body = exchange(service, spell(service, **bent))
    assert told == status, body
    assert json.loads(body)["error"]["message"]


@pytest.mark.parametrize(
    "noise", [b"hello\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"]
)
def test_what_is_not_http_is_refused(service, noise):
    """Noise, TLS on the plain port, HTTP/2."""
    told, body = exchange(service, noise)
    assert told == 400
    assert json.loads(body)["error"]["code"] == "invalid_http"


def test_two_requests_in_one_packet_are_both_answered(service):
    """In order, a bad one before a good one."""
    bad = spell(service, b"{}").replace(b"connection: close\r\n", b"")
    told, body = exchange(service, bad + spell(service))
    assert told == 400
    assert b"HTTP/1.1 200 OK" in body


def test_a_body_that_never_ends_holds_nobody_up(service, caller):
    """Others are answered while it waits; when it goes away, so does all that was kept for it."""
    port = int(service.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as line:
        line.sendall(spell(service, CHAT[:20], length=b"60"))
        assert caller.post("/v1/chat/completions", json=msgspec.json.decode(CHAT)).status_code == 200


def test_a_body_beyond_its_limit_is_refused_before_it_is_read(service):
    """Stated or not."""
    told, _ = exchange(service, spell(service, length=str(33 << 20).encode()))
    assert told == 413
    chunk = b"100000\r\n" + b" " * (1 << 20) + b"\r\n"
    endless = spell(service, b"").replace(b"content-length: 0", b"transfer-encoding: chunked") + chunk * 40
    assert exchange(service, endless)[0] in {413, 0}
