"""The gates of one caller before one deployment, bound to their counters: a request passes all or none."""

from collections.abc import Callable, Sequence
from typing import NoReturn, Protocol

from primeur.core.caller import Gate
from primeur.core.errors import SliceSpent
from primeur.core.ports import Hold, Standing
from primeur.limits import names
from primeur.limits.names import Name, refuse_unpriced

_FREE = Standing()
Bound = tuple[list["Counter"], list["Counter"], list["Counter"], list[tuple["Counter", bool]], str | None]


class Counter(Protocol):
    """See `primeur.limits.counters`."""

    name: Name
    limit: int
    left: int
    here: int
    turn_ms: int

    def resize(self, limit: int) -> None:
        """The limit is another one."""
        ...

    def turn(self, now_ms: int) -> None:
        """Bring *left* up to date."""
        ...

    def correct(self, more: int, at_ms: int) -> None:
        """Take more, or give back, for what was taken at *at_ms*."""
        ...

    def may_fill(self, need: int, now_ms: int) -> bool:
        """Whether there may be *need* elsewhere, where *left* is not enough."""
        ...

    def refuse(self, need: int, now_ms: int) -> NoReturn:
        """Raise OverLimit."""
        ...

    def remains(self) -> int:
        """What is left for everybody."""
        ...

    def reset_ms(self, now_ms: int) -> int:
        """Milliseconds until everything is there again."""
        ...


class CounterLane:
    """Implements `primeur.core.ports.Lane` over counters."""

    __slots__ = ("_flights", "_purses", "_requests", "_strict", "_tokens", "counts_money", "currency")

    def __init__(
        self,
        requests: Sequence[Counter],
        tokens: Sequence[Counter],
        flights: Sequence[Counter],
        purses: Sequence[tuple[Counter, bool]],
        currency: str | None,
    ) -> None:
        """Bind them.

        Args:
            purses: counters of money, and whether they let unpriced requests in.
            currency: of the price of whoever answers; None when there is none.
        """
        self._requests, self._tokens, self._flights = tuple(requests), tuple(tokens), tuple(flights)
        self._purses = tuple(purse for purse, _ in purses if purse.name.currency == currency)
        self._strict = tuple(purse.name for purse, allows_unpriced in purses if not allows_unpriced)
        self.currency = currency
        self.counts_money = bool(purses)

    def reserve(self, tokens: int, cost_nanos: int | None, now_ms: int) -> Hold:
        """See the port."""
        cost = self._price(tokens, cost_nanos, now_ms) if self.counts_money else 0
        for counter in self._flights:
            if counter.left < 1:
                self._refuse(counter, 1, tokens, cost, now_ms)
        for counter in self._requests:
            if now_ms >= counter.turn_ms:
                counter.turn(now_ms)
            if counter.left < 1:
                self._refuse(counter, 1, tokens, cost, now_ms)
        for counter in self._tokens:
            if now_ms >= counter.turn_ms:
                counter.turn(now_ms)
            if counter.left < tokens:
                self._refuse(counter, tokens, tokens, cost, now_ms)
        self._take(tokens, cost)
        return Hold(self, tokens, cost, now_ms)

    def _take(self, tokens: int, cost: int) -> None:
        for counter in self._flights:
            counter.left -= 1
            counter.here += 1
        for counter in self._requests:
            counter.left -= 1
            counter.here += 1
        for counter in self._tokens:
            counter.left -= tokens
            counter.here += tokens
        for counter in self._purses:
            counter.left -= cost
            counter.here += cost

    def settle(self, hold: Hold, tokens: int, cost_nanos: int | None, now_ms: int) -> None:
        """See the port."""
        for counter in self._flights:
            counter.left += 1
            counter.here -= 1
        more = tokens - hold.tokens
        if more:
            for counter in self._tokens:
                if now_ms >= counter.turn_ms:
                    counter.turn(now_ms)
                counter.correct(more, hold.at_ms)
        more = (cost_nanos or 0) - hold.cost_nanos
        if more:
            for counter in self._purses:
                if now_ms >= counter.turn_ms:
                    counter.turn(now_ms)
                counter.correct(more, hold.at_ms)

    def withdraw(self, hold: Hold, now_ms: int) -> None:
        """See the port."""
        for counter in self._requests:
            if now_ms >= counter.turn_ms:
                counter.turn(now_ms)
            counter.correct(-1, hold.at_ms)
        self.settle(hold, 0, 0, now_ms)

    def needs(self, tokens: int, cost_nanos: int) -> list[tuple[Counter, int]]:
        """What a request takes of each counter."""
        ones = [(counter, 1) for counter in (*self._flights, *self._requests)]
        many = [(counter, tokens) for counter in self._tokens]
        return [*ones, *many, *((counter, cost_nanos) for counter in self._purses)]

    @property
    def counters(self) -> tuple[Counter, ...]:
        """All of them."""
        return (*self._purses, *self._flights, *self._requests, *self._tokens)

    def standing(self, now_ms: int) -> Standing:
        """See the port."""
        requests, tokens = _tightest(self._requests), _tightest(self._tokens)
        if requests is None and tokens is None:
            return _FREE
        return Standing(*_told(requests, now_ms), *_told(tokens, now_ms))

    def _refuse(self, counter: Counter, need: int, tokens: int, cost: int, now_ms: int) -> NoReturn:
        if counter.may_fill(need, now_ms):
            raise SliceSpent(self, tokens, cost)
        counter.refuse(need, now_ms)

    def _price(self, tokens: int, cost_nanos: int | None, now_ms: int) -> int:
        """What is to be held; a budget that wants to know refuses what has no price in its currency."""
        for name in self._strict:
            if cost_nanos is None or name.currency != self.currency:
                refuse_unpriced(name, self.currency)
        cost = cost_nanos or 0
        for counter in self._purses:
            if now_ms >= counter.turn_ms:
                counter.turn(now_ms)
            if counter.left < cost:
                self._refuse(counter, cost, tokens, cost, now_ms)
        return cost


def _tightest(counters: Sequence[Counter]) -> Counter | None:
    if len(counters) == 1:
        return counters[0]
    found = None
    for counter in counters:
        if found is None or counter.left < found.left:
            found = counter
    return found


def _told(counter: Counter | None, now_ms: int) -> tuple[int | None, int | None, int]:
    if counter is None:
        return None, None, 0
    return counter.limit, counter.remains(), counter.reset_ms(now_ms)


def bind(gates: Sequence[Gate], currency: str | None, find: Callable[[Name, int], Counter]) -> Bound:
    """Give what a lane of *gates* is made from; *find* gives the counter of a name and its limit."""
    requests: list[Counter] = []
    tokens: list[Counter] = []
    flights: list[Counter] = []
    purses: list[tuple[Counter, bool]] = []
    for gate in gates:
        scope, limits = gate.scope, gate.limits
        if limits.concurrency is not None:
            flights.append(find(Name(scope, names.CONCURRENCY), limits.concurrency))
        if limits.rpm is not None:
            requests.append(find(Name(scope, names.REQUESTS_MINUTE), limits.rpm))
        if limits.rpd is not None:
            requests.append(find(Name(scope, names.REQUESTS_DAY, "day"), limits.rpd))
        if limits.tpm is not None:
            tokens.append(find(Name(scope, names.TOKENS_MINUTE), limits.tpm))
        if limits.tpd is not None:
            tokens.append(find(Name(scope, names.TOKENS_DAY, "day"), limits.tpd))
        for budget in gate.budgets:
            name = Name(scope, names.MONEY, budget.period, budget.id, budget.currency)
            purses.append((find(name, budget.limit_nanos), budget.allows_unpriced))
    return requests, tokens, flights, purses, currency
