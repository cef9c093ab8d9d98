"""What can happen to prices."""

from primeur.core.events.base import Event


class PriceSet(Event, frozen=True):
    """A deployment's tokens have a price from a moment on."""

    deployment: str
    price_id: str


class RateSet(Event, frozen=True):
    """A price of buying, or of selling to one customer or by other units, holds from a moment on."""

    rate_id: str
    side: str
    party: str
    subject: str


class ShareSet(Event, frozen=True):
    """A partner gets a part of revenue from a moment on."""

    share_id: str
    partner: str


MeteringEvent = PriceSet | RateSet | ShareSet
