"""Rates, concurrency and holds in this process's memory: token buckets, all or nothing over every gate."""

from dataclasses import dataclass

from primeur.core.caller import Gate, Limits
from primeur.core.errors import OverLimit
from primeur.core.ports import Hold, Standing

_MINUTE_US = 60_000_000
_SCOPES_LIMIT = 100_000


@dataclass(slots=True)
class _Bucket:
    """A token bucket: *left* may fall below zero when an answer used more than was held."""

    size: int
    left: float

    def resize(self, size: int) -> None:
        self.left += size - self.size
        self.size = size

    def refill(self, elapsed_us: int) -> None:
        self.left = min(self.size, self.left + elapsed_us * self.size / _MINUTE_US)

    def wait_ms(self, need: float) -> int:
        """Milliseconds until *need* are there."""
        return max(1, round((need - self.left) * _MINUTE_US / self.size / 1000) + 1) if self.left < need else 0


@dataclass(slots=True)
class _Counters:
    """One scope's, as they were at *at_us*."""

    limits: Limits
    requests: _Bucket
    tokens: _Bucket
    at_us: int
    in_flight: int = 0


class MemoryLimiter:
    """Implements `primeur.core.ports.Limiter` for one process."""

    def __init__(self) -> None:
        """Every scope starts with a full allowance."""
        self._scopes: dict[str, _Counters] = {}

    def reserve(self, gates: tuple[Gate, ...], tokens: int, now_us: int) -> Hold:
        """See the port."""
        found = [self._refilled(gate, now_us) for gate in gates]
        for gate, counters in zip(gates, found, strict=True):
            self._check(gate, counters, tokens)
        for counters in found:
            counters.requests.left -= 1
            counters.tokens.left -= tokens
            counters.in_flight += 1
        return Hold(gates, tokens, now_us)

    def settle(self, hold: Hold, tokens: int, now_us: int) -> None:
        """See the port."""
        for gate in hold.gates:
            counters = self._refilled(gate, now_us)
            bucket = counters.tokens
            bucket.left = min(bucket.size, bucket.left + hold.tokens - tokens)
            counters.in_flight = max(0, counters.in_flight - 1)

    def standing(self, gates: tuple[Gate, ...], now_us: int) -> Standing:
        """See the port."""
        found = [self._refilled(gate, now_us) for gate in gates]
        requests = self._tightest([one.requests for one in found if one.limits.rpm is not None])
        tokens = self._tightest([one.tokens for one in found if one.limits.tpm is not None])
        return Standing(
            requests_limit=requests.size if requests else None,
            requests_left=max(0, int(requests.left)) if requests else None,
            requests_reset_ms=requests.wait_ms(requests.size) if requests else 0,
            tokens_limit=tokens.size if tokens else None,
            tokens_left=max(0, int(tokens.left)) if tokens else None,
            tokens_reset_ms=tokens.wait_ms(tokens.size) if tokens else 0,
        )

    def _tightest(self, limited: list[_Bucket]) -> _Bucket | None:
        return min(limited, key=lambda bucket: bucket.left / bucket.size, default=None)

    def _check(self, gate: Gate, counters: _Counters, tokens: int) -> None:
        limits = gate.limits
        if limits.concurrency is not None and counters.in_flight >= limits.concurrency:
            raise OverLimit(
                f"{gate.scope} has {counters.in_flight} requests in flight, its limit; wait for one to finish",
                retry_after_ms=1000,
                code="concurrency_limit_exceeded",
            )
        if limits.rpm is not None and counters.requests.left < 1:
            wait_ms = counters.requests.wait_ms(1)
            raise OverLimit(
                f"{gate.scope} has used its {limits.rpm} requests a minute; retry in {wait_ms / 1000:.1f} s",
                retry_after_ms=wait_ms,
            )
        if limits.tpm is None:
            return
        if tokens > limits.tpm:
            raise OverLimit(
                f"this request may take {tokens} tokens and {gate.scope} has {limits.tpm} tokens a minute; "
                "shorten the prompt or ask for fewer output tokens",
                retry_after_ms=60_000,
                code="request_exceeds_token_limit",
            )
        if counters.tokens.left < tokens:
            wait_ms = counters.tokens.wait_ms(tokens)
            raise OverLimit(
                f"{gate.scope} has {max(0, int(counters.tokens.left))} of its {limits.tpm} tokens a minute left and "
                f"this request may take {tokens}; retry in {wait_ms / 1000:.1f} s",
                retry_after_ms=wait_ms,
                code="token_limit_exceeded",
            )

    def _refilled(self, gate: Gate, now_us: int) -> _Counters:
        counters = self._scopes.get(gate.scope)
        if counters is None:
            counters = self._begin(gate, now_us)
        elif counters.limits is not gate.limits:
            # The snapshot is another one: a limit that grew is granted at once, one that shrank is taken at once.
            counters.limits = gate.limits
            counters.requests.resize(gate.limits.rpm or 1)
            counters.tokens.resize(gate.limits.tpm or 1)
        elapsed_us = now_us - counters.at_us
        if elapsed_us:
            counters.at_us = now_us
            counters.requests.refill(elapsed_us)
            counters.tokens.refill(elapsed_us)
        return counters

    def _begin(self, gate: Gate, now_us: int) -> _Counters:
        if len(self._scopes) >= _SCOPES_LIMIT:
            self._forget_idle()
        # A scope without a limit still counts concurrency; its buckets are never looked at.
        rpm, tpm = gate.limits.rpm or 1, gate.limits.tpm or 1
        counters = _Counters(gate.limits, _Bucket(rpm, rpm), _Bucket(tpm, tpm), now_us)
        self._scopes[gate.scope] = counters
        return counters

    def _forget_idle(self) -> None:
        """Drop scopes that nobody waits in; they start full again, which is what idleness would have given them."""
        idle = [scope for scope, counters in self._scopes.items() if counters.in_flight == 0]
        for scope in idle[: _SCOPES_LIMIT // 10]:
            del self._scopes[scope]
