"""What can happen to prices."""

from primeur.core.events.base import Event


class PriceSet(Event, frozen=True):
    """A deployment's tokens have a price from a moment on."""

    deployment: str
    price_id: str


MeteringEvent = PriceSet
