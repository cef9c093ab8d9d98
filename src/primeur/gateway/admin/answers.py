"""The way in for a holder without a key: a signed link that shows one offer and takes one answer to its terms."""

from typing import Any

import msgspec

from primeur.broker.book_rows import find_paper
from primeur.broker.commands import Answer as Word
from primeur.broker.links import Link, read_link
from primeur.broker.papers import Offer
from primeur.broker.register import Kind
from primeur.broker.terms import Terms
from primeur.gateway.admin.capacity import Said, answer
from primeur.gateway.admin.papers import PaperView
from primeur.gateway.doors import Door
from primeur.gateway.visit import Answer, Visit, json_answer


class OfferedView(msgspec.Struct, frozen=True, kw_only=True):
    """An offer as its holder sees it; *hash* is of the terms that the link may answer."""

    offer: str
    state: str
    version: int
    hash: str
    deadline_ms: int | None
    terms: dict[str, Any]


class LinkAnswer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A holder's answer; the link says to which terms."""

    answer: Word
    units: int | None = None
    counter: Terms | None = None
    key: str | None = None


def _link(visit: Visit) -> Link:
    return read_link(visit.house.place.pepper, visit.params["token"], visit.arrived_ms)


async def get_offered(visit: Visit) -> Answer:
    """``GET /api/v1/capacity/answers/{token}``."""
    link = _link(visit)
    row = await visit.house.store.read(lambda tx: find_paper(tx, Kind.OFFER, link.offer))
    offer = row.line.paper
    assert isinstance(offer, Offer)  # noqa: S101
    return json_answer(
        OfferedView(
            offer=offer.id,
            state=row.line.state,
            version=offer.version,
            hash=offer.hash,
            deadline_ms=offer.deadline_ms,
            terms=msgspec.to_builtins(offer.terms),
        )
    )


async def post_link_answer(visit: Visit) -> Answer:
    """``POST /api/v1/capacity/answers/{token}``."""
    link, said = _link(visit), visit.read(LinkAnswer)
    whole = Said(answer=said.answer, hash=link.hash, units=said.units, counter=said.counter, key=said.key)
    return await answer(visit, link.offer, whole, "link")


_PATH = "/api/v1/capacity/answers/{token}"
DOORS = (
    Door("GET", _PATH, get_offered, "Show the offer that a link answers", None, face="admin", gives=OfferedView),
    Door(
        "POST", _PATH, post_link_answer, "Answer an offer by its link", None, tells="OfferMoved", face="admin",
        takes=LinkAnswer, gives=PaperView,
    ),
)  # fmt: skip
