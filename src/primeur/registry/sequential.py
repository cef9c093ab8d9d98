"""Is one success rate worse than the other? A test that may be looked at after every observation; pure.

For two streams of yes and no, blocks of *n* observations of the one and *m* of the other give an e-variable: the
likelihood of the block under two rates, over its likelihood under the one rate that lies between them. Its expectation
is at most 1 whenever the first rate is not higher than the second, so the running product passes 1/alpha with
probability at most alpha, however often it is looked at (Ville's inequality). A weighted average of such products is
one too: here over a few odds ratios, because nobody knows beforehand how much worse the worse one is.

Source: R. J. Turner, A. Ly and P. D. Grünwald, "Generic E-variables for exact sequential k-sample tests that allow for
optional stopping", Journal of Statistical Planning and Inference 230 (2024); for the guarantee at any stopping time,
J. Ville (1939) and A. Ramdas, P. Grünwald, V. Vovk and G. Shafer, "Game-theoretic statistics and safe anytime-valid
inference", Statistical Science 38 (2023).
"""

from collections import deque
from math import exp, log
from typing import Final

# What is much worse has to be found soonest, so it has most of the weight.
ODDS_RATIOS: Final = {1.4: 0.2, 2.2: 0.2, 4.0: 0.2, 12.0: 0.4}
_LOG_WEIGHTS: Final = tuple(log(weight) for weight in ODDS_RATIOS.values())
_LEAST_RATE, _MOST_RATE = 1e-4, 1 - 1e-4
_MOST_LOG = 700.0
# Of the baseline's observations for each of the canary's; those that wait longer only tell its rate.
_MOST_EACH, _MOST_WAITING = 10, 200


class TwoRates:
    """Evidence that the canary's rate of failures is above the baseline's.

    Attributes:
        log_peak: natural logarithm of the highest value the process has had; evidence once found stays found.
    """

    __slots__ = ("_canary", "_known", "_known_bad", "_logs", "_waiting", "canary", "canary_bad", "log_peak")

    def __init__(self, known: int = 0, known_bad: int = 0) -> None:
        """Know nothing but what the baseline did before: *known_bad* failures in *known* observations."""
        self._logs = [0.0] * len(ODDS_RATIOS)
        self._known, self._known_bad = known, known_bad
        # The baseline's newest observations that no block has used yet.
        self._waiting: deque[bool] = deque()
        self._canary = [0, 0]
        self.canary = self.canary_bad = 0
        self.log_peak = 0.0

    def see(self, *, canary: bool, bad: bool) -> None:
        """Take one observation; a block closes as soon as both sides have one.

        How many go into a block depends on how many came, never on what they were.
        """
        if canary:
            self._canary[0] += 1
            self._canary[1] += bad
            self.canary += 1
            self.canary_bad += bad
        else:
            self._waiting.append(bad)
            if len(self._waiting) > _MOST_WAITING:
                self._know(1, self._waiting.popleft())
        if self._canary[0] and self._waiting:
            self._close()

    @property
    def log_now(self) -> float:
        """Natural logarithm of the e-value after the last whole block."""
        weighted = [one + weight for one, weight in zip(self._logs, _LOG_WEIGHTS, strict=True)]
        most = max(weighted)
        return most + log(sum(exp(one - most) for one in weighted))

    @property
    def baseline(self) -> tuple[int, int]:
        """Observations and failures of the baseline so far."""
        return self._known, self._known_bad

    def _close(self) -> None:
        n, bad_n = self._canary
        m = min(len(self._waiting), _MOST_EACH * n)
        bad_m = sum(self._waiting.pop() for _ in range(m))
        # Only what was known before this block may choose the rates it is tried with.
        rate = _bounded((self._known_bad + 0.5) / (self._known + 1.0))
        odds = rate / (1.0 - rate)
        for index, ratio in enumerate(ODDS_RATIOS):
            worse = _bounded(odds * ratio / (1.0 + odds * ratio))
            between = (n * worse + m * rate) / (n + m)
            gain = _likelihood(worse, between, n, bad_n) + _likelihood(rate, between, m, bad_m)
            self._logs[index] = max(-_MOST_LOG, min(_MOST_LOG, self._logs[index] + gain))
        self._know(m, bad_m)
        self._canary = [0, 0]
        self.log_peak = max(self.log_peak, self.log_now)

    def _know(self, count: int, bad: int) -> None:
        self._known += count
        self._known_bad += bad


def least_failures(alpha: float) -> int:
    """How many canary requests it takes to be sure at *alpha* when each fails and the baseline never does."""
    rates, needed = TwoRates(known=100), log(1.0 / alpha)
    for count in range(1, 10_000):
        rates.see(canary=False, bad=False)
        rates.see(canary=True, bad=True)
        if rates.log_peak >= needed:
            return count
    return 10_000


def _bounded(rate: float) -> float:
    return min(_MOST_RATE, max(_LEAST_RATE, rate))


def _likelihood(rate: float, between: float, count: int, bad: int) -> float:
    return bad * log(rate / between) + (count - bad) * log((1.0 - rate) / (1.0 - between))
