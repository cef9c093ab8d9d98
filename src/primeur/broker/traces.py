"""Traces of requests: what columns mean, and what is refused; pure, rows come in as lists of text."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from math import isfinite

from primeur.core.errors import BadRequest

MICROSECONDS = 1_000_000
LARGEST_TOKENS = 1 << 31

# Column names as traces spell them, small letters and digits only, with the unit of time in microseconds.
ARRIVALS = {
    "timestamp": MICROSECONDS,
    "timestamps": MICROSECONDS,
    "timestampms": 1_000,
    "timestampus": 1,
    "arrival": MICROSECONDS,
    "arrivals": MICROSECONDS,
    "arrivaltime": MICROSECONDS,
    "arrivedat": MICROSECONDS,
    "arrivaltimes": MICROSECONDS,
    "arrivalms": 1_000,
    "arrivaltimems": 1_000,
    "arrivalus": 1,
    "time": MICROSECONDS,
    "times": MICROSECONDS,
    "timems": 1_000,
}
INPUTS = (
    "contexttokens",
    "inputtokens",
    "inputlength",
    "prompttokens",
    "promptlength",
    "promptsize",
    "requesttokens",
    "numprefilltokens",
)
OUTPUTS = (
    "generatedtokens",
    "outputtokens",
    "outputlength",
    "completiontokens",
    "responsetokens",
    "tokensize",
    "numdecodetokens",
)


@dataclass(frozen=True, slots=True)
class Trace:
    """Requests in the order they arrived.

    Attributes:
        arrivals_us: microseconds since the first one, never falling.
        input_tokens, output_tokens: same length as the arrivals.
    """

    name: str
    arrivals_us: Sequence[int]
    input_tokens: Sequence[int]
    output_tokens: Sequence[int]

    def __len__(self) -> int:
        """Count the requests."""
        return len(self.arrivals_us)

    @property
    def duration_us(self) -> int:
        """From the first arrival to the last, and one mean gap: the time the requests stand for."""
        span = self.arrivals_us[-1] - self.arrivals_us[0]
        return span + max(1, span // max(1, len(self) - 1))

    def work(self, output_weight: float) -> list[float]:
        """Give the true work of each request, in work tokens."""
        return [i + output_weight * o for i, o in zip(self.input_tokens, self.output_tokens, strict=True)]


def is_windows(header: Sequence[str]) -> bool:
    """Say whether a table holds arrival rates by window (ServeGen) instead of single requests."""
    return {"window_start_s", "rate_rps"} <= set(header)


def parse_requests(name: str, header: Sequence[str], rows: Iterable[Sequence[str]]) -> Trace:
    """Read a table with one request a row; columns are found by name, in any order.

    Raises:
        BadRequest: no such columns, no rows, or a cell that cannot be: says which line.
    """
    plain = ["".join(c for c in column.lower() if c.isalnum()) for column in header]
    at = _column(name, header, plain, ARRIVALS, "arrival time, such as TIMESTAMP or timestamp_ms")
    into = _column(name, header, plain, INPUTS, "input tokens, such as ContextTokens or input_length")
    out = _column(name, header, plain, OUTPUTS, "output tokens, such as GeneratedTokens or output_length")
    unit = ARRIVALS[plain[at]]
    found: list[tuple[int, int, int]] = []
    for line, row in enumerate(rows, start=2):
        if len(row) != len(header):
            raise BadRequest(f"{name} line {line} has {len(row)} cells and the header {len(header)}; repair the line")
        found.append(
            (
                _moment_us(name, line, row[at], unit),
                _tokens(name, line, header[into], row[into]),
                _tokens(name, line, header[out], row[out]),
            )
        )
    return from_requests(name, found)


def from_requests(name: str, found: list[tuple[int, int, int]]) -> Trace:
    """Make a trace of (arrival in microseconds, input tokens, output tokens), in any order.

    Raises:
        BadRequest: there are none.
    """
    if not found:
        raise BadRequest(f"{name} has no requests; give a trace with at least one row")
    if any(a[0] > b[0] for a, b in pairwise(found)):
        found = sorted(found, key=lambda request: request[0])
    start = found[0][0]
    return Trace(name, [f[0] - start for f in found], [f[1] for f in found], [f[2] for f in found])


def _column(name: str, header: Sequence[str], plain: Sequence[str], known: Iterable[str], what: str) -> int:
    for word in known:
        if word in plain:
            return plain.index(word)
    raise BadRequest(f"{name} has no column for {what}; its columns are {', '.join(header)[:200]}")


def _tokens(name: str, line: int, column: str, text: str) -> int:
    try:
        tokens = int(text)
    except ValueError:
        raise BadRequest(f"{name} line {line}: {column} is {text[:40]!r}; write a whole number of tokens") from None
    if not 0 <= tokens < LARGEST_TOKENS:
        raise BadRequest(f"{name} line {line}: {column} is {tokens}; tokens are 0 to {LARGEST_TOKENS - 1}")
    return tokens


def _moment_us(name: str, line: int, text: str, unit: int) -> int:
    try:
        moment = float(text)
    except ValueError:
        return _date_us(name, line, text)
    if not isfinite(moment) or abs(moment) * unit >= 1 << 62:
        raise BadRequest(f"{name} line {line}: the arrival {text[:40]!r} is not a time; write seconds or a date")
    return round(moment * unit)


def _date_us(name: str, line: int, text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise BadRequest(
            f"{name} line {line}: the arrival {text[:40]!r} is not a time; write seconds or a date"
        ) from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * MICROSECONDS + since.microseconds


@dataclass(frozen=True, slots=True)
class Window:
    """Arrivals of one client in one window of ten minutes, as ServeGen publishes them.

    Attributes:
        rate_rps: requests a second.
        pattern: ``G`` or ``W``: gaps between arrivals are Gamma or Weibull.
        shape, scale: of that distribution; scale in seconds.
    """

    client: str
    start_s: int
    rate_rps: float
    pattern: str
    shape: float
    scale: float


WINDOW_S = 600


def parse_windows(name: str, header: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[Window]:
    """Read ServeGen's windows.

    Raises:
        BadRequest: a missing column or a cell that cannot be: says which line.
    """
    missing = {"client", "window_start_s", "rate_rps", "pattern", "arg1", "arg2"} - set(header)
    if missing:
        raise BadRequest(f"{name} has no column {', '.join(sorted(missing))}; ServeGen's windows have it")
    cells = [header.index(c) for c in ("client", "window_start_s", "rate_rps", "pattern", "arg1", "arg2")]
    for line, row in enumerate(rows, start=2):
        if len(row) != len(header):
            raise BadRequest(f"{name} line {line} has {len(row)} cells and the header {len(header)}; repair the line")
        client, start, rate, pattern, shape, scale = (row[c] for c in cells)
        start_s, rate_rps = _number(name, line, "window_start_s", start), _number(name, line, "rate_rps", rate)
        if pattern not in {"G", "W"} and rate_rps > 0:
            raise BadRequest(f"{name} line {line}: pattern is {pattern[:20]!r}; known are G (Gamma) and W (Weibull)")
        yield Window(
            client,
            int(start_s),
            rate_rps,
            pattern,
            _number(name, line, "arg1", shape or "1"),
            _number(name, line, "arg2", scale or "1"),
        )


def _number(name: str, line: int, column: str, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        raise BadRequest(f"{name} line {line}: {column} is {text[:40]!r}; write a number") from None
    if not isfinite(number) or number < 0:
        raise BadRequest(f"{name} line {line}: {column} is {text[:40]}; it must be zero or more")
    return number
