"""Sockets of the machine: clock and dice."""

from typing import Protocol


class Clock(Protocol):
    """The only way to know the time."""

    def now_ms(self) -> int:
        """UTC milliseconds since 1970."""
        ...

    def monotonic_us(self) -> int:
        """Microseconds that never go back, for durations."""
        ...


class Entropy(Protocol):
    """The only dice: n random bytes."""

    def __call__(self, n: int, /) -> bytes:
        """Give *n* random bytes."""
        ...
