"""Where a change was asked for: set once by whoever lets a request in, written beside every event it leads to."""

from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Origin:
    """A request.

    Attributes:
        address: the caller's IP address.
        request_id: ``req_...``.
        organisation_id: whose affairs it touches.
    """

    address: str = ""
    request_id: str = ""
    organisation_id: str = ""


NOWHERE = Origin()
ORIGIN: ContextVar[Origin] = ContextVar("origin", default=NOWHERE)
