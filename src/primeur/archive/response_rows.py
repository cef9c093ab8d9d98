"""Stored responses, the chains they make, and the items in them."""

from collections.abc import Iterable
from dataclasses import dataclass

import msgspec
from sqlalchemy import delete, insert, select

from primeur.archive.wire import Json
from primeur.core.errors import BadRequest, NotFound
from primeur.store.database import Tx
from primeur.store.schema import conversation_items, conversations, response_items, responses

CHAIN = 1000

# Made once: every response passes here.
_INSERT = insert(responses)
_INSERT_ITEMS = insert(response_items)


@dataclass(frozen=True, slots=True)
class KeptResponse:
    """A response's row.

    Attributes:
        state: as OpenAI's API names it; ``completed``, ``incomplete`` or ``failed``, all of them ends.
        input_items: JSON of the items that came with the request, without those of earlier responses.
        body: JSON of the response object.
    """

    id: str
    project_id: str
    previous_id: str | None
    conversation_id: str | None
    state: str
    input_items: str
    body: str
    created_ms: int

    @property
    def inputs(self) -> list[Json]:
        """The request's items."""
        return msgspec.json.decode(self.input_items, type=list[Json])

    @property
    def outputs(self) -> list[Json]:
        """The answer's items."""
        return msgspec.json.decode(self.body, type=_Outputs).output


class _Outputs(msgspec.Struct):
    output: list[Json]


def insert_response(tx: Tx, kept: KeptResponse, item_ids: Iterable[str]) -> None:
    """Remember a response and which items are in it, by their ids."""
    tx.execute(_INSERT, {name: getattr(kept, name) for name in KeptResponse.__slots__})
    # The same item sent twice in one request is one row.
    rows = [{"id": item_id, "response_id": kept.id} for item_id in dict.fromkeys(item_ids)]
    if rows:
        tx.execute(_INSERT_ITEMS, rows)


def find_response(tx: Tx, project_id: str, response_id: str) -> KeptResponse:
    """Give a project's response.

    Raises:
        NotFound: no such response in this project, or it was not stored.
    """
    asked = select(*(responses.c[name] for name in KeptResponse.__slots__))
    row = tx.execute(asked.where(responses.c.id == response_id, responses.c.project_id == project_id)).one_or_none()
    if row is None:
        raise NotFound(
            f"there is no stored response {response_id!r} in this project; was it made with store=false, or deleted?",
            param="response_id",
        )
    return KeptResponse(*row)


def delete_response(tx: Tx, response_id: str) -> None:
    """Forget a response; those that follow it cannot be continued any more."""
    tx.execute(delete(responses).where(responses.c.id == response_id))


def read_chain(tx: Tx, project_id: str, last_id: str) -> tuple[list[Json], str]:
    """Give the items of *last_id* and of all responses before it, oldest first, and the id of the first response.

    Raises:
        BadRequest: one of them is not stored, or there are more than `CHAIN`.
    """
    chain: list[KeptResponse] = []
    next_id: str | None = last_id
    while next_id is not None:
        if len(chain) == CHAIN:
            raise BadRequest(
                f"more than {CHAIN} responses follow one another; use a conversation", param="previous_response_id"
            )
        try:
            chain.append(find_response(tx, project_id, next_id))
        except NotFound as error:
            raise BadRequest(error.message, param="previous_response_id", code="previous_response_not_found") from None
        next_id = chain[-1].previous_id
    return [item for kept in reversed(chain) for item in (*kept.inputs, *kept.outputs)], chain[-1].id


def find_items(tx: Tx, project_id: str, item_ids: list[str]) -> dict[str, Json]:
    """Give items that a request refers to by id, out of stored responses and conversations; some may be missing."""
    found: dict[str, Json] = {}
    if not item_ids:
        return found
    in_responses = (
        select(responses.c.input_items, responses.c.body)
        .join(response_items, response_items.c.response_id == responses.c.id)
        .where(responses.c.project_id == project_id, response_items.c.id.in_(item_ids))
    )
    for inputs, body in tx.execute(in_responses.distinct()):
        items = (*msgspec.json.decode(inputs, type=list[Json]), *msgspec.json.decode(body, type=_Outputs).output)
        found |= {item["id"]: item for item in items if item["id"] in item_ids}
    in_conversations = (
        select(conversation_items.c.item)
        .join(conversations, conversations.c.id == conversation_items.c.conversation_id)
        .where(conversations.c.project_id == project_id, conversation_items.c.id.in_(item_ids))
    )
    for text in tx.execute(in_conversations).scalars():
        item = msgspec.json.decode(text, type=Json)
        found[item["id"]] = item
    return found
