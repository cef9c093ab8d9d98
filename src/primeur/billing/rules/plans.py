"""What can be subscribed to, and what a part of a month costs; pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from primeur.billing.rules.periods import Span
from primeur.core.caller import Limits
from primeur.core.errors import BadRequest, Conflict

NO_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Plan:
    """What a customer subscribes to; it never changes, another one takes its place.

    Attributes:
        fee_nanos: for a whole calendar month, in nano-units of *currency*.
        included_tokens: of a whole month, input and output together.
        overage_nanos: a token beyond those; None: what the deployment's own price says.
        deployments: names that may be used; None is all.
        limits: the rate class, for everything that a customer's projects do together.
        seats: people that the fee includes; None is any number.
        seat_fee_nanos: a month of one more; None: no more can be booked.
        trial_days: how long nothing is charged but overage.
    """

    id: str
    name: str
    currency: str
    fee_nanos: int
    included_tokens: int
    created_ms: int
    overage_nanos: int | None = None
    deployments: frozenset[str] | None = None
    limits: Limits = NO_LIMITS
    seats: int | None = None
    seat_fee_nanos: int | None = None
    trial_days: int = 0
    removed_ms: int | None = None


def part(amount: int, whole: Span, piece: Span) -> int:
    """Give what *piece* is of an *amount* that belongs to *whole*, in integers.

    Each moment has a cumulative part, rounded down; a piece is the difference of two. So the pieces of a whole sum up
    to the amount wherever they are cut, and the last one takes the remainder.
    """
    before = amount * (piece.from_ms - whole.from_ms) // whole.length_ms
    after = amount * (piece.to_ms - whole.from_ms) // whole.length_ms
    return after - before


def month_fee(plan: Plan, seats: int) -> int:
    """Give a whole month's fee for *seats* people, in nanos.

    Raises:
        BadRequest: more people than the plan can take.
    """
    if plan.seats is None or seats <= plan.seats:
        return plan.fee_nanos
    if plan.seat_fee_nanos is None:
        raise BadRequest(f"the plan {plan.name!r} has {plan.seats} seats, not {seats}; choose a larger one")
    return plan.fee_nanos + (seats - plan.seats) * plan.seat_fee_nanos


def check_currency(what: str, currency: str, expected: str) -> None:
    """Refuse a mix of currencies.

    Raises:
        BadRequest: the two differ; nothing is ever converted.
    """
    if currency != expected:
        raise BadRequest(f"{what} is in {currency} and the customer pays in {expected}; currencies are never mixed")


def check_removal(plan: Plan, subscribers: int) -> None:
    """Refuse to take a plan away from under its subscribers.

    Raises:
        Conflict: there are some, or it is gone already.
    """
    if plan.removed_ms is not None:
        raise Conflict(f"the plan {plan.name!r} is removed already")
    if subscribers:
        raise Conflict(f"the plan {plan.name!r} has {subscribers} subscribers; move them to another plan first")


def access_of(plan: Plan, names: Mapping[str, str]) -> frozenset[str] | None:
    """Give the deployments that a plan opens, aliases resolved by *names*; None is all."""
    return None if plan.deployments is None else frozenset(names.get(name, name) for name in plan.deployments)
