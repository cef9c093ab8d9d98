"""Sockets of the limiter, and of the family of processes that it may be shared by."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from primeur.core.caller import Gate
from primeur.core.errors import SliceSpent
from primeur.core.scaling import Load


class Standing(msgspec.Struct, frozen=True, gc=False):
    """How full the tightest gate is, for ``x-ratelimit-*`` headers; None where no limit is set.

    Attributes:
        requests_reset_ms, tokens_reset_ms: milliseconds until the allowance is whole again.
    """

    requests_limit: int | None = None
    requests_left: int | None = None
    requests_reset_ms: int = 0
    tokens_limit: int | None = None
    tokens_left: int | None = None
    tokens_reset_ms: int = 0


class Hold(msgspec.Struct, frozen=True, gc=False):
    """What a request has reserved in every gate until its lane settles it, once.

    Attributes:
        at_ms: UTC milliseconds of the reservation; days and months are charged by it.
    """

    lane: "Lane"
    tokens: int
    cost_nanos: int
    at_ms: int


class Lane(Protocol):
    """The gates of one caller before one deployment, bound to their live counters; awaits nothing."""

    @property
    def counts_money(self) -> bool:
        """Whether a budget is among the gates: only then is the cost looked at."""
        ...

    def reserve(self, tokens: int, cost_nanos: int | None, now_ms: int) -> Hold:
        """Take one request, *tokens* and *cost_nanos* from every gate, all or nothing.

        Args:
            tokens, cost_nanos: the most that the request can come to; a cost of None is unknown.

        Raises:
            OverLimit: a gate is shut; says which limit and when to come back. OverBudget is one.
            SliceSpent: what this process may give away is used up and there may be more; `Limiter.fill` the lane.
        """
        ...

    def settle(self, hold: Hold, tokens: int, cost_nanos: int | None, now_ms: int) -> None:
        """Replace what was reserved by what was used, and end the request's concurrency."""
        ...

    def withdraw(self, hold: Hold, now_ms: int) -> None:
        """Give everything back, the request too, as if it had never been reserved."""
        ...

    def standing(self, now_ms: int) -> Standing:
        """Tell how full the tightest gate is."""
        ...


class Reservation(Protocol):
    """A reserved throughput of all who share it, as a leaky bucket that holds a minute of it; awaits nothing.

    A request is let in while the bucket is less than full, whatever its size; so one may go over its edge.
    """

    per_minute: int

    def wait_ms(self, tokens: int, now_ms: int) -> int:
        """Milliseconds until a request that may take *tokens* is let in; 0: now, and then it must `take` them.

        Raises:
            SliceSpent: what this process may give away is used up and there may be more; `Limiter.fill` it.
        """
        ...

    def take(self, tokens: int, now_ms: int) -> None:
        """Add what a request may take."""
        ...

    def correct(self, more: int, now_ms: int) -> None:
        """Add, or take off (negative) what a request was thought to take and did not."""
        ...

    def utilisation(self, now_ms: int) -> float:
        """How full it is, as far as is known here; 1.0 is full, more is over."""
        ...

    def resize(self, per_minute: int) -> None:
        """Reserve more or less; what is in it stays."""
        ...


class Limiter(Protocol):
    """Live counters for rates, requests in flight and money."""

    def lane(self, gates: tuple[Gate, ...], currency: str | None) -> Lane:
        """Bind *gates* to their counters; a counter that is known goes on from where it stands.

        Args:
            currency: of the deployment's price; None when it has none.
        """
        ...

    def reservation(self, scope: str, per_minute: int) -> Reservation:
        """Give the reserved throughput of *scope*, tokens a minute; nothing is in it that nobody has taken."""
        ...

    async def refresh(self, reservations: Sequence[Reservation]) -> None:
        """Learn how full they are; where whoever keeps them cannot be reached, what is known stays."""
        ...

    @property
    def lost(self) -> str:
        """Why whoever keeps the counts cannot be reached; empty while they can be."""
        ...

    @property
    def shares_when_lost(self) -> bool:
        """Whether this process gives away its part of the limits while they are lost; else nothing."""
        ...

    def forget_idle(self) -> None:
        """Drop counters that stand as new ones would, when there are too many; call it between two snapshots."""
        ...

    async def fill(self, spent: SliceSpent) -> None:
        """Get more of what *spent* lacked, or learn that there is none; the next try will know.

        Raises:
            NotReady: whoever keeps the counters cannot be reached, and the settings say to fail closed.
        """
        ...


class Family(Protocol):
    """All processes of this house, where there are several."""

    async def metrics(self) -> bytes:
        """Everybody's metrics as one, in Prometheus' text format.

        Raises:
            OSError: the parent process does not answer.
        """
        ...

    async def loads(self) -> dict[str, Load]:
        """What all of them have under way together, by revision; raises as `metrics`."""
        ...
