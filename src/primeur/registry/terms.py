"""On which terms a deployment serves: its type, what is reserved for it, and how it is upgraded; pure.

The types are those of Azure's deployments, as far as they mean something in a house of one's own.

Source: Azure OpenAI, "Deployment types".
"""

from dataclasses import dataclass
from typing import Literal

from primeur.core.chat import Ask
from primeur.core.errors import BadRequest, OverReserved, VersionRetired
from primeur.core.ports import Reservation
from primeur.core.usage import Usage
from primeur.registry.facts import day_of
from primeur.registry.upgrades import NEVER, Upgrade

Kind = Literal["local", "standard", "provisioned", "batch"]
# On an engine of this house.
LOCAL: Kind = "local"
# At a provider, paid for as it is used.
STANDARD: Kind = "standard"
# A throughput is reserved: nobody else's load is let in beyond it, and it is let in as long as it is not used up.
PROVISIONED: Kind = "provisioned"
# Answers batches only, when nobody waits; usually at a lower price.
BATCH: Kind = "batch"


@dataclass(frozen=True, slots=True)
class Terms:
    """What was agreed for one deployment.

    Attributes:
        kind: None: local on an engine, standard at a provider.
        reserved_tpm: tokens a minute, of a provisioned one.
    """

    kind: Kind | None = None
    reserved_tpm: int | None = None
    upgrade: Upgrade = NEVER

    def kind_on(self, engine: str | None) -> Kind:
        """The type of a deployment whose revision runs on *engine*; None is a provider."""
        return self.kind or (STANDARD if engine is None else LOCAL)


def check_terms(terms: Terms, engine: str | None) -> Terms:
    """Give *terms* back if a revision on *engine* (None: at a provider) can keep them.

    Raises:
        BadRequest: they contradict each other, or where the revision runs.
    """
    if terms.kind == PROVISIONED and terms.reserved_tpm is None:
        raise BadRequest(
            "a provisioned deployment reserves a throughput; say reserved_tokens_per_minute",
            param="reserved_tokens_per_minute",
        )
    if terms.kind != PROVISIONED and terms.reserved_tpm is not None:
        raise BadRequest(
            "only a provisioned deployment reserves a throughput; set its type to provisioned, or leave it out",
            param="reserved_tokens_per_minute",
        )
    if (terms.kind == LOCAL and engine is None) or (terms.kind == STANDARD and engine is not None):
        where = "at a provider" if engine is None else f"on the engine {engine!r}"
        fits = STANDARD if engine is None else LOCAL
        raise BadRequest(f"a revision {where} cannot be {terms.kind}; set the type to {fits}", param="type")
    return terms


class Entry:
    """What a deployment's terms say to each request; compiled once per snapshot, its bucket outlives it.

    Args:
        ends_ms: from then on requests are refused with *ended*, because the version has ended; None: never.
    """

    __slots__ = ("_bucket", "_ended", "_ends_ms", "_name", "_only_batches")

    def __init__(
        self,
        name: str,
        *,
        bucket: Reservation | None = None,
        only_batches: bool = False,
        ends_ms: int | None = None,
        ended: str = "",
    ) -> None:
        """Keep them."""
        self._name, self._bucket, self._only_batches = name, bucket, only_batches
        self._ends_ms, self._ended = ends_ms, ended

    def check(self, ask: Ask) -> None:
        """Let *ask* in, or not.

        Raises:
            VersionRetired: what would answer has ended.
            BadRequest: only batches are answered.
        """
        if self.ended_at(ask.arrived_ms):
            raise VersionRetired(self._ended, param="model")
        if self._only_batches and not ask.low_priority:
            raise BadRequest(
                f"deployment {self._name!r} answers batches only; send a batch (POST /v1/batches) or name another one",
                param="model",
                code="batch_only",
            )

    def ended_at(self, now_ms: int) -> str:
        """Say that what would answer has ended, and what to do; empty until it has."""
        return self._ended if self._ends_ms is not None and now_ms >= self._ends_ms else ""

    def check_reserved(self, tokens: int, now_ms: int) -> None:
        """Let a request in that may take *tokens*, or not.

        Raises:
            OverReserved: the reserved throughput is used up; says when to come back.
            SliceSpent: see `primeur.core.ports.Reservation`.
        """
        if self._bucket is not None:
            wait_ms = self._bucket.wait_ms(tokens, now_ms)
            if wait_ms:
                raise OverReserved(
                    f"deployment {self._name!r} uses {self._bucket.utilisation(now_ms):.0%} of its"
                    f" {self._bucket.per_minute} reserved tokens a minute; retry in {wait_ms / 1000:.1f} s",
                    retry_after_ms=wait_ms,
                )

    def take(self, tokens: int, now_ms: int) -> None:
        """Note what a request that was let in may take."""
        if self._bucket is not None:
            self._bucket.take(tokens, now_ms)

    def settle(self, held: int, usage: Usage | None, now_ms: int) -> None:
        """Put right what a request took; tokens that came from a cache cost no throughput."""
        if self._bucket is not None:
            used = 0 if usage is None else usage.total_tokens - usage.cached_tokens
            self._bucket.correct(used - held, now_ms)


def ended_words(model: str, number: int, ends_ms: int, deployment: str) -> str:
    """Say that a version has ended, and what to do."""
    return (
        f"version {number} of {model!r} ended on {day_of(ends_ms)}, so deployment {deployment!r} answers no more; name"
        f" another deployment, or deploy another version: `primeur deployments create {deployment} --model {model}`"
    )
