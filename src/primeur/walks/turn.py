"""One request for a response: what it stands on, what is asked of a chat for it, and how its answer is stored."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from primeur.archive.asks import blank_response, in_our_words, write_chat
from primeur.archive.conversation_rows import append_items, find_conversation
from primeur.archive.items import read_items, references, to_messages
from primeur.archive.response_rows import KeptResponse, insert_response
from primeur.archive.response_stream import ResponseStream
from primeur.archive.response_wire import CreateResponse, ResponseObject
from primeur.archive.wire import Json
from primeur.core.caller import Caller
from primeur.core.errors import BadRequest
from primeur.core.ids import make_id
from primeur.core.reading import read_json
from primeur.core.wire import ChatRequest
from primeur.store.database import Tx
from primeur.walks.house import House


@dataclass(slots=True)
class Turn:
    """One request with everything it stands on.

    Attributes:
        arrived_ms: when it came.
        before: items of earlier responses or of the conversation, oldest first.
        own: items that came with the request; see `take_own`.
        affinity: what ties the turns of one conversation together.
    """

    house: House
    caller: Caller
    request: CreateResponse
    arrived_ms: int
    before: list[Json] = field(default_factory=list)
    own: list[Json] = field(default_factory=list)
    affinity: str | None = None

    def new_id(self, kind: str) -> str:
        """Make an id."""
        return make_id(kind, self.house.clock.now_ms(), self.house.entropy)

    def take_own(self, referred: Mapping[str, Json]) -> None:
        """Read the items that came with the request; *referred*: those of the store that it names, by id.

        Raises:
            BadRequest, UnsupportedParameter: *param* names the item.
        """
        # What a reference names may be in the history already; it is said once.
        there = {item["id"] for item in self.before}
        own = read_items(self.request.input, self.new_id, referred)
        self.own = [item for item in own if item["id"] not in there]

    def messages(self) -> list[Json]:
        """Give all that was said as messages of a chat."""
        return to_messages([*self.before, *self.own])

    def chat(self, messages: Sequence[Json]) -> tuple[bytes, ChatRequest]:
        """Write the chat that answers, and read it as whoever answers will.

        Raises:
            BadRequest, UnsupportedParameter: *param* names what of the request cannot be.
        """
        if not messages:
            raise BadRequest("there is nothing to answer: give input", param="input", code="missing_required_parameter")
        body = msgspec.json.encode(write_chat(self.request, messages))
        try:
            return body, read_json(body, ChatRequest)
        except BadRequest as error:
            raise in_our_words(error) from None

    def answer(self) -> ResponseStream:
        """Begin the response."""
        blank = blank_response(self.request, self.new_id("response"), self.arrived_ms)
        # Those that follow the first of a chain are drawn by its id, and so is it itself.
        self.affinity = self.affinity or blank.id
        return ResponseStream(blank, self.new_id, self.house.clock.now_ms)

    @property
    def is_stored(self) -> bool:
        """Whether its answer leaves anything behind."""
        return self.request.is_kept or self.request.conversation_id is not None

    async def keep(self, response: ResponseObject) -> None:
        """Store the response and add its items to the conversation, both or neither.

        Raises:
            NotFound: the conversation was deleted meanwhile.
        """
        request = self.request
        if not self.is_stored:
            return
        kept = KeptResponse(
            id=response.id,
            project_id=self.caller.project_id,
            previous_id=request.previous_response_id,
            conversation_id=request.conversation_id,
            state=response.status,
            input_items=msgspec.json.encode(self.own).decode(),
            body=msgspec.json.encode(response).decode(),
            created_ms=self.arrived_ms,
        )
        now_ms = self.house.clock.now_ms()

        def write(tx: Tx) -> None:
            if request.is_kept:
                insert_response(tx, kept, [item["id"] for item in (*self.own, *response.output)])
            if request.conversation_id is not None and response.status != "failed":
                find_conversation(tx, kept.project_id, request.conversation_id)
                append_items(tx, request.conversation_id, [*self.own, *response.output], now_ms)

        await self.house.store.transact_together(write)


def stands_alone(request: CreateResponse) -> bool:
    """Whether nothing has to be read before it can be answered."""
    alone = request.conversation_id is None and request.previous_response_id is None
    return alone and not references(request.input)
