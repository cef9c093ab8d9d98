"""Anthropic's Messages on the short way: read as a chat, and the chat's answer told as a message."""

import msgspec

from primeur.core.caller import Caller
from primeur.core.errors import BadRequest, PrimeurError
from primeur.core.wire import ChatRequest
from primeur.gateway.anthropic_stream import MessageStream
from primeur.gateway.anthropic_translation import in_their_words, to_chat, to_message
from primeur.gateway.anthropic_wire import MessagesRequest
from primeur.gateway.interpreter import Heard
from primeur.gateway.visit import decode
from primeur.walks.house import House


class MessageVoice:
    """A `primeur.gateway.interpreter.Voice`."""

    def __init__(self, request_id: str, model: str) -> None:
        """*model*: as the caller named it."""
        self._id, self._model = message_id(request_id), model
        self._stream = MessageStream(self._id, model)

    def whole(self, body: bytes) -> bytes:
        """See `Voice`."""
        return msgspec.json.encode(to_message(msgspec.json.decode(body), self._id, self._model))

    def piece(self, block: bytes) -> bytes:
        """See `Voice`."""
        return self._stream.feed(block)

    def keep(self) -> None:
        """Nothing is stored."""

    def last(self, fault: PrimeurError | None) -> bytes:  # noqa: ARG002 (the port's signature)
        """The stream's end is in its last piece."""
        return b""

    def refusal(self, error: PrimeurError) -> PrimeurError:
        """See `Voice`."""
        return in_their_words(error) if isinstance(error, BadRequest) else error


def hear_messages(_house: House, _caller: Caller, body: bytes, request_id: str, _arrived_ms: int) -> Heard:
    """Read the body of ``POST /v1/messages``; raises as `messages` does."""
    request = decode(body, MessagesRequest)
    chat = msgspec.json.encode(to_chat(request))
    return Heard(chat, msgspec.json.decode(chat, type=ChatRequest), MessageVoice(request_id, request.model))


def message_id(request_id: str) -> str:
    """Give the id of the message that answers a request."""
    return "msg_" + request_id.removeprefix("req_")
