"""A clock that stands still, for what depends on the time to the microsecond."""

import pytest


class StillClock:
    """Both sides of it move together, and only when they are told to."""

    def __init__(self) -> None:
        self.ms = 1_790_000_000_000

    def now_ms(self) -> int:
        """Give the time a test has set."""
        return self.ms

    def monotonic_us(self) -> int:
        """Give the same in microseconds."""
        return self.ms * 1000


@pytest.fixture
def clock() -> StillClock:
    """Stand still."""
    return StillClock()
