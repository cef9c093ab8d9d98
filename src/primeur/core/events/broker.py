"""What can happen to rights, papers of procurement, sources and providers' sheets."""

from primeur.core.events.base import Event


class RightMoved(Event, frozen=True):
    """A right was granted, amended or moved; it stands so now."""

    right_id: str
    holder: str
    version: int
    state: str


class RightArranged(Event, frozen=True):
    """How a holder is told of offers, and what is answered in its name, was replaced."""

    right_id: str


class CapacityRequestMoved(Event, frozen=True):
    """A capacity request stands so now."""

    request_id: str
    state: str


class BidSealed(Event, frozen=True):
    """A third party has bound itself to terms; whose and which they are is in its paper."""

    bid_id: str
    request_id: str


class OfferMoved(Event, frozen=True):
    """An offer to a holder stands so now, at this version of its terms."""

    offer_id: str
    request_id: str
    version: int
    state: str


class ReleaseMoved(Event, frozen=True):
    """A release window stands so now."""

    window_id: str
    request_id: str
    state: str


class CommitmentMoved(Event, frozen=True):
    """A commitment stands so now."""

    commitment_id: str
    request_id: str
    provider: str
    state: str


class SourceSet(Event, frozen=True):
    """A provider may serve a deployment, in these terms."""

    deployment: str
    provider: str


class SourceRemoved(Event, frozen=True):
    """A provider may not serve a deployment any more, beyond its revisions."""

    deployment: str
    provider: str


class SheetSet(Event, frozen=True):
    """A provider's products, prices, capacity and data terms have a new version."""

    provider: str
    version: int


class SimulationKept(Event, frozen=True):
    """Figures and drawing of a simulation are kept for others to see."""

    simulation_id: str
    kind: str
    trace: str


BrokerEvent = (
    RightMoved
    | RightArranged
    | CapacityRequestMoved
    | BidSealed
    | OfferMoved
    | ReleaseMoved
    | CommitmentMoved
    | SourceSet
    | SourceRemoved
    | SheetSet
    | SimulationKept
)
