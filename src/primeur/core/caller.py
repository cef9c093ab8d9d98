"""Who calls, and how much they may: compiled once per snapshot."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one scope; None is no limit.

    Attributes:
        rpm: requests a minute.
        tpm: tokens a minute, input and output together.
        concurrency: requests in flight.
    """

    rpm: int | None = None
    tpm: int | None = None
    concurrency: int | None = None


@dataclass(frozen=True, slots=True)
class Gate:
    """A scope with limits that a request passes through, such as ``key:key_06f3``."""

    scope: str
    limits: Limits


@dataclass(frozen=True, slots=True)
class Caller:
    """A key or a signed-in member, as the hot path sees them.

    Attributes:
        key_id: the key, or the session's member id.
        permissions: words such as ``inference``, ``keys:write``; see governance/rules.py.
        gates: limits that every request of this caller passes.
        deployments: names this caller may use; None is all.
        expires_ms: UTC milliseconds; None is never.
        keeps_prompts: the project asked for prompts and answers to be kept in the request log.
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
    member_id: str | None = None
