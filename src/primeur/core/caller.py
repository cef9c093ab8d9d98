"""Who calls, and how much they may: compiled once per snapshot."""

from dataclasses import dataclass, field
from typing import Any, Literal

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
    lanes: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)
