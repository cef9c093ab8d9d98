"""``/v1/conversations``: items that responses build on."""

import msgspec

from primeur.archive.conversation_rows import (
    Conversation,
    annotate_conversation,
    append_items,
    delete_conversation,
    delete_item,
    find_conversation,
    find_item,
    insert_conversation,
    list_items,
)
from primeur.archive.items import read_items, references
from primeur.archive.response_rows import find_items
from primeur.archive.rules import read_page
from primeur.archive.wire import (
    AddItems,
    ConversationObject,
    CreateConversation,
    Deleted,
    ItemsQuery,
    Json,
    Listing,
    UpdateConversation,
)
from primeur.core.errors import UnsupportedParameter
from primeur.core.events import ConversationChanged, ConversationCreated, ConversationDeleted
from primeur.core.ids import make_id
from primeur.gateway.doors import MIB, Door
from primeur.gateway.paging import id_in_path, list_page
from primeur.gateway.visit import Answer, Visit, json_answer
from primeur.store.database import Tx, tell

_BODY_LIMIT = 32 * MIB
# What callers may ask to be included and is never left out here.
_INCLUDED = frozenset({"message.input_image.image_url", "message.output_text.logprobs"})


def show_conversation(conversation: Conversation) -> ConversationObject:
    """Write a conversation as OpenAI's API shows it."""
    created_at = conversation.created_ms // 1000
    return ConversationObject(id=conversation.id, created_at=created_at, metadata=conversation.metadata)


def check_included(visit: Visit) -> None:
    """Refuse to include what engines here do not do.

    Raises:
        UnsupportedParameter: names the word.
    """
    for name, word in visit.query.items():
        if name in {"include", "include[]"} and word not in _INCLUDED:
            raise UnsupportedParameter(f"include of {word!r} is not supported here; leave it out", param="include")


async def create_conversation(visit: Visit) -> Answer:
    """Open a conversation, with items to begin with or none."""
    asked = visit.read(CreateConversation) if visit.body else CreateConversation()
    now_ms = visit.house.clock.now_ms()
    conversation = Conversation(
        id=make_id("conversation", now_ms, visit.house.entropy),
        project_id=visit.caller.project_id,
        annotations=msgspec.json.encode(asked.metadata or {}).decode(),
        created_ms=now_ms,
    )

    def write(tx: Tx) -> None:
        insert_conversation(tx, conversation)
        append_items(tx, conversation.id, _read(visit, tx, asked.items or []), now_ms)
        what = ConversationCreated(conversation_id=conversation.id)
        tell(tx, what, actor=visit.caller.key_id, at_ms=now_ms)

    await visit.house.store.transact(write)
    return json_answer(show_conversation(conversation))


async def get_conversation(visit: Visit) -> Answer:
    """Show a conversation."""
    return json_answer(show_conversation(await visit.house.store.read(lambda tx: _find(visit, tx))))


async def change_conversation(visit: Visit) -> Answer:
    """Replace a conversation's metadata."""
    annotations = msgspec.json.encode(visit.read(UpdateConversation).metadata).decode()

    def write(tx: Tx) -> Conversation:
        found = _find(visit, tx)
        annotate_conversation(tx, found.id, annotations)
        _tell_change(visit, tx, found)
        return _find(visit, tx)

    return json_answer(show_conversation(await visit.house.store.transact(write)))


async def remove_conversation(visit: Visit) -> Answer:
    """Delete a conversation and its items; responses made in it stay."""

    def write(tx: Tx) -> str:
        found = _find(visit, tx)
        delete_conversation(tx, found.id)
        what = ConversationDeleted(conversation_id=found.id)
        tell(tx, what, actor=visit.caller.key_id, at_ms=visit.house.clock.now_ms())
        return found.id

    return json_answer(Deleted(await visit.house.store.transact(write), "conversation.deleted"))


async def add_conversation_items(visit: Visit) -> Answer:
    """Add up to twenty items."""
    check_included(visit)
    asked = visit.read(AddItems)

    def write(tx: Tx) -> list[Json]:
        found = _find(visit, tx)
        items = _read(visit, tx, asked.items)
        append_items(tx, found.id, items, visit.house.clock.now_ms())
        _tell_change(visit, tx, found)
        return items

    items = await visit.house.store.transact(write)
    return json_answer(Listing(data=items, first_id=items[0]["id"], last_id=items[-1]["id"]))


async def list_conversation_items(visit: Visit) -> Answer:
    """List a conversation's items."""
    check_included(visit)
    page = read_page(visit.query, default=20, most=100, allowed=frozenset({"include", "include[]"}))
    found = await visit.house.store.read(lambda tx: list_items(tx, _find(visit, tx).id, page))
    return json_answer(list_page(found, page, lambda item: item, lambda item: str(item["id"])))


async def get_conversation_item(visit: Visit) -> Answer:
    """Show one item."""
    check_included(visit)
    item_id = id_in_path(visit, "item_id")
    return json_answer(await visit.house.store.read(lambda tx: find_item(tx, _find(visit, tx).id, item_id)))


async def remove_conversation_item(visit: Visit) -> Answer:
    """Delete one item and show the conversation."""
    item_id = id_in_path(visit, "item_id")

    def write(tx: Tx) -> Conversation:
        found = _find(visit, tx)
        find_item(tx, found.id, item_id)
        delete_item(tx, found.id, item_id)
        _tell_change(visit, tx, found)
        return found

    return json_answer(show_conversation(await visit.house.store.transact(write)))


def _find(visit: Visit, tx: Tx) -> Conversation:
    return find_conversation(tx, visit.caller.project_id, id_in_path(visit, "conversation_id"))


def _read(visit: Visit, tx: Tx, items: list[Json]) -> list[Json]:
    house = visit.house
    referred = find_items(tx, visit.caller.project_id, references(items))
    return read_items(items, lambda kind: make_id(kind, house.clock.now_ms(), house.entropy), referred, at="items")


def _tell_change(visit: Visit, tx: Tx, conversation: Conversation) -> None:
    what = ConversationChanged(conversation_id=conversation.id)
    tell(tx, what, actor=visit.caller.key_id, at_ms=visit.house.clock.now_ms())


_ONE = "/v1/conversations/{conversation_id}"
_ITEM = f"{_ONE}/items/{{item_id}}"

DOORS = (
    Door(
        "POST",
        "/v1/conversations",
        create_conversation,
        "Open a conversation",
        "responses",
        tells="ConversationCreated",
        body_limit=_BODY_LIMIT,
        takes=CreateConversation,
        gives=ConversationObject,
    ),
    Door("GET", _ONE, get_conversation, "Show a conversation", "responses", gives=ConversationObject),
    Door(
        "POST",
        _ONE,
        change_conversation,
        "Replace a conversation's metadata",
        "responses",
        tells="ConversationChanged",
        takes=UpdateConversation,
        gives=ConversationObject,
    ),
    Door(
        "DELETE",
        _ONE,
        remove_conversation,
        "Delete a conversation",
        "responses",
        tells="ConversationDeleted",
        gives=Deleted,
    ),
    Door(
        "POST",
        f"{_ONE}/items",
        add_conversation_items,
        "Add items to a conversation",
        "responses",
        tells="ConversationChanged",
        body_limit=_BODY_LIMIT,
        takes=AddItems,
        gives=Listing,
    ),
    Door(
        "GET",
        f"{_ONE}/items",
        list_conversation_items,
        "List a conversation's items",
        "responses",
        takes=ItemsQuery,
        gives=Listing,
    ),
    Door("GET", _ITEM, get_conversation_item, "Show an item of a conversation", "responses"),
    Door(
        "DELETE",
        _ITEM,
        remove_conversation_item,
        "Delete an item of a conversation",
        "responses",
        tells="ConversationChanged",
        gives=ConversationObject,
    ),
)
