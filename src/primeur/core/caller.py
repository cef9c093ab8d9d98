"""Who calls, and how much they may: compiled once per snapshot."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any, Literal

_NEAR_LIMIT = 1024

Period = Literal["day", "month", "total"]


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one scope; None is no limit.

    Attributes:
        rpm: requests in any 60 seconds.
        tpm: tokens in any 60 seconds, input and output together.
        concurrency: requests in flight.
        rpd: requests a day, UTC.
        tpd: tokens a day, UTC.
    """

    rpm: int | None = None
    tpm: int | None = None
    concurrency: int | None = None
    rpd: int | None = None
    tpd: int | None = None


@dataclass(frozen=True, slots=True)
class Budget:
    """Money that one scope may spend in a period.

    Attributes:
        limit_nanos: nano-units of *currency*; the worst case of a request is held before it is let in.
        period: a UTC day, a UTC month, or everything since the first request.
        allows_unpriced: let requests in whose price is unknown, or in another currency; they count as nothing.
    """

    id: str
    currency: str
    limit_nanos: int
    period: Period
    allows_unpriced: bool = False


@dataclass(frozen=True, slots=True)
class Gate:
    """A scope with limits that a request passes through, such as ``key:key_06f3``."""

    scope: str
    limits: Limits
    budgets: tuple[Budget, ...] = ()


@dataclass(frozen=True, slots=True)
class Caller:
    """A key or a signed-in member, as the hot path sees them.

    Attributes:
        key_id: the key, or the session's member id.
        permissions: words such as ``inference``, ``keys:write``; see governance/rules.py.
        gates: limits that every request of this caller passes.
        deployments: names this caller may use; None is all.
        expires_ms: UTC milliseconds; None is never.
        masks: what is taken out of what is kept (`primeur.core.masking`).
        keeps_prompts: the project asked for prompts and answers to be kept in the request log.
        routes: words such as ``chat`` or ``files`` that this caller may use; None is all. See governance/key_scopes.py.
        networks: addresses it may call from; None is all.
        session_id: the session, for a member who is signed in.
        seen_ms: when the session was last used, as far as the snapshot knows.
        idle_ms: how long the session may rest.
        near: whether an address is within `networks`, for those seen so far.
        prices: negotiated ones, by deployment (`primeur.core.chat.price_of`).
        lanes: by deployment, its gates bound to live counters (`primeur.core.ports.Lane`) when first asked for.
    """

    key_id: str
    project_id: str
    organisation_id: str
    name: str
    permissions: frozenset[str]
    gates: tuple[Gate, ...] = ()
    deployments: frozenset[str] | None = None
    expires_ms: int | None = None
    keeps_prompts: bool = False
    masks: tuple[str, ...] = ()
    member_id: str | None = None
    routes: frozenset[str] | None = None
    networks: tuple[IPv4Network | IPv6Network, ...] | None = None
    session_id: str | None = None
    seen_ms: int | None = None
    idle_ms: int | None = None
    near: dict[str, bool] = field(default_factory=dict, compare=False, repr=False)
    prices: Mapping[str, Any] = field(default_factory=dict, repr=False)
    lanes: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)

    def fits(self, route: str, address: str) -> bool:
        """Whether this caller may use *route* from *address*; two comparisons for callers without such bounds."""
        if self.routes is not None and route not in self.routes:
            return False
        return self.networks is None or self._is_near(address)

    def _is_near(self, address: str) -> bool:
        found = self.near.get(address)
        if found is None:
            if len(self.near) >= _NEAR_LIMIT:
                self.near.clear()
            found = self.near[address] = _lies_in(address, self.networks or ())
        return found


def _lies_in(address: str, networks: tuple[IPv4Network | IPv6Network, ...]) -> bool:
    try:
        place = ip_address(address)
    except ValueError:
        return False
    if isinstance(place, IPv6Address) and place.ipv4_mapped is not None:
        place = place.ipv4_mapped
    return any(place in network for network in networks)
