"""What reads foreign bytes, each as a function of bytes that may refuse in our own words and nothing else."""

import asyncio
import csv
import io
import logging
import tomllib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
from bench.fuzz_people import people_targets
from uvicorn import Config
from uvicorn.server import ServerState

from primeur.archive.batch_lines import read_line
from primeur.archive.response_wire import CreateResponse
from primeur.broker.traces import is_windows, parse_requests, parse_windows
from primeur.core.chat import OPENAI_PATHS, Dialect, Endpoint, Route, Target
from primeur.core.egress import read_egress, read_url
from primeur.core.errors import PrimeurError
from primeur.core.gguf import read_gguf
from primeur.core.masking import RULES, mask_json
from primeur.core.reading import NOT_JSON, read_json
from primeur.core.splice import with_member, with_model
from primeur.core.sse import EventSplitter, event_data, split_events
from primeur.core.wire import ChatRequest, CompletionRequest, EmbeddingRequest
from primeur.gateway.anthropic_wire import MessagesRequest
from primeur.gateway.bounded import BoundedProtocol, Watch
from primeur.gateway.client import client_address
from primeur.gateway.forms import read_form
from primeur.governance.data_rules import kept_answer, kept_prompt, subjects_of
from primeur.relay.chunks import ChunkReader
from primeur.relay.head import parse_head
from primeur.store.blobs import Blobs
from primeur.walks.checkpoint_audit import parse_checkpoints
from primeur.walks.read_document import read_document
from primeur.walks.read_refusal import refusal

Fuzzed = Callable[[bytes], None]
"""Raises `PrimeurError` when it refuses; anything else is a find."""

_ASKED = b'{"model":"m","messages":[{"role":"user","content":"hi"}],"temperature":0.5,"stream":true,"n":2}'
_RESPONSE = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
_CHUNKS = b"5\r\nhello\r\n6;x=y\r\n world\r\n0\r\ntrailer: 1\r\n\r\n"
_EVENTS = (
    b'data: {"choices":[{"index":0,"delta":{"content":"hi"}}]}\n\n: ping\n\nevent: x\r\ndata: 1\r\n\r\ndata: [DONE]\n\n'
)
_REQUEST = b"POST /v1/chat/completions?a=b HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\nexpect: 100-continue\r\n\r\n{}"
_CHUNKED = (
    b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
    b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"
)
_FORM = (
    b'--xy\r\ncontent-disposition: form-data; name="purpose"\r\n\r\nbatch\r\n'
    b'--xy\r\ncontent-disposition: form-data; name="file"; filename="a.jsonl"\r\n\r\n{"a":1}\r\n--xy--\r\n'
)
_GGUF = (
    b"GGUF\x03\0\0\0\x01\0\0\0\0\0\0\0\x02\0\0\0\0\0\0\0\x14\0\0\0\0\0\0\0general.architecture\x08\0\0\0\x05\0\0\0\0\0\0\0llama"
    b"\x04\0\0\0\0\0\0\0list\x09\0\0\0\x04\0\0\0\x02\0\0\0\0\0\0\0\x01\0\0\0\x02\0\0\0"
    b"\x01\0\0\0\0\0\0\0t\x02\0\0\0\x04\0\0\0\0\0\0\0\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0" + bytes(64)
)
_TRACE = b"arrived_at,num_prefill_tokens,num_decode_tokens\n0.5,10,20\n1.25,30,40\n"
_TOML = (
    b'[projects.lab]\nkeeps_prompts = true\n[providers.far]\nkind = "sim"\nsettings = {key = "env:K"}\n'
    b'[prices.d]\ncurrency = "EUR"\ninput = "1"\noutput = "2"\n'
)
_LINE = b'{"custom_id":"a","method":"POST","url":"/v1/chat/completions","body":{"model":"m","messages":[]}}'
_PERSONAL = (
    b'{"messages":[{"content":"ada@example.org 4111 1111 1111 1111 FR7630006000011234567890189'
    b' +33612345678"}],"user":"u"}'
)
_CHECKPOINT = b'{"sequence":1,"hash":"ab","at_ms":1,"key":"AA==","signature":"AA=="}\n'
_TARGET = Target("r", "p", Endpoint("http", "h", 1, headers=((b"authorization", b"Bearer secretsecret"),)),
                 Dialect("d", OPENAI_PATHS), "m", frozenset({Route.CHAT}))  # fmt: skip


def _json(kind: type) -> Fuzzed:
    def read(data: bytes) -> None:
        read_json(data, kind)

    return read


def _splice(data: bytes) -> None:
    try:
        found = msgspec.json.decode(data, type=dict)
    except NOT_JSON:
        return
    if not isinstance(found.get("model"), str):
        return
    assert msgspec.json.decode(with_model(data, 'a"b'))["model"] == 'a"b'
    with_member(data, b'"primeur":{"cost_nanos":1}')


def _sse(data: bytes) -> None:
    step = data[0] % 7 + 1 if data else 1
    splitter, whole, cut = EventSplitter(), EventSplitter(), b""
    for start in range(0, len(data), step):
        cut += splitter.feed(data[start : start + step])
    block = whole.feed(data)
    # However a stream is cut, the same events come out of it.
    assert split_events(cut) == split_events(block), (cut, block)
    for event in split_events(block):
        event_data(event)


def _head(data: bytes) -> None:
    head, blank, _ = data.partition(b"\r\n\r\n")
    parse_head(head + blank, "target")


def _chunks(data: bytes) -> None:
    reader = ChunkReader()
    step = data[0] % 5 + 1 if data else 1
    for start in range(0, len(data), step):
        reader.feed(data[start : start + step])


def _gguf(data: bytes) -> None:
    read_gguf(io.BytesIO(data), len(data), "file")


def _trace(data: bytes) -> None:
    rows = csv.reader(io.StringIO(data.decode("utf-8", "replace"), newline=""))
    try:
        header = next(rows, [])
        if is_windows(header):
            for _ in parse_windows("trace", header, rows):
                pass
        else:
            parse_requests("trace", header, rows)
    except csv.Error:
        return


def _toml(data: bytes) -> None:
    try:
        document = tomllib.loads(data.decode("utf-8", "replace"))
    except (tomllib.TOMLDecodeError, RecursionError):
        return
    read_document(document)


def _form(stack: ExitStack) -> Fuzzed:
    folder = Path(stack.enter_context(TemporaryDirectory(prefix="fuzz-")))
    runner = stack.enter_context(asyncio.Runner())

    async def read(data: bytes) -> None:
        async def pieces() -> Any:
            step = data[0] % 50 + 1 if data else 1
            for start in range(0, len(data), step):
                yield data[start : start + step]

        draft = Blobs(folder).draft(1 << 20, "the file")
        try:
            await read_form(b"multipart/form-data; boundary=xy", pieces(), "file", draft)
        finally:
            draft.discard()

    return lambda data: runner.run(read(data))


def _kept(data: bytes) -> None:
    text = kept_prompt(data, tuple(RULES))
    subjects_of(text)
    kept_answer([data.decode("utf-8", "replace")], tuple(RULES))
    mask_json(text, RULES)


def _urls(data: bytes) -> None:
    text = data.decode("latin-1")
    place = read_url(text)
    assert not set(place.host + place.path) & set("\r\n \\"), place


def _lists(data: bytes) -> None:
    trusted = tuple(one.network for one in read_egress(("10.0.0.0/8",), own_machine=False).listed if one.network)
    client_address("10.0.0.1", data, trusted)
    read_egress((data.decode("latin-1"),), own_machine=False)


def _checkpoints(data: bytes) -> None:
    parse_checkpoints(data, "AA==", "file")


def _refused(data: bytes) -> None:
    status = 400 + data[0] if data else 500
    error = refusal(status, {b"retry-after": data[:20]}, data[1:], _TARGET)
    assert "secretsecret" not in error.message


class _Wire:
    """A transport that keeps nothing but whether it is closed."""

    def __init__(self) -> None:
        self.closed, self.sent = False, 0

    def write(self, data: bytes) -> None:
        self.sent += len(data)

    def close(self) -> None:
        self.closed = True

    abort = write_eof = close

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None:
        """Nothing is read anyway."""

    resume_reading = pause_reading

    def get_extra_info(self, _name: str) -> None:
        return None


def _edge(stack: ExitStack) -> Fuzzed:
    """The server's protocol, byte by byte, with an application that reads the body and says nothing."""
    runner = stack.enter_context(asyncio.Runner())

    async def app(_scope: Any, receive: Any, send: Any) -> None:
        while True:
            message = await receive()
            if message["type"] == "http.disconnect" or not message.get("more_body"):
                break
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    config = Config(app, log_level="critical", lifespan="off")
    config.load()

    class Protocol(BoundedProtocol):
        watch = Watch()

    async def read(data: bytes) -> None:
        protocol = Protocol(config, ServerState(), {}, asyncio.get_running_loop())
        wire: Any = _Wire()
        protocol.connection_made(wire)
        step = data[0] * 3 + 1 if data else 1
        for start in range(0, len(data), step):
            protocol.data_received(data[start : start + step])
        for _ in range(8):
            await asyncio.sleep(0)
        protocol.connection_lost(None)
        for _ in range(4):
            await asyncio.sleep(0)

    return lambda data: runner.run(read(data))


logging.getLogger("python_multipart").setLevel(logging.CRITICAL)


def targets(stack: ExitStack) -> Iterator[tuple[str, Fuzzed, list[bytes]]]:
    """Give each name, reader and what its inputs look like when they are right; *stack* lets go of what they need."""
    yield (
        "chat body",
        _json(ChatRequest),
        [_ASKED, b'{"model":"m","messages":[{"role":"user","content":[{"type":"text"}]}]}'],
    )
    yield (
        "completion body",
        _json(CompletionRequest),
        [b'{"model":"m","prompt":["a","b"],"stop":["x"],"logit_bias":{"1":2}}'],
    )
    yield "embedding body", _json(EmbeddingRequest), [b'{"model":"m","input":[[1,2],[3]],"dimensions":5}']
    yield (
        "response body",
        _json(CreateResponse),
        [b'{"model":"m","input":[{"role":"user","content":"x"}],"store":false}'],
    )
    yield (
        "messages body",
        _json(MessagesRequest),
        [b'{"model":"m","max_tokens":5,"messages":[{"role":"user","content":"x"}]}'],
    )
    yield "splice", _splice, [_ASKED, b'{ "model" : "x\\u0041" , "model":"y"}', b'{"a":[{"model":"no"}],"model":"m"}']
    yield "event stream", _sse, [_EVENTS, b"data: a\r\rdata: b\n\r\n"]
    yield "answer's head", _head, [_RESPONSE, b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\n"]
    yield "answer's chunks", _chunks, [_CHUNKS]
    yield "gguf", _gguf, [_GGUF]
    yield "trace", _trace, [_TRACE, b"TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46.68,374,44\n"]
    yield "toml", _toml, [_TOML]
    yield "batch line", lambda data: void(read_line(1, data, "/v1/chat/completions")), [_LINE]
    yield "form", _form(stack), [_FORM]
    yield "masks", _kept, [_PERSONAL, _EVENTS]
    yield "url", _urls, [b"https://a.example:8443/x?y=z", b"http://[fd00::1]/"]
    yield "address lists", _lists, [b"1.2.3.4, 10.0.0.1", b"[fd00::1]:443", b"*.a.example:80"]
    yield "checkpoints", _checkpoints, [_CHECKPOINT]
    yield "refusal of a target", _refused, [b'\x1d{"error":{"message":"Bearer secretsecret","code":"x"}}']
    yield "http edge", _edge(stack), [_REQUEST, _CHUNKED]
    yield from people_targets(stack)


def void(_value: object) -> None:
    """Whatever it is, it was read."""


REFUSALS = (PrimeurError,)
