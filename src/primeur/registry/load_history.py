"""The load of one revision over the last seconds; pure."""

from collections import deque


class History:
    """The load of the last seconds: its average, and the highest average of a longer span."""

    def __init__(self, over_ms: int, peak_ms: int) -> None:
        """Nothing was seen yet.

        Args:
            over_ms: span of the average.
            peak_ms: span within which the highest average counts.
        """
        self._over_ms, self._peak_ms = over_ms, peak_ms
        self._seen: deque[tuple[int, float]] = deque()
        self.average = 0.0
        # Falling from left to right: whatever a later average exceeds can never be the highest again.
        self._peaks: deque[tuple[int, float]] = deque()

    def take(self, at_ms: int, value: float) -> None:
        """Take up what is seen now; times only grow."""
        self._seen.append((at_ms, value))
        while self._seen[0][0] <= at_ms - self._over_ms:
            self._seen.popleft()
        # Summed anew: a running sum would keep a rest for ever, and nothing would ever be nothing.
        average = sum(one for _, one in self._seen) / len(self._seen)
        self.average = average
        while self._peaks and self._peaks[-1][1] <= average:
            self._peaks.pop()
        self._peaks.append((at_ms, average))
        while self._peaks[0][0] <= at_ms - self._peak_ms and len(self._peaks) > 1:
            self._peaks.popleft()

    @property
    def peak(self) -> float:
        """The highest average of the longer span."""
        return self._peaks[0][1] if self._peaks else 0.0
