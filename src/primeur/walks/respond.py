"""Answer one request for a response: gather what was said before, ask a chat, tell the answer, keep it."""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import cast

from primeur.archive.asks import check_asked, in_our_words
from primeur.archive.conversation_rows import find_conversation, read_items_of
from primeur.archive.items import references, without_oldest
from primeur.archive.response_rows import find_items, read_chain
from primeur.archive.response_stream import ResponseStream
from primeur.archive.response_wire import CreateResponse, ResponseObject
from primeur.archive.wire import Json
from primeur.core.caller import Caller
from primeur.core.chat import Ask, Route
from primeur.core.errors import BadRequest, ContextTooLong, PrimeurError
from primeur.store.database import Tx
from primeur.walks.complete import Completion, complete
from primeur.walks.house import House
from primeur.walks.turn import Turn, stands_alone

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


async def respond(
    house: House, caller: Caller, request: CreateResponse, arrival: Arrival, answering: Answering = complete
) -> Answered:
    """Answer *request*; it is stored, unless its caller said otherwise, before its last event leaves.

    Raises:
        BadRequest, UnsupportedParameter: *param* names what of the request cannot be.
        PrimeurError: as `complete` raises.
    """
    turn = await _gather(house, caller, request, arrival.arrived_ms)
    stream = turn.answer()
    completion = await _ask(turn, arrival, answering)
    if completion.events is not None:
        return Answered(completion, events=_events(turn, stream, completion.events))
    response = stream.whole(completion.body or b"")
    await turn.keep(response)
    return Answered(completion, response)


async def _gather(house: House, caller: Caller, request: CreateResponse, arrived_ms: int) -> Turn:
    check_asked(request)
    turn = Turn(house, caller, request, arrived_ms)

    def read(tx: Tx) -> dict[str, Json]:
        if request.conversation_id is not None:
            found = find_conversation(tx, caller.project_id, request.conversation_id)
            turn.before, turn.affinity = read_items_of(tx, found.id), found.id
        if request.previous_response_id is not None:
            turn.before, turn.affinity = read_chain(tx, caller.project_id, request.previous_response_id)
        return find_items(tx, caller.project_id, references(request.input))

    turn.take_own({} if stands_alone(request) else await house.store.read(read))
    return turn


async def _ask(turn: Turn, arrival: Arrival, answering: Answering) -> Completion:
    """Ask the chat; what is too long for it is shortened from its beginning, if the caller asked for that."""
    messages: list[Json] | None = turn.messages()
    shortens = turn.request.truncation == "auto"
    for attempt in range(_ATTEMPTS):
        assert messages is not None  # noqa: S101
        try:
            return await answering(turn.house, turn.caller, _ask_of(turn, arrival, messages))
        except ContextTooLong as error:
            messages = without_oldest(messages) if shortens and attempt + 1 < _ATTEMPTS else None
            if messages is None:
                raise in_our_words(error) from None
        except BadRequest as error:
            raise in_our_words(error) from None
    raise AssertionError("the last attempt returns or raises")


def _ask_of(turn: Turn, arrival: Arrival, messages: Sequence[Json]) -> Ask:
    body, fields = turn.chat(messages)
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


async def _events(turn: Turn, stream: ResponseStream, answer: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Tell the chat's events as a response's; closing this early closes the chat."""
    async with aclosing(cast("AsyncGenerator[bytes, None]", answer)) as pieces:
        async for piece in pieces:
            told = stream.feed(piece)
            if told:
                yield told
    fault: PrimeurError | None = None
    try:
        await turn.keep(stream.response)
    except PrimeurError as error:
        fault = error
    yield stream.last(fault)
