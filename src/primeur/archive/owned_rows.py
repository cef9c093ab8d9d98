"""Everything in the archive that belongs to one project, row by row."""

from typing import Any

from sqlalchemy import Select, delete, select

from primeur.store.database import Tx
from primeur.store.schema import batch_lines, batches, conversation_items, conversations, files, responses

_OWNED: dict[str, Select[Any]] = {
    "files": select(files),
    "batches": select(batches),
    "responses": select(responses),
    "conversations": select(conversations),
    "conversation_items": select(conversation_items, conversations.c.project_id).join(conversations),
    "batch_lines": select(batch_lines, batches.c.project_id).join(batches),
}
KINDS = tuple(_OWNED)


def owned_rows(tx: Tx, kind: str, project_id: str, most: int, start: int) -> list[dict[str, Any]]:
    """Give a project's rows of one kind, *most* from *start* on, in a fixed order."""
    asked = _OWNED[kind]
    columns = asked.selected_columns
    asked = asked.where(columns.project_id == project_id).order_by(*_order(asked)).limit(most).offset(start)
    return [dict(row._mapping) for row in tx.execute(asked)]  # noqa: SLF001 (SQLAlchemy's public name for it)


def _order(asked: Select[Any]) -> list[Any]:
    columns = asked.selected_columns
    return [columns[name] for name in ("batch_id", "line", "sequence", "id") if name in columns]


def list_bodies(tx: Tx, project_id: str, after: str, most: int) -> list[tuple[str, str | None, str, int]]:
    """Give responses in the order of their ids: id, conversation, body, when it was made."""
    columns = (responses.c.id, responses.c.conversation_id, responses.c.body, responses.c.created_ms)
    asked = select(*columns).where(responses.c.project_id == project_id, responses.c.id > after)
    return [(row[0], row[1], row[2], row[3]) for row in tx.execute(asked.order_by(responses.c.id).limit(most))]


def delete_responses(tx: Tx, ids: list[str]) -> int:
    """Delete responses with their items."""
    return tx.execute(delete(responses).where(responses.c.id.in_(ids))).rowcount


def delete_conversations(tx: Tx, ids: set[str]) -> int:
    """Delete conversations with their items."""
    return tx.execute(delete(conversations).where(conversations.c.id.in_(ids))).rowcount


def old_archive(tx: Tx, project_id: str, before_ms: int, most: int) -> tuple[list[str], set[str]]:
    """Give ids of responses and of conversations that are older than a moment."""
    found = []
    for table in (responses, conversations):
        asked = select(table.c.id).where(table.c.project_id == project_id, table.c.created_ms < before_ms)
        found.append(list(tx.execute(asked.limit(most)).scalars()))
    return found[0], set(found[1])
