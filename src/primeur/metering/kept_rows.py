"""Prompts and answers in the request log: found, and taken out again; what they cost stays in the books."""

from dataclasses import dataclass

from sqlalchemy import or_, select, update

from primeur.store.database import Tx
from primeur.store.schema import requests

_KEPT = or_(requests.c.prompt.is_not(None), requests.c.answer.is_not(None))


@dataclass(frozen=True, slots=True)
class KeptRequest:
    """A request whose prompt or answer is kept."""

    id: str
    key_id: str
    at_ms: int
    prompt: str | None
    answer: str | None


def read_kept(tx: Tx, project_id: str, after: str, most: int) -> list[KeptRequest]:
    """Give a project's kept requests in the order of their ids, *most* at once, from *after* on."""
    asked = (
        select(*(requests.c[name] for name in KeptRequest.__slots__))
        .where(requests.c.project_id == project_id, requests.c.id > after, _KEPT)
        .order_by(requests.c.id)
        .limit(most)
    )
    return [KeptRequest(*row) for row in tx.execute(asked)]


def old_kept(tx: Tx, project_id: str, before_ms: int, most: int) -> list[str]:
    """Give ids of a project's kept requests from before a moment."""
    asked = select(requests.c.id).where(requests.c.project_id == project_id, requests.c.at_ms < before_ms, _KEPT)
    return list(tx.execute(asked.limit(most)).scalars())


def forget_texts(tx: Tx, ids: list[str]) -> int:
    """Take prompts and answers out of the log, and the addresses they came from; gives how many requests had any."""
    change = update(requests).where(requests.c.id.in_(ids)).values(prompt=None, answer=None, address="")
    return tx.execute(change).rowcount
