"""Conversations and their items."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
from sqlalchemy import delete, func, insert, select, update

from primeur.archive.rules import Page
from primeur.archive.wire import Json
from primeur.core.errors import BadRequest, NotFound
from primeur.store.database import Tx
from primeur.store.schema import conversation_items, conversations

ITEMS = 10_000


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation's row; *annotations* is JSON of its metadata."""

    id: str
    project_id: str
    annotations: str
    created_ms: int

    @property
    def metadata(self) -> dict[str, str]:
        """What the caller attached to it."""
        return msgspec.json.decode(self.annotations, type=dict[str, str])


def insert_conversation(tx: Tx, conversation: Conversation) -> None:
    """Remember a conversation without items."""
    tx.execute(insert(conversations).values({name: getattr(conversation, name) for name in Conversation.__slots__}))


def find_conversation(tx: Tx, project_id: str, conversation_id: str) -> Conversation:
    """Give a project's conversation.

    Raises:
        NotFound: no such conversation in this project.
    """
    asked = select(*(conversations.c[name] for name in Conversation.__slots__))
    row = tx.execute(
        asked.where(conversations.c.id == conversation_id, conversations.c.project_id == project_id)
    ).one_or_none()
    if row is None:
        raise NotFound(f"there is no conversation {conversation_id!r} in this project", param="conversation")
    return Conversation(*row)


def annotate_conversation(tx: Tx, conversation_id: str, annotations: str) -> None:
    """Replace a conversation's metadata."""
    tx.execute(update(conversations).where(conversations.c.id == conversation_id).values(annotations=annotations))


def delete_conversation(tx: Tx, conversation_id: str) -> None:
    """Forget a conversation and its items."""
    tx.execute(delete(conversations).where(conversations.c.id == conversation_id))


def append_items(tx: Tx, conversation_id: str, items: Sequence[Json], now_ms: int) -> None:
    """Add items at the end of a conversation.

    Raises:
        BadRequest: an item is there already, or the conversation is full.
    """
    of_this = conversation_items.c.conversation_id == conversation_id
    count = tx.execute(select(func.count()).select_from(conversation_items).where(of_this)).scalar_one()
    if count + len(items) > ITEMS:
        raise BadRequest(f"a conversation has at most {ITEMS} items; open a new one", param="conversation")
    ids = [item["id"] for item in items]
    there = (
        tx.execute(select(conversation_items.c.id).where(of_this, conversation_items.c.id.in_(ids))).scalars().first()
    )
    if there is not None or len(set(ids)) < len(ids):
        raise BadRequest(f"the conversation has item {there or 'ids twice'} already; leave its id out", param="items")
    rows = [
        {
            "id": item["id"],
            "conversation_id": conversation_id,
            "item": msgspec.json.encode(item).decode(),
            "created_ms": now_ms,
        }
        for item in items
    ]
    if rows:
        tx.execute(insert(conversation_items), rows)


def read_items_of(tx: Tx, conversation_id: str) -> list[Json]:
    """Give every item of a conversation, oldest first."""
    asked = select(conversation_items.c.item).where(conversation_items.c.conversation_id == conversation_id)
    return [msgspec.json.decode(text, type=Json) for text in tx.execute(asked.order_by("sequence")).scalars()]


def list_items(tx: Tx, conversation_id: str, page: Page) -> list[Json]:
    """Give one page of a conversation's items, and one item more when there are more."""
    sequence = conversation_items.c.sequence
    asked = select(conversation_items.c.item).where(conversation_items.c.conversation_id == conversation_id)
    if page.after is not None:
        last = select(sequence).where(
            conversation_items.c.conversation_id == conversation_id, conversation_items.c.id == page.after
        )
        place = tx.execute(last).scalar_one_or_none()
        if place is None:
            raise BadRequest(f"the conversation has no item {page.after!r}", param="after")
        asked = asked.where(sequence < place if page.newest_first else sequence > place)
    order = sequence.desc() if page.newest_first else sequence.asc()
    return [
        msgspec.json.decode(t, type=Json) for t in tx.execute(asked.order_by(order).limit(page.limit + 1)).scalars()
    ]


def find_item(tx: Tx, conversation_id: str, item_id: str) -> Json:
    """Give one item of a conversation.

    Raises:
        NotFound: it has no such item.
    """
    asked = select(conversation_items.c.item).where(
        conversation_items.c.conversation_id == conversation_id, conversation_items.c.id == item_id
    )
    text = tx.execute(asked).scalar_one_or_none()
    if text is None:
        raise NotFound(f"the conversation has no item {item_id!r}", param="item_id")
    item: Json = msgspec.json.decode(text)
    return item


def delete_item(tx: Tx, conversation_id: str, item_id: str) -> None:
    """Forget one item of a conversation."""
    tx.execute(
        delete(conversation_items).where(
            conversation_items.c.conversation_id == conversation_id, conversation_items.c.id == item_id
        )
    )
