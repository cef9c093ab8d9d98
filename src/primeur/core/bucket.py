"""A leaky bucket: how much of a reserved throughput is in use at this moment; pure, the time is an argument.

Source: J. Turner, "New directions in communications", 1986 (the leaky bucket); Azure OpenAI, "Provisioned throughput:
how utilization is determined" (a request is let in below 100 %, its estimate is corrected when it ends).
"""

from math import floor

_MINUTE_MS = 60_000


class LeakyBucket:
    """Holds one minute of the reserved tokens, and drains evenly.

    A request is let in while the bucket is less than full, whatever its size, and adds what it may take; when it ends,
    the difference to what it took is put right. So a bucket can stand above full, and refuses until it has drained.
    """

    __slots__ = ("_at_ms", "_level", "per_minute")

    def __init__(self, per_minute: int) -> None:
        """*per_minute*: tokens that drain in a minute."""
        self.per_minute = per_minute
        self._level, self._at_ms = 0.0, 0

    def wait_ms(self, tokens: int, now_ms: int) -> int:  # noqa: ARG002 (others look at both)
        """See `primeur.core.ports.Reservation`."""
        over = self._drained(now_ms) - self.per_minute
        return floor(over * _MINUTE_MS / self.per_minute) + 1 if over >= 0 else 0

    def take(self, tokens: int, now_ms: int) -> None:
        """Add what a request may take."""
        self.correct(tokens, now_ms)

    def correct(self, more: int, now_ms: int) -> None:
        """Add, or take off (negative) what a request was thought to take and did not."""
        self._level = max(0.0, self._drained(now_ms) + more)

    def utilisation(self, now_ms: int) -> float:
        """How full it is; 1.0 is full, more is over."""
        return self._drained(now_ms) / self.per_minute

    def resize(self, per_minute: int) -> None:
        """Reserve more or less; what is in it stays."""
        self.per_minute = per_minute

    def _drained(self, now_ms: int) -> float:
        if now_ms > self._at_ms:
            self._level = max(0.0, self._level - (now_ms - self._at_ms) * self.per_minute / _MINUTE_MS)
            self._at_ms = now_ms
        return self._level
