"""Speak to one running engine as the walk does: dialect, relay, merging, translation."""

import time
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import msgspec

from primeur.core.chat import Ask, Json, Route, Served, Target
from primeur.core.sse import event_data, split_events
from primeur.core.usage import Usage
from primeur.core.wire import ChatRequest, CompletionRequest, EmbeddingRequest
from primeur.registry.routing import fault_of
from primeur.relay.pool import Pool
from primeur.walks.complete import _first_answer
from primeur.walks.house import Board
from primeur.walks.pass_on import pass_events, pass_whole

KINDS = {Route.CHAT: ChatRequest, Route.COMPLETIONS: CompletionRequest, Route.EMBEDDINGS: EmbeddingRequest}


@dataclass
class Ledgerless:
    """Stands in for the meter: remembers what it is told and charges nobody."""

    ask: Ask
    served: Served
    caller: Any = field(default_factory=lambda: SimpleNamespace(keeps_prompts=False))
    usage: Usage | None = None
    first_token_us: int | None = None
    pieces: int = 0
    cost_nanos: int | None = None
    kept: list[str] = field(default_factory=list)

    def first_piece(self) -> None:
        """The answer has begun."""

    async def close(self, outcome: str, fault: Exception | None = None) -> None:
        """The answer is over."""


@dataclass
class Speaker:
    """Asks one target."""

    target: Target
    pool: Pool

    @property
    def _face(self) -> str:
        """What runs: Ray is a way to it."""
        return "vllm" if self.target.dialect.name == "vllm" else self.target.provider

    @property
    def ranks_tokens(self) -> bool:
        """Whether the engine tells the probabilities of tokens that it did not choose."""
        return self._face in {"echo", "llamacpp", "vllm"}

    @property
    def draws_apart(self) -> bool:
        """Whether each answer is drawn by its own seed and form."""
        return self.target.provider != "transformers"

    @property
    def calls_tools(self) -> bool:
        """Whether tools are known; vLLM, as it is started here, is not told how calls look."""
        return self._face not in {"transformers", "vllm"}

    async def chat(self, content: str = "What is Debian?", **fields: Any) -> Json:
        """Ask in a chat; gives the whole answer, or the list of chunks."""
        messages = fields.pop("messages", [{"role": "user", "content": content}])
        return await self.ask(Route.CHAT, {"messages": messages, **fields})

    async def text(self, prompt: Any = "Debian is", **fields: Any) -> Json:
        """Ask for a plain completion."""
        return await self.ask(Route.COMPLETIONS, {"prompt": prompt, **fields})

    async def vectors(self, given: Any = "Debian", **fields: Any) -> Json:
        """Ask for embeddings."""
        return await self.ask(Route.EMBEDDINGS, {"input": given, **fields})

    async def ask(self, route: Route, fields: Json) -> Any:
        """Ask, as the walk does: refuse by the table, then translate, send and read."""
        body = msgspec.json.encode({"model": "m", **fields})
        read = msgspec.json.decode(body, type=KINDS[route])
        ask = Ask("req_1", route, body, read, time.time_ns() // 1_000_000, 0)
        fault = fault_of(self.target, ask)
        if fault is not None:
            raise fault
        admission = SimpleNamespace(targets=[self.target], cap=None)
        house = SimpleNamespace(relay=self.pool, board=Board(), clock=SimpleNamespace(now_ms=lambda: 0))
        target, reply, translation = await _first_answer(house, ask, admission)
        meter = Ledgerless(ask, Served("m", target))
        if not ask.streams:
            return msgspec.json.decode(await pass_whole(meter, reply, translation))
        return await self._chunks(pass_events(meter, reply, translation))

    async def _chunks(self, events: Any) -> list[Json]:
        data = [event_data(event) async for block in events for event in split_events(block)]
        assert data[-1] == b"[DONE]" or b'"error"' in data[-1]
        return [_read(event) for event in data if event != b"[DONE]"]


def _read(event: bytes) -> Json:
    try:
        return msgspec.json.decode(event, type=dict[str, Any])
    except msgspec.DecodeError:
        return {"error": "not JSON"}


def joined(chunks: list[Json], index: int = 0) -> str:
    """The text of one choice of a stream."""
    choices = [c for chunk in chunks for c in chunk["choices"] if c["index"] == index]
    return "".join(c.get("text") or c.get("delta", {}).get("content") or "" for c in choices)
