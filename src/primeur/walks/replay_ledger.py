"""Replay a trace into a fresh ledger: what it earns and costs, by the code that books real requests."""

from collections.abc import Callable
from fractions import Fraction
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from primeur.broker.traces import Trace, is_windows
from primeur.core.errors import BadRequest, SetupError
from primeur.core.price import Price
from primeur.core.usage import Usage, UsageEvent
from primeur.ledger import rows as ledger
from primeur.ledger.audit import prove
from primeur.metering.rates import Rate, Share
from primeur.metering.rules import charge
from primeur.store.database import Store, Tx
from primeur.walks.book_usage import Terms, book_usage
from primeur.walks.read_trace import open_table, read_requests

MOST = 2_000_000
_BATCH = 2_000
_NAME = "trace"


class Replayed(msgspec.Struct, frozen=True, kw_only=True):
    """What a trace comes to, read from the ledger's balances; nanos of *currency*."""

    currency: str
    requests: int
    revenue_nanos: int
    cost_nanos: int
    revenue_share_nanos: int
    margin_nanos: int


def replay_ledger(  # noqa: PLR0913 (what is asked, and where to)
    path: Path,
    *,
    sell: Price,
    buy: Price,
    part: Fraction,
    into: Path | None = None,
    most: int = MOST,
    tell: Callable[[int, int], None] | None = None,
) -> Replayed:
    """Book every row of a trace into a ledger of its own.

    Args:
        part: the partner's share of revenue.
        into: a new SQLite file that keeps the ledger; None: it is thrown away.
        most: refuse longer traces; of ServeGen's windows, draw so many.
        tell: is given (requests booked, requests in all) from time to time.

    Raises:
        BadRequest: the trace cannot be read, or is longer than *most*.
        SetupError: *into* is there already, or cannot be written.
    """
    trace = _read(path, most)
    terms = _terms(buy, part)
    with TemporaryDirectory(prefix="primeur-") as folder:
        store = _fresh(into or Path(folder) / "ledger.db")
        try:
            for start in range(0, len(trace), _BATCH):
                events = [_event(trace, number, sell) for number in range(start, min(start + _BATCH, len(trace)))]
                store.transact_now(partial(_book, events, terms))
                if tell is not None:
                    tell(start + len(events), len(trace))
            return store.read_now(lambda tx: _sum(tx, len(trace), sell.currency))
        finally:
            store.close()


def _read(path: Path, most: int) -> Trace:
    with open_table(path) as (header, _):
        drawn = is_windows(header)
    trace = read_requests(path, most=most if drawn else most + 1)
    if len(trace) > most:
        raise BadRequest(f"{path.name} has more than {most} requests; raise --most to book them all")
    return trace


def _fresh(path: Path) -> Store:
    if path.exists():
        raise SetupError(f"{path} is there already; a replay needs a fresh file")
    if not path.parent.is_dir():
        raise SetupError(f"there is no folder {path.parent}; make it first")
    return Store(f"sqlite:///{path}")


def _terms(buy: Price, part: Fraction) -> Terms:
    units = {"input": ((0, buy.input_nanos),), "cached": ((0, buy.cached_nanos),), "output": ((0, buy.output_nanos),)}
    rate = Rate("price_replay", "buy", _NAME, "", buy.currency, units, -(1 << 62), 0)
    share = Share("share_replay", "", "", "partner", part, -(1 << 62), 0)
    return Terms([rate], [share] if part else [])


def _event(trace: Trace, number: int, sell: Price) -> UsageEvent:
    usage = Usage(input_tokens=trace.input_tokens[number], output_tokens=trace.output_tokens[number])
    return UsageEvent(
        id=f"replay_{number:012d}",
        at_ms=trace.arrivals_us[number] // 1000,
        route="chat",
        outcome="completed",
        status=200,
        project_id=_NAME,
        key_id=_NAME,
        deployment=_NAME,
        provider=_NAME,
        usage=usage,
        cost_nanos=charge(usage, sell),
        currency=sell.currency,
        price_id=sell.id,
    )


def _book(events: list[UsageEvent], terms: Terms, tx: Tx) -> int:
    return book_usage(tx, events, terms)


def _sum(tx: Tx, requests: int, currency: str) -> Replayed:
    proof = prove(tx)
    if not proof.ok:
        raise SetupError(f"the ledger does not hold: {proof.first_wrong or proof.wrong_balances}; report this")
    found = dict.fromkeys(("Income:Inference:", "Expenses:Capacity:", "Expenses:Revenue-share:"), 0)
    for account, amount in ledger.list_balances(tx):
        for name in found:
            found[name] += amount if account.name.startswith(name) else 0
    revenue, cost, shared = (-found["Income:Inference:"], found["Expenses:Capacity:"], found["Expenses:Revenue-share:"])
    return Replayed(
        currency=currency,
        requests=requests,
        revenue_nanos=revenue,
        cost_nanos=cost,
        revenue_share_nanos=shared,
        margin_nanos=revenue - cost - shared,
    )
