"""Run one line of a batch: ask, wait when the house is busy, try again what a target spoilt."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

import msgspec

from primeur.archive.batch_lines import problem_of
from primeur.archive.batch_rows import Batch, rename_lines
from primeur.archive.response_wire import CreateResponse
from primeur.core.caller import Caller
from primeur.core.chat import Ask, Route
from primeur.core.errors import NotAuthenticated, NotReady, OverLimit, PrimeurError, TargetBusy, TargetFailed
from primeur.core.ids import make_id
from primeur.core.reading import read_json
from primeur.core.wire import AnyRequest, ChatRequest, CompletionRequest, EmbeddingRequest
from primeur.core.wishes import sharing_of, take_wishes
from primeur.walks.house import House
from primeur.walks.log_refusal import Arrival as RefusedArrival
from primeur.walks.log_refusal import log_refusal
from primeur.walks.respond import Answering, Arrival, respond

_ROUTES: Mapping[str, tuple[Route, type[AnyRequest]]] = {
    "/v1/chat/completions": (Route.CHAT, ChatRequest),
    "/v1/completions": (Route.COMPLETIONS, CompletionRequest),
    "/v1/embeddings": (Route.EMBEDDINGS, EmbeddingRequest),
}
_TRIES = 3
_PAUSE_S = 1.0
_LONGEST_PAUSE_S = 60.0
_GIVE_WAY_S = 0.05
# However busy the house is, a batch goes on a little: after this long a line stops giving way.
_GIVE_WAY_TIMES = 200


@dataclass(slots=True)
class Running:
    """A batch that this process runs.

    Attributes:
        halt: set when no line is to begin any more: cancelled, lost, or out of time.
    """

    house: House
    batch: Batch
    answering: Answering
    halt: asyncio.Event

    @property
    def is_late(self) -> bool:
        """Whether the batch's window is over."""
        return self.house.clock.now_ms() >= self.batch.expires_ms

    def caller(self) -> Caller:
        """The key that made the batch, as it may act now.

        Raises:
            NotAuthenticated: it is revoked.
        """
        snapshot = self.house.board.now
        for caller in (*snapshot.callers.values(), *snapshot.sessions.values()):
            if caller.key_id == self.batch.key_id and caller.project_id == self.batch.project_id:
                return caller
        raise NotAuthenticated(f"the key {self.batch.key_id!r} that made this batch is not valid any more")


async def run_line(running: Running, number: int, request_id: str, body: bytes) -> tuple[int, bytes] | None:
    """Give the status and body of a line's answer; None when the batch halted first.

    What was not let in (limits, a busy or starting target) waits for as long as the batch may take; what a target
    spoilt is tried three times.
    """
    spoilt = 0
    while not running.halt.is_set() and not running.is_late:
        await _give_way(running)
        try:
            return 200, await _answer(running, request_id, body)
        except (OverLimit, TargetBusy) as error:
            pause_s = error.retry_after_ms / 1000
        except NotReady:
            pause_s = _PAUSE_S
        except TargetFailed as error:
            spoilt += 1
            if spoilt == _TRIES:
                return _refused(running, request_id, error)
            pause_s = _PAUSE_S * 4**spoilt
        except PrimeurError as error:
            return _refused(running, request_id, error)
        request_id = await _renamed(running, number)
        await _pause(running, pause_s)
    return None


async def _answer(running: Running, request_id: str, body: bytes) -> bytes:
    house, caller = running.house, running.caller()
    now_ms, now_us = house.clock.now_ms(), house.clock.monotonic_us()
    if running.batch.endpoint == "/v1/responses":
        asked = read_json(body, CreateResponse)
        arrival = Arrival(request_id, now_ms, now_us, low_priority=True, sharing=sharing_of(asked.primeur))
        answered = await respond(house, caller, asked, arrival, running.answering)
        return msgspec.json.encode(answered.response)
    route, kind = _ROUTES[running.batch.endpoint]
    body, fields, sharing = take_wishes(body, read_json(body, kind))
    ask = Ask(request_id, route, body, fields, now_ms, now_us, low_priority=True, sharing=sharing)
    return (await running.answering(house, caller, ask)).body or b""


def _refused(running: Running, request_id: str, error: PrimeurError) -> tuple[int, bytes]:
    status, body = problem_of(error)
    if not isinstance(error, NotAuthenticated):
        house = running.house
        arrival = RefusedArrival(
            request_id, running.batch.endpoint, house.clock.now_ms(), house.clock.monotonic_us(), ""
        )
        log_refusal(house, running.caller(), arrival, error, status)
    return status, body


async def _renamed(running: Running, number: int) -> str:
    """Give the line a new request id: under the old one something may be in the journal already."""
    house = running.house
    request_id = make_id("request", house.clock.now_ms(), house.entropy)
    await house.store.transact(lambda tx: rename_lines(tx, running.batch.id, {number: request_id}))
    return request_id


async def _pause(running: Running, pause_s: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(running.halt.wait(), min(pause_s, _LONGEST_PAUSE_S))


async def _give_way(running: Running) -> None:
    """Wait while people are being served."""
    for _ in range(_GIVE_WAY_TIMES):
        if running.house.board.serving == 0 or running.halt.is_set():
            return
        await asyncio.sleep(_GIVE_WAY_S)
