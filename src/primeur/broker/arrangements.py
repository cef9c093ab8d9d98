"""What is arranged with a holder beside its right: how notices reach it, and what is answered in its name."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from primeur.broker.book import Book
from primeur.broker.commands import Answer, AnswerOffer, CloseOffer, Command, ReceiveNotice
from primeur.broker.papers import Offer, OfferState
from primeur.broker.rights import Right
from primeur.core.errors import BadRequest


@dataclass(frozen=True, slots=True)
class Policy:
    """A standing answer: accept up to so many units while the price is within bounds; leave the rest to the holder.

    Attributes:
        units: the most that it accepts of one offer.
        least_price_nanos, most_price_nanos: per unit and hour; None is no bound.
    """

    units: int
    least_price_nanos: int | None = None
    most_price_nanos: int | None = None

    def __post_init__(self) -> None:
        """Refuse a policy that can never accept.

        Raises:
            BadRequest: no units.
        """
        if self.units < 1:
            raise BadRequest("a policy accepts at least 1 unit; leave it out to answer by hand", param="policy.units")


@dataclass(frozen=True, slots=True)
class Arrangements:
    """How a holder is told and heard.

    Attributes:
        policy: answers in the holder's name; None: the holder answers each offer.
        webhook: the URL that notices are sent to; a notice is received when it was taken there. None: the notice counts
            as received in the house's own inbox, at once.
        reply_at: how the holder reaches this house, a URL of scheme https; the link in a notice begins so.
        closes: whether an acceptance is signed ``at_once`` or ``by_hand``.
    """

    policy: Policy | None = None
    webhook: str | None = None
    reply_at: str = ""
    closes: Literal["at_once", "by_hand"] = "at_once"


def follow_up(book: Book, arranged: Arrangements) -> Iterator[Command]:
    """Give what is to be said next without anybody's doing: receipts, answers by policy, signatures."""
    for offer in book.offers.values():
        key = f"{offer.id}/{offer.version}"
        if offer.state == OfferState.NOTICED and arranged.webhook is None:
            yield ReceiveNotice(f"{key}/receive", offer.id, offer.hash)
        elif offer.state == OfferState.OPEN and arranged.policy is not None:
            right = book.right_of(book.requests[offer.request])
            units = _units(arranged.policy, offer, right)
            if units:
                yield AnswerOffer(f"{key}/policy", offer.id, offer.hash, Answer.ACCEPT, units)
        elif offer.accepted and arranged.closes == "at_once" and offer.state in _ACCEPTED:
            yield CloseOffer(f"{key}/close", offer.id, f"{offer.id}.commitment")


_ACCEPTED = frozenset({OfferState.ACCEPTED, OfferState.PARTLY_ACCEPTED})


def _units(policy: Policy, offer: Offer, right: Right | None) -> int:
    """How many units a policy accepts, in whole blocks; 0: it has nothing to say."""
    price, least, most = offer.terms.unit_price_nanos, policy.least_price_nanos, policy.most_price_nanos
    if (least is not None and price < least) or (most is not None and price > most):
        return 0
    if policy.units >= offer.terms.units:
        return offer.terms.units
    block = right.partial_block if right is not None else None
    return 0 if block is None else policy.units - policy.units % block
