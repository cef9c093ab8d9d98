"""Anthropic's Messages API: a third dialect over the same walk."""

from collections.abc import AsyncIterator

import msgspec

from primeur.core.chat import Route
from primeur.core.errors import BadRequest, NotFound, TargetFailed
from primeur.core.wire import ChatRequest
from primeur.gateway.anthropic_stream import MessageStream, write_event
from primeur.gateway.anthropic_translation import in_their_words, to_chat, to_message
from primeur.gateway.anthropic_voice import message_id
from primeur.gateway.anthropic_wire import MessagesRequest
from primeur.gateway.doors import MIB, Door
from primeur.gateway.openai import completion_headers, make_ask
from primeur.gateway.visit import Answer, Visit, json_answer
from primeur.walks.complete import complete


async def messages(visit: Visit) -> Answer:
    """``POST /v1/messages``."""
    request = visit.read(MessagesRequest)
    chat = msgspec.json.encode(to_chat(request))
    try:
        ask = make_ask(visit, Route.CHAT, chat, ChatRequest)
        completion = await complete(visit.house, visit.caller, ask)
    except BadRequest as error:
        raise in_their_words(error) from None
    identity = message_id(visit.id)
    headers = completion_headers(completion)
    if completion.events is not None:
        stream = _translated(completion.events, MessageStream(identity, request.model))
        return Answer(200, headers=headers, content_type=b"text/event-stream; charset=utf-8", stream=stream)
    answer = json_answer(to_message(msgspec.json.decode(completion.body or b"{}"), identity, request.model))
    answer.headers = headers
    return answer


async def _translated(events: AsyncIterator[bytes], stream: MessageStream) -> AsyncIterator[bytes]:
    try:
        async for block in events:
            translated = stream.feed(block)
            if translated:
                yield translated
    except TargetFailed as error:
        yield write_event({"type": "error", "error": {"type": "api_error", "message": error.message}})
    finally:
        # A caller who hangs up is metered by the walk, which learns of it only when its stream is closed.
        close = getattr(events, "aclose", None)
        if close is not None:
            await close()


async def count_tokens(_visit: Visit) -> Answer:
    """``POST /v1/messages/count_tokens``: refused, since a guess would be taken for a count."""
    message = "tokens cannot be counted ahead: no target lends its tokeniser; usage comes with every answer"
    raise NotFound(message, code="not_supported")


DOORS = (
    Door(
        "POST",
        "/v1/messages",
        messages,
        "Answer a conversation in Anthropic's dialect",
        permission="inference",
        meter="usage",
        face="anthropic",
        body_limit=32 * MIB,
        takes=MessagesRequest,
    ),
    Door(
        "POST",
        "/v1/messages/count_tokens",
        count_tokens,
        "Say that tokens are not counted ahead",
        permission="inference",
        face="anthropic",
        body_limit=32 * MIB,
    ),
)
