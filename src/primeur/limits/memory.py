"""Rates, concurrency and holds in this process's memory: token buckets, all or nothing over every gate."""

from dataclasses import dataclass

from primeur.core.caller import Gate
from primeur.core.errors import OverLimit
from primeur.core.ports import Hold, Standing

_MINUTE_US = 60_000_000
_SCOPES_LIMIT = 100_000


@dataclass(slots=True)
class _Bucket:
    """A token bucket: *left* may fall below zero when an answer used more than was held."""

    size: int
    left: float
    at_us: int

    def refill(self, size: int, now_us: int) -> None:
        if size != self.size:
            self.left += size - self.size
            self.size = size
        self.left = min(size, self.left + (now_us - self.at_us) * size / _MINUTE_US)
        self.at_us = now_us

    def wait_ms(self, need: float) -> int:
        """Milliseconds until *need* are there."""
        return max(1, round((need - self.left) * _MINUTE_US / self.size / 1000) + 1) if self.left < need else 0


@dataclass(slots=True)
class _Counters:
    requests: _Bucket
    tokens: _Bucket
    in_flight: int = 0


class MemoryLimiter:
    """Implements `primeur.core.ports.Limiter` for one process."""

    def __init__(self) -> None:
        """Every scope starts with a full allowance."""
        self._scopes: dict[str, _Counters] = {}

    def reserve(self, gates: tuple[Gate, ...], tokens: int, now_us: int) -> Hold:
        """See the port."""
        for gate in gates:
            self._check(gate, self._refilled(gate, now_us), tokens)
        for gate in gates:
            counters = self._scopes[gate.scope]
            counters.requests.left -= 1
            counters.tokens.left -= tokens
            counters.in_flight += 1
        return Hold(gates, tokens, now_us)

    def settle(self, hold: Hold, tokens: int, now_us: int) -> None:
        """See the port."""
        for gate in hold.gates:
            counters = self._refilled(gate, now_us)
            counters.tokens.left = min(counters.tokens.size, counters.tokens.left + hold.tokens - tokens)
            counters.in_flight = max(0, counters.in_flight - 1)

    def standing(self, gates: tuple[Gate, ...], now_us: int) -> Standing:
        """See the port."""
        requests = self._tightest([(g.limits.rpm, self._refilled(g, now_us).requests) for g in gates])
        tokens = self._tightest([(g.limits.tpm, self._refilled(g, now_us).tokens) for g in gates])
        return Standing(
            requests_limit=requests.size if requests else None,
            requests_left=max(0, int(requests.left)) if requests else None,
            requests_reset_ms=requests.wait_ms(requests.size) if requests else 0,
            tokens_limit=tokens.size if tokens else None,
            tokens_left=max(0, int(tokens.left)) if tokens else None,
            tokens_reset_ms=tokens.wait_ms(tokens.size) if tokens else 0,
        )

    def _tightest(self, pairs: list[tuple[int | None, _Bucket]]) -> _Bucket | None:
        limited = [bucket for limit, bucket in pairs if limit is not None]
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
        # A scope without a limit still counts concurrency; its buckets are never looked at.
        rpm, tpm = max(1, gate.limits.rpm or 1), max(1, gate.limits.tpm or 1)
        if counters is None:
            if len(self._scopes) >= _SCOPES_LIMIT:
                self._forget_idle()
            counters = _Counters(_Bucket(rpm, rpm, now_us), _Bucket(tpm, tpm, now_us))
            self._scopes[gate.scope] = counters
        counters.requests.refill(rpm, now_us)
        counters.tokens.refill(tpm, now_us)
        return counters

    def _forget_idle(self) -> None:
        """Drop scopes that nobody waits in; they start full again, which is what idleness would have given them."""
        idle = [scope for scope, counters in self._scopes.items() if counters.in_flight == 0]
        for scope in idle[: _SCOPES_LIMIT // 10]:
            del self._scopes[scope]
