"""OpenAI's Responses on the short way: those that stand alone, stored or not."""

from collections.abc import Awaitable

import msgspec

from primeur.archive.asks import check_asked, in_our_words
from primeur.archive.response_wire import CreateResponse
from primeur.core.caller import Caller
from primeur.core.errors import BadRequest, PrimeurError
from primeur.gateway.interpreter import Heard
from primeur.gateway.visit import decode
from primeur.walks.house import House
from primeur.walks.turn import Turn, stands_alone


class ResponseVoice:
    """A `primeur.gateway.interpreter.Voice`."""

    def __init__(self, turn: Turn) -> None:
        """Answers *turn*."""
        self._turn = turn
        self._stream = turn.answer()

    def whole(self, body: bytes) -> bytes:
        """See `Voice`."""
        return msgspec.json.encode(self._stream.whole(body))

    def piece(self, block: bytes) -> bytes:
        """See `Voice`."""
        return self._stream.feed(block)

    def keep(self) -> Awaitable[None] | None:
        """See `Voice`."""
        return self._turn.keep(self._stream.response) if self._turn.is_stored else None

    def last(self, fault: PrimeurError | None) -> bytes:
        """See `Voice`."""
        return self._stream.last(fault)

    def refusal(self, error: PrimeurError) -> PrimeurError:
        """See `Voice`."""
        return in_our_words(error) if isinstance(error, BadRequest) else error


def hear_response(house: House, caller: Caller, body: bytes, _request_id: str, arrived_ms: int) -> Heard | None:
    """Read the body of ``POST /v1/responses``; raises as `create_response` does."""
    request = decode(body, CreateResponse)
    if request.primeur is not None or request.truncation == "auto" or not stands_alone(request):
        return None
    check_asked(request)
    turn = Turn(house, caller, request, arrived_ms)
    turn.take_own({})
    chat, fields = turn.chat(turn.messages())
    voice = ResponseVoice(turn)
    return Heard(chat, fields, voice, turn.affinity)
