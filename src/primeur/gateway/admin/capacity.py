"""Capacity: requests, bids, offers, release windows and commitments."""

from collections.abc import Callable
from typing import Any

import msgspec

from primeur.broker.book_rows import PaperRow, find_paper
from primeur.broker.commands import Answer as Word
from primeur.broker.commands import AnswerOffer
from primeur.broker.papers import Offer
from primeur.broker.register import Kind
from primeur.broker.terms import Terms
from primeur.core.ids import make_id
from primeur.gateway.admin.page import Page
from primeur.gateway.admin.papers import PaperQuery, PaperView, lister, shower, shown
from primeur.gateway.doors import Door
from primeur.gateway.visit import Answer, Handler, Visit
from primeur.walks import commit_capacity
from primeur.walks import request_capacity as walk
from primeur.walks.choose_project import actor_of


class NewRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What we need, and the most that we would agree to; the same *key* twice is one request."""

    ceiling: Terms
    key: str | None = None


class NewBid(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a third party binds itself to; for 30 days when *expires_ms* is not given."""

    provider: str
    terms: Terms
    expires_ms: int | None = None
    key: str | None = None


class NewOffer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the holder is asked; the ceiling's terms, or the best bid's, when none are given."""

    terms: Terms | None = None
    key: str | None = None


class NewCommitment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is agreed with a third party; *window* is the release that it uses."""

    request: str
    provider: str
    terms: Terms
    window: str | None = None
    key: str | None = None


class NewTerms(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What holds of a commitment from now on; a start that is over counts as now, and the end stays."""

    terms: Terms
    key: str | None = None


class Said(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A holder's answer to the terms of this hash."""

    answer: Word
    hash: str
    units: int | None = None
    counter: Terms | None = None
    key: str | None = None


class Cancel(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The same *key* twice is one."""

    key: str | None = None


class Change(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a step needs.

    Attributes:
        hash: for a receipt: of the terms that arrived.
        failed: for a signature that was not given.
        unmet: for a request that nobody could fill.
        window: the release that is given back.
    """

    hash: str = ""
    failed: bool = False
    unmet: bool = False
    window: str = ""
    key: str | None = None


async def post_request(visit: Visit) -> Answer:
    """``POST /api/v1/capacity/requests``."""
    ask = visit.read(NewRequest)
    kept, made = await walk.open_request(visit.house, visit.caller, ask.ceiling, ask.key)
    return shown(kept, made, 201)


async def post_bid(visit: Visit) -> Answer:
    """``POST /api/v1/capacity/requests/{id}/bids``."""
    ask = visit.read(NewBid)
    kept, made = await walk.seal_bid(
        visit.house, visit.caller, visit.params["id"], ask.provider, ask.terms, ask.expires_ms, ask.key
    )
    return shown(kept, made, 201)


async def post_offer(visit: Visit) -> Answer:
    """``POST /api/v1/capacity/requests/{id}/offers``."""
    ask = visit.read(NewOffer)
    kept, made = await walk.send_offer(visit.house, visit.caller, visit.params["id"], ask.terms, ask.key)
    return shown(kept, made, 201)


async def post_cancel(visit: Visit) -> Answer:
    """``POST /api/v1/capacity/requests/{id}/cancel``."""
    ask, request = visit.read(Change), visit.params["id"]
    return shown(await walk.cancel_request(visit.house, visit.caller, request, ask.key, unmet=ask.unmet), request)


async def post_answer(visit: Visit) -> Answer:
    """``POST /api/v1/capacity/offers/{id}/answer``."""
    return await answer(visit, visit.params["id"], visit.read(Said), actor_of(visit.caller))


async def answer(visit: Visit, offer: str, said: Said, actor: str) -> Answer:
    """Take a holder's word, however it came."""
    key = said.key or make_id("command", visit.arrived_ms, visit.house.entropy)
    command = AnswerOffer(key, offer, said.hash, said.answer, said.units, said.counter)
    return shown(await walk.answer_offer(visit.house, actor, command), offer)


def _step(take: Callable[[Visit, str, Change], Any], name: str) -> Handler:
    async def handler(visit: Visit) -> Answer:
        offer = visit.params["id"]
        return shown(await take(visit, offer, visit.read(Change)), offer)

    handler.__name__ = name
    return handler


def _receive(visit: Visit, offer: str, ask: Change) -> Any:
    return walk.receive_notice(visit.house, visit.caller, offer, ask.hash, ask.key)


def _withdraw(visit: Visit, offer: str, ask: Change) -> Any:
    return walk.withdraw_offer(visit.house, visit.caller, offer, ask.key)


def _close(visit: Visit, offer: str, ask: Change) -> Any:
    return walk.close_offer(visit.house, visit.caller, offer, ask.key, failed=ask.failed)


async def post_amendment(visit: Visit) -> Answer:
    """``POST /api/v1/capacity/offers/{id}/amend``."""
    ask, offer = visit.read(NewOffer), visit.params["id"]

    def known(row: PaperRow) -> Terms:
        assert isinstance(row.line.paper, Offer)  # noqa: S101
        return row.line.paper.terms

    terms = ask.terms or known(await visit.house.store.read(lambda tx: find_paper(tx, Kind.OFFER, offer)))
    return shown(await walk.amend_offer(visit.house, visit.caller, offer, terms, ask.key), offer)


async def post_give_back(visit: Visit) -> Answer:
    """``POST /api/v1/capacity/windows/give-back``."""
    ask = visit.read(Change)
    return shown(await commit_capacity.give_back(visit.house, visit.caller, ask.window, ask.key), ask.window)


async def post_commitment(visit: Visit) -> Answer:
    """``POST /api/v1/capacity/commitments``."""
    ask = visit.read(NewCommitment)
    kept, made = await commit_capacity.commit_third(
        visit.house, visit.caller, ask.request, ask.provider, ask.terms, ask.window, ask.key
    )
    return shown(kept, made, 201)


async def post_commitment_amendment(visit: Visit) -> Answer:
    """``POST /api/v1/capacity/commitments/{id}/amend``."""
    ask = visit.read(NewTerms)
    kept, made = await commit_capacity.amend_commitment(
        visit.house, visit.caller, visit.params["id"], ask.terms, ask.key
    )
    return shown(kept, made, 201)


async def post_commitment_cancel(visit: Visit) -> Answer:
    """``POST /api/v1/capacity/commitments/{id}/cancel``."""
    ask, commitment = visit.read(Cancel), visit.params["id"]
    return shown(await commit_capacity.cancel_commitment(visit.house, visit.caller, commitment, ask.key), commitment)


_AT = "/api/v1/capacity"
_LISTS = (
    (Kind.REQUEST, "requests", "capacity:read"),
    (Kind.OFFER, "offers", "capacity:read"),
    (Kind.WINDOW, "windows", "capacity:read"),
    (Kind.COMMITMENT, "commitments", "capacity:read"),
    # Bids are sealed: whoever answers offers must not see them.
    (Kind.BID, "bids", "capacity:write"),
)


def _writes(path: str, handler: Handler, summary: str, tells: str, takes: Any, status: int = 200) -> Door:  # noqa: PLR0913, PLR0917
    permission = "capacity:answer" if path.endswith("/answer") else "capacity:write"
    return Door(
        "POST", f"{_AT}/{path}", handler, summary, permission, tells=tells, face="admin", takes=takes,
        gives=PaperView, status=status,
    )  # fmt: skip


DOORS = (
    *(
        Door("GET", f"{_AT}/{name}", lister(kind), f"List {name}", permission, face="admin", takes=PaperQuery,
             gives=Page[PaperView])
        for kind, name, permission in _LISTS
    ),
    *(
        Door("GET", f"{_AT}/{name}/{{id}}", shower(kind), f"Show one of the {name}", permission, face="admin",
             gives=PaperView)
        for kind, name, permission in _LISTS
        if kind in {Kind.REQUEST, Kind.OFFER, Kind.COMMITMENT}
    ),
    _writes("requests", post_request, "Request capacity", "CapacityRequestMoved", NewRequest, 201),
    _writes("requests/{id}/bids", post_bid, "Seal a third party's bid", "BidSealed", NewBid, 201),
    _writes("requests/{id}/offers", post_offer, "Ask the holder", "OfferMoved", NewOffer, 201),
    _writes("requests/{id}/cancel", post_cancel, "Give up what is left", "CapacityRequestMoved", Change),
    _writes("offers/{id}/answer", post_answer, "Answer an offer", "OfferMoved", Said),
    _writes("offers/{id}/receive", _step(_receive, "receive"), "Note that a notice arrived", "OfferMoved", Change),
    _writes("offers/{id}/withdraw", _step(_withdraw, "withdraw"), "Take an offer back", "OfferMoved", Change),
    _writes("offers/{id}/close", _step(_close, "close"), "Sign an acceptance", "CommitmentMoved", Change),
    _writes("offers/{id}/amend", post_amendment, "Change an offer's terms", "OfferMoved", NewOffer),
    _writes("windows/give-back", post_give_back, "Give a release back", "ReleaseMoved", Change),
    _writes("commitments", post_commitment, "Commit with a third party", "CommitmentMoved", NewCommitment, 201),
    _writes("commitments/{id}/amend", post_commitment_amendment, "Supersede a commitment by other terms",
            "CommitmentMoved", NewTerms, 201),
    _writes("commitments/{id}/cancel", post_commitment_cancel, "End a commitment before its term", "CommitmentMoved",
            Cancel),
)  # fmt: skip
