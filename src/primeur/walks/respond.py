"""Answer one request for a response: gather what was said before, ask a chat, tell the answer, keep it."""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import cast

import msgspec

from primeur.archive.asks import blank_response, check_asked, in_our_words, write_chat
from primeur.archive.conversation_rows import append_items, find_conversation, read_items_of
from primeur.archive.items import read_items, references, to_messages, without_oldest
from primeur.archive.replies import ResponseWriter, write_event
from primeur.archive.response_rows import KeptResponse, find_items, insert_response, read_chain
from primeur.archive.response_wire import CreateResponse, ResponseObject
from primeur.archive.wire import Json
from primeur.core.caller import Caller
from primeur.core.chat import Ask, Route
from primeur.core.errors import BadRequest, ContextTooLong, PrimeurError, TargetFailed
from primeur.core.ids import make_id
from primeur.core.reading import read_json
from primeur.core.sse import event_data, split_events
from primeur.core.wire import ChatRequest
from primeur.store.database import Tx
from primeur.walks.complete import Completion, complete
from primeur.walks.house import House

# Each attempt drops a quarter of what is left: 4,096 messages are down to one after 30.
_ATTEMPTS = 32

Answering = Callable[[House, Caller, Ask], Awaitable[Completion]]


@dataclass(frozen=True, slots=True)
class Arrival:
    """One request as it came in; see `primeur.core.chat.Ask`."""

    id: str
    arrived_ms: int
    arrived_us: int
    address: str = ""
    low_priority: bool = False
    sharing: str = ""


@dataclass(slots=True)
class Answered:
    """A response on its way.

    Attributes:
        response: the whole of it; None when it streams.
        events: server-sent events as bytes.
    """

    completion: Completion
    response: ResponseObject | None = None
    events: AsyncIterator[bytes] | None = None


@dataclass(slots=True)
class _Turn:
    """One request with everything it stands on.

    Attributes:
        before: items of earlier responses or of the conversation, oldest first.
        own: items that came with the request.
        affinity: what ties the turns of one conversation together.
    """

    house: House
    caller: Caller
    request: CreateResponse
    arrival: Arrival
    answering: Answering
    before: list[Json]
    own: list[Json]
    affinity: str | None

    def new_id(self, kind: str) -> str:
        """Make an id."""
        return make_id(kind, self.house.clock.now_ms(), self.house.entropy)


async def respond(
    house: House, caller: Caller, request: CreateResponse, arrival: Arrival, answering: Answering = complete
) -> Answered:
    """Answer *request*; it is stored, unless its caller said otherwise, before its last event leaves.

    Raises:
        BadRequest, UnsupportedParameter: *param* names what of the request cannot be.
        PrimeurError: as `complete` raises.
    """
    turn = await _gather(house, caller, request, arrival, answering)
    writer = ResponseWriter(blank_response(request, turn.new_id("response"), arrival.arrived_ms), turn.new_id)
    completion = await _ask(turn)
    if completion.events is not None:
        return Answered(completion, events=_events(turn, writer, completion.events))
    writer.take(_object(completion.body or b""))
    writer.finish(house.clock.now_ms())
    await _keep(turn, writer.response)
    return Answered(completion, writer.response)


async def _gather(
    house: House, caller: Caller, request: CreateResponse, arrival: Arrival, answering: Answering
) -> _Turn:
    check_asked(request)
    turn = _Turn(house, caller, request, arrival, answering, [], [], None)

    def read(tx: Tx) -> dict[str, Json]:
        if request.conversation_id is not None:
            found = find_conversation(tx, caller.project_id, request.conversation_id)
            turn.before, turn.affinity = read_items_of(tx, found.id), found.id
        if request.previous_response_id is not None:
            turn.before, turn.affinity = read_chain(tx, caller.project_id, request.previous_response_id)
        return find_items(tx, caller.project_id, references(request.input))

    stands_alone = request.conversation_id is None and request.previous_response_id is None
    referred = {} if stands_alone and not references(request.input) else await house.store.read(read)
    # What a reference names may be in the history already; it is said once.
    there = {item["id"] for item in turn.before}
    own = read_items(request.input, turn.new_id, referred)
    turn.own = [item for item in own if item["id"] not in there]
    return turn


async def _ask(turn: _Turn) -> Completion:
    """Ask the chat; what is too long for it is shortened from its beginning, if the caller asked for that."""
    messages: list[Json] | None = to_messages([*turn.before, *turn.own])
    shortens = turn.request.truncation == "auto"
    for attempt in range(_ATTEMPTS):
        assert messages is not None  # noqa: S101
        try:
            return await turn.answering(turn.house, turn.caller, _ask_of(turn, messages))
        except ContextTooLong as error:
            messages = without_oldest(messages) if shortens and attempt + 1 < _ATTEMPTS else None
            if messages is None:
                raise in_our_words(error) from None
        except BadRequest as error:
            raise in_our_words(error) from None
    raise AssertionError("the last attempt returns or raises")


def _ask_of(turn: _Turn, messages: Sequence[Json]) -> Ask:
    if not messages:
        raise BadRequest("there is nothing to answer: give input", param="input", code="missing_required_parameter")
    body = msgspec.json.encode(write_chat(turn.request, messages))
    try:
        fields = read_json(body, ChatRequest)
    except BadRequest as error:
        raise in_our_words(error) from None
    arrival = turn.arrival
    return Ask(
        id=arrival.id,
        route=Route.CHAT,
        body=body,
        fields=fields,
        arrived_ms=arrival.arrived_ms,
        arrived_us=arrival.arrived_us,
        address=arrival.address,
        low_priority=arrival.low_priority,
        affinity=turn.affinity,
        sharing=arrival.sharing,
    )


async def _events(turn: _Turn, writer: ResponseWriter, answer: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Tell the chat's events as a response's; closing this early closes the chat."""
    async with aclosing(cast("AsyncGenerator[bytes, None]", answer)) as pieces:
        # Only a generator that has begun can be closed: the chat begins before the first word of ours can be its last.
        first = await anext(pieces, b"")
        yield _bytes(writer.begin())
        try:
            async for piece in _from(first, pieces):
                told = [event for chunk in _chunks(piece) for event in writer.take(chunk)]
                if told:
                    yield _bytes(told)
            last = writer.finish(turn.house.clock.now_ms())
        except TargetFailed as error:
            last = writer.fail(error)
    try:
        await _keep(turn, writer.response)
        last.append(writer.last_event())
    except PrimeurError as error:
        last.append(writer.broken(error))
    yield _bytes(last)


async def _from(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in rest:
        yield piece


def _chunks(piece: bytes) -> list[Json]:
    found = (event_data(event) for event in split_events(piece))
    return [_object(data) for data in found if data and data != b"[DONE]"]


def _object(data: bytes) -> Json:
    try:
        return msgspec.json.decode(data, type=Json)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise TargetFailed(f"the target's answer cannot be read: {error}") from None


def _bytes(events: Sequence[Json]) -> bytes:
    return b"".join(write_event(event) for event in events)


async def _keep(turn: _Turn, response: ResponseObject) -> None:
    """Store the response and add its items to the conversation, both or neither.

    Raises:
        NotFound: the conversation was deleted meanwhile.
    """
    request = turn.request
    if not request.is_kept and request.conversation_id is None:
        return
    kept = KeptResponse(
        id=response.id,
        project_id=turn.caller.project_id,
        previous_id=request.previous_response_id,
        conversation_id=request.conversation_id,
        state=response.status,
        input_items=msgspec.json.encode(turn.own).decode(),
        body=msgspec.json.encode(response).decode(),
        created_ms=turn.arrival.arrived_ms,
    )
    now_ms = turn.house.clock.now_ms()

    def write(tx: Tx) -> None:
        if request.is_kept:
            insert_response(tx, kept, [item["id"] for item in (*turn.own, *response.output)])
        if request.conversation_id is not None and response.status != "failed":
            find_conversation(tx, kept.project_id, request.conversation_id)
            append_items(tx, request.conversation_id, [*turn.own, *response.output], now_ms)

    await turn.house.store.transact_together(write)
