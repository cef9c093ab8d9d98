"""Whole stories of responses, with a chat that says what the test hands it."""

import asyncio

import msgspec
import pytest

from primeur.archive.conversation_rows import Conversation, delete_conversation, insert_conversation, read_items_of
from primeur.archive.response_rows import find_response
from primeur.archive.response_wire import CreateResponse
from primeur.core.caller import Caller, Limits
from primeur.core.errors import BadRequest, ContextTooLong, NotFound, TargetFailed, UnsupportedParameter
from primeur.core.ports import Standing
from primeur.governance import rows as governance
from primeur.walks.complete import Completion
from primeur.walks.respond import Arrival, respond

CALLER = Caller("key_1", "prj_1", "org_1", "app", frozenset({"inference"}))
ARRIVAL = Arrival("req_1", 1000, 1000)


class Chat:
    """Answers with *texts* in turn; remembers what it was asked."""

    def __init__(self, *texts, longest=None, breaks=False):
        self.texts, self.longest, self.breaks = list(texts), longest, breaks
        self.asks = []
        self.closed = asyncio.Event()

    async def __call__(self, _house, _caller, ask):
        self.asks.append(ask)
        if self.longest is not None and len(ask.fields.messages) > self.longest:
            raise ContextTooLong("too long", param="messages")
        text = self.texts.pop(0)
        completion = Completion(None, 200, Standing(), 0)
        if ask.streams:
            completion.events = self._events(text)
        else:
            message = {"role": "assistant", "content": text}
            usage = {"prompt_tokens": 1, "completion_tokens": 2}
            answer = {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}], "usage": usage}
            completion.body = msgspec.json.encode(answer)
        return completion

    async def _events(self, text):
        try:
            for word in text.split():
                yield self._event({"choices": [{"index": 0, "delta": {"content": word}}]})
            if self.breaks:
                yield self._event({"error": {"message": "gone", "code": "upstream_error"}})
                return
            last = self._event({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
            yield last + b": keep-alive\n\n" + b"data: [DONE]\n\n"
        finally:
            self.closed.set()

    @staticmethod
    def _event(data):
        return b"data: " + msgspec.json.encode(data) + b"\n\n"

    @property
    def said(self):
        """What the last ask showed the model."""
        return [(message.role, message.content) for message in self.asks[-1].fields.messages]


@pytest.fixture
def home(house):
    """A house with the project that responses belong to."""

    def found(tx):
        governance.add_organisation(tx, governance.Organisation("org_1", "default", 1))
        project = governance.Project("prj_1", "org_1", "default", keeps_prompts=False, limits=Limits(), created_ms=2)
        governance.add_project(tx, project)
        insert_conversation(tx, Conversation("conv_1", "prj_1", "{}", 3))

    house.store.transact_now(found)
    return house


async def answer(house, chat, **fields):
    request = msgspec.convert({"model": "m", "input": "hi", **fields}, CreateResponse)
    return await respond(house, CALLER, request, ARRIVAL, chat)


async def events_of(answered):
    blocks = [block async for block in answered.events]
    return [msgspec.json.decode(line[6:]) for b in blocks for line in b.splitlines() if line.startswith(b"data: ")]


def stored(house, response_id):
    return house.store.read_now(lambda tx: find_response(tx, "prj_1", response_id))


async def test_a_response_is_kept_and_built_on(home):
    """The next one sees both sides of the first, and prefers the same revision."""
    chat = Chat("hello", "again")
    first = (await answer(home, chat, instructions="be kind")).response
    assert msgspec.json.decode(stored(home, first.id).body) == msgspec.to_builtins(first)
    second = (await answer(home, chat, input="more", previous_response_id=first.id)).response
    assert chat.said == [("user", "hi"), ("assistant", "hello"), ("user", "more")]
    assert [one.affinity for one in chat.asks] == [first.id, first.id]
    assert second.previous_response_id == first.id
    assert second.usage["total_tokens"] == 3


async def test_what_is_not_to_be_kept_is_not(home):
    """And cannot be built on."""
    chat = Chat("hello")
    response = (await answer(home, chat, store=False)).response
    with pytest.raises(NotFound):
        stored(home, response.id)
    with pytest.raises(BadRequest, match="no stored response") as caught:
        await answer(home, chat, previous_response_id=response.id)
    assert caught.value.code == "previous_response_not_found"


async def test_a_conversation_grows_by_both_sides(home):
    """Even when the responses themselves are not kept."""
    chat = Chat("hello", "again")
    await answer(home, chat, conversation="conv_1", store=False)
    await answer(home, chat, conversation={"id": "conv_1"}, input="more")
    assert chat.said == [("user", "hi"), ("assistant", "hello"), ("user", "more")]
    items = home.store.read_now(lambda tx: read_items_of(tx, "conv_1"))
    assert [item["role"] for item in items] == ["user", "assistant", "user", "assistant"]


async def test_a_reference_brings_a_kept_item_back(home):
    """Once, even if the history has it already."""
    chat = Chat("hello", "again", "third")
    first = (await answer(home, chat)).response
    reference = {"type": "item_reference", "id": first.output[0]["id"]}
    await answer(home, chat, input=[reference, {"role": "user", "content": "go"}])
    assert chat.said == [("assistant", "hello"), ("user", "go")]
    await answer(home, chat, input=[reference, {"role": "user", "content": "go"}], previous_response_id=first.id)
    assert chat.said == [("user", "hi"), ("assistant", "hello"), ("user", "go")]


async def test_a_stream_ends_when_its_response_is_kept(home):
    """What the last event says can be fetched."""
    answered = await answer(home, Chat("Hel lo"), stream=True)
    events = await events_of(answered)
    assert events[0]["type"] == "response.created"
    assert events[-1]["type"] == "response.completed"
    last = events[-1]["response"]
    assert last["output"][0]["content"][0]["text"] == "Hello"
    assert msgspec.json.decode(stored(home, last["id"]).body) == last


async def test_a_target_that_breaks_off_leaves_a_failed_response(home):
    """With what came until then; a conversation is not fed with it."""
    answered = await answer(home, Chat("Hel lo", breaks=True), stream=True, conversation="conv_1")
    events = await events_of(answered)
    assert events[-1]["type"] == "response.failed"
    last = events[-1]["response"]
    assert last["error"] == {"code": "server_error", "message": "gone"}
    assert stored(home, last["id"]).state == "failed"
    assert home.store.read_now(lambda tx: read_items_of(tx, "conv_1")) == []


@pytest.mark.parametrize("pieces", [0, 1, 3])
async def test_a_hang_up_closes_the_chat_and_keeps_nothing(home, pieces):
    """What was made is the meter's business."""
    chat = Chat("Hel lo wor ld")
    answered = await answer(home, chat, stream=True)
    first = msgspec.json.decode((await anext(answered.events)).split(b"data: ")[1].split(b"\n")[0])
    for _ in range(pieces):
        await anext(answered.events)
    await answered.events.aclose()
    assert chat.closed.is_set()
    with pytest.raises(NotFound):
        stored(home, first["response"]["id"])


async def test_a_conversation_deleted_meanwhile_is_told_in_the_stream(home):
    """The answer was given; keeping it was not possible, so neither half is kept."""
    answered = await answer(home, Chat("hello"), stream=True, conversation="conv_1")
    home.store.transact_now(lambda tx: delete_conversation(tx, "conv_1"))
    events = await events_of(answered)
    assert events[-1]["type"] == "error"
    assert "conv_1" in events[-1]["message"]
    with pytest.raises(NotFound):
        stored(home, events[0]["response"]["id"])


async def test_what_is_too_long_is_shortened_only_on_request(home):
    """From its beginning; instructions stay."""
    items = [{"role": "user", "content": str(n)} for n in range(9)]
    with pytest.raises(ContextTooLong) as caught:
        await answer(home, Chat(longest=4), input=items)
    assert caught.value.param == "input"
    chat = Chat("ok", longest=4)
    await answer(home, chat, input=items, truncation="auto", instructions="be kind")
    assert chat.said[0] == ("system", "be kind")
    assert chat.said[-1] == ("user", "8")
    assert len(chat.said) <= 4
    with pytest.raises(ContextTooLong):
        await answer(home, Chat(longest=0), input=items, truncation="auto")


async def test_a_refusal_is_named_as_the_caller_wrote_it(home):
    """The chat is our own business."""

    async def refusing(*_):
        raise UnsupportedParameter("'response_format' is not supported by x: no", param="response_format")

    with pytest.raises(UnsupportedParameter, match=r"'text\.format' is not supported by x") as caught:
        await answer(home, refusing)
    assert caught.value.param == "text.format"


async def test_nothing_to_answer_is_refused(home):
    """Before an engine is bothered."""
    with pytest.raises(BadRequest, match="give input"):
        await answer(home, Chat(), input=[])


async def test_an_answer_that_is_no_json_is_the_target_s_fault(home):
    """Whole or streamed."""

    async def babbling(*_):
        return Completion(None, 200, Standing(), 0, body=b"{nope")

    with pytest.raises(TargetFailed, match="cannot be read"):
        await answer(home, babbling)
