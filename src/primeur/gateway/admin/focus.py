"""FOCUS datasets: Cost and Usage, and Contract Commitment, as CSV or Parquet."""

import csv
import io
from collections.abc import AsyncIterator, Mapping, Sequence
from functools import partial
from typing import Any, Literal

import msgspec

from primeur.billing.credit_rows import list_grants
from primeur.billing.focus_rows import FIRST, place_of, read_costs, read_payers
from primeur.billing.rules.focus import (
    CONTRACT_COMMITMENT,
    COST_AND_USAGE,
    Capacity,
    Kind,
    Payer,
    Row,
    capacity_row,
    cell_text,
    commitment_row,
    cost_row,
)
from primeur.billing.rules.periods import DAY_MS
from primeur.broker.book_rows import list_papers
from primeur.broker.papers import Commitment
from primeur.broker.register import Kind as PaperKind
from primeur.broker.use import last_ms
from primeur.broker.use_rows import read_use
from primeur.core.errors import BadRequest
from primeur.gateway.admin.page import asked
from primeur.gateway.admin.usage import Moment
from primeur.gateway.doors import Door
from primeur.gateway.visit import Answer, Visit
from primeur.store.database import Tx

_ISSUER = "Primeur"
_AT_ONCE = 2000
_CAPACITY_MOST = 5000
# A Parquet file is put together in memory.
_PARQUET_MOST = 200_000


class FocusQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which dataset, of which UTC days, in which form; of commitments all that were made."""

    dataset: Literal["cost-and-usage", "contract-commitment"] = "cost-and-usage"
    form: Literal["csv", "parquet"] = "csv"
    from_ms: Moment = 0
    to_ms: Moment = 1 << 53


async def export_focus(visit: Visit) -> Answer:
    """``GET /api/v1/focus``."""
    query = asked(visit, FocusQuery)
    for name, at_ms in (("from_ms", query.from_ms), ("to_ms", query.to_ms)):
        if at_ms % DAY_MS and at_ms != 1 << 53:
            raise BadRequest(f"{name} must be the beginning of a UTC day", param=name)
    costs = query.dataset == "cost-and-usage"
    columns, pages = (COST_AND_USAGE, _costs(visit, query)) if costs else (CONTRACT_COMMITMENT, _commitments(visit))
    if query.form == "csv":
        return Answer(200, content_type=b"text/csv; charset=utf-8", stream=_csv(columns, pages))
    return Answer(200, await _parquet(columns, pages), content_type=b"application/vnd.apache.parquet")


async def _costs(visit: Visit, query: FocusQuery) -> AsyncIterator[list[Row]]:
    read, after = visit.house.store.read, FIRST
    payers = await read(read_payers)
    nobody = Payer("none", "none", "none")
    while found := await read(partial(_page, query, after)):
        yield [cost_row(one, payers.get(one.project_id, nobody), _ISSUER) for one in found]
        after = place_of(found[-1])


def _page(query: FocusQuery, after: Any, tx: Any) -> Any:
    return read_costs(tx, query.from_ms, query.to_ms, after, _AT_ONCE)


async def _commitments(visit: Visit) -> AsyncIterator[list[Row]]:
    now_ms = visit.house.clock.now_ms()
    yield [commitment_row(one, now_ms) for one in await visit.house.store.read(list_grants)]
    yield [capacity_row(one) for one in await visit.house.store.read(lambda tx: _capacity(tx, now_ms))]


def _capacity(tx: Tx, now_ms: int) -> list[Capacity]:
    found = list_papers(tx, PaperKind.COMMITMENT, most=_CAPACITY_MOST)
    papers = [(row.book_id, row.line.paper) for row in found if isinstance(row.line.paper, Commitment)]
    uses = read_use(tx, [one for _, one in papers], now_ms)
    return [
        Capacity(
            id=one.id, provider=one.provider, contract=book, status=one.state, product=one.terms.sku,
            units=one.terms.units, unit_price_nanos=one.terms.unit_price_nanos, currency=one.terms.currency,
            from_ms=one.terms.start_ms, to_ms=last_ms(one),
            tokens=uses[one.id].tokens, of_tokens=uses[one.id].of_tokens,
        )
        for book, one in papers
    ]  # fmt: skip


async def _csv(columns: Mapping[str, Kind], pages: AsyncIterator[list[Row]]) -> AsyncIterator[bytes]:
    yield _lines([list(columns)])
    async for page in pages:
        yield _lines([[cell_text(row[name]) for name in columns] for row in page])


def _lines(rows: Sequence[Sequence[str]]) -> bytes:
    written = io.StringIO()
    csv.writer(written, lineterminator="\n").writerows(rows)
    return written.getvalue().encode()


async def _parquet(columns: Mapping[str, Kind], pages: AsyncIterator[list[Row]]) -> bytes:
    try:
        import pyarrow as pa  # noqa: PLC0415 (only this needs the extra)
        from pyarrow import parquet  # noqa: PLC0415
    except ImportError:
        raise BadRequest(
            "Parquet needs the extra: pip install 'primeur[parquet]'; or ask for csv", param="form"
        ) from None
    rows: list[Row] = []
    async for page in pages:
        rows += page
        if len(rows) > _PARQUET_MOST:
            raise BadRequest(f"that is more than {_PARQUET_MOST} rows; ask for fewer days, or for csv", param="form")
    kinds = {"string": pa.string(), "decimal": pa.decimal128(38, 15), "datetime": pa.timestamp("ms", tz="UTC")}
    schema = pa.schema([(name, kinds[kind]) for name, kind in columns.items()])
    written = io.BytesIO()
    parquet.write_table(pa.Table.from_pylist(rows, schema=schema), written)
    return written.getvalue()


DOORS = (
    Door("GET", "/api/v1/focus", export_focus, "Export usage and credits as FOCUS datasets", "ledger:read",
         face="admin", takes=FocusQuery),
)  # fmt: skip
