"""Tables of the room metering: prices and requests."""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, String, Table, Text, text

from primeur.store.schema.base import identity, made, metadata

prices = Table(
    "prices",
    metadata,
    identity(),
    Column("deployment", String(200), nullable=False, index=True),
    Column("currency", String(8), nullable=False),
    Column("input_nanos", BigInteger, nullable=False),
    Column("cached_nanos", BigInteger, nullable=False),
    Column("output_nanos", BigInteger, nullable=False),
    Column("from_ms", BigInteger, nullable=False),
    made(),
)

requests = Table(
    "requests",
    metadata,
    identity(),
    Column("at_ms", BigInteger, nullable=False),
    Column("route", String(32), nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("status", Integer, nullable=False),
    Column("project_id", String(64), nullable=False),
    Column("key_id", String(64), nullable=False),
    Column("deployment", String(200), nullable=False),
    Column("revision_id", String(64), nullable=False),
    Column("provider", String(200), nullable=False),
    Column("input_tokens", BigInteger, nullable=False),
    Column("cached_tokens", BigInteger, nullable=False),
    Column("output_tokens", BigInteger, nullable=False),
    Column("reasoning_tokens", BigInteger, nullable=False),
    Column("counted_by", String(16), nullable=False),
    Column("cost_nanos", BigInteger),
    Column("currency", String(8)),
    Column("price_id", String(64)),
    Column("streamed", Boolean, nullable=False),
    Column("first_token_us", BigInteger),
    Column("duration_us", BigInteger, nullable=False),
    Column("overhead_us", BigInteger, nullable=False),
    Column("error_code", String(64)),
    Column("error_message", Text),
    Column("address", String(64), nullable=False),
    Column("prompt", Text),
    Column("answer", Text),
    Column("refusal", String(16)),
    Column("right_id", String(64)),
    Column("evidence", Text),
    Column("images", Integer, nullable=False, server_default="0"),
    Index("ix_requests_project_at", "project_id", "at_ms"),
    Index("ix_requests_at", "at_ms"),
    # The newest answers of one revision, which may have answered rarely in a busy house.
    Index("ix_requests_revision_at", "revision_id", "outcome", "at_ms"),
    # Only what a holder refused: an index over all would cost every request.
    # (On PostgreSQL too, by its migration; to say so here would load that dialect, 3 MB, everywhere.)
    Index(
        "ix_requests_refusal",
        "at_ms",
        sqlite_where=text("refusal IS NOT NULL"),
    ),
)

# Sums by hour and by day (UTC) are merged in the transaction that writes the requests; reports read these.
SUMMED_BY = ("from_ms", "project_id", "key_id", "deployment", "revision_id", "provider", "currency")
SUMS = (
    "requests", "failed", "refused", "input_tokens", "cached_tokens", "output_tokens", "reasoning_tokens", "images",
    "duration_us", "cost_nanos", "unpriced", "unpriced_tokens",
)  # fmt: skip


def _sums(name: str) -> Table:
    texts = {"deployment": 200, "provider": 200, "currency": 8}
    return Table(
        name,
        metadata,
        Column("from_ms", BigInteger, primary_key=True, autoincrement=False),
        *(Column(each, String(texts.get(each, 64)), primary_key=True) for each in SUMMED_BY[1:]),
        *(Column(each, BigInteger, nullable=False) for each in SUMS),
        sqlite_with_rowid=False,
    )


usage_hours = _sums("usage_hours")
usage_days = _sums("usage_days")

journal_cursors = Table(
    "journal_cursors",
    metadata,
    Column("journal", String(64), primary_key=True),
    Column("segment", BigInteger, nullable=False),
    Column("offset", BigInteger, nullable=False),
)

# What capacity costs, and prices beyond a list price of tokens; units are JSON: {"input": [[0, 900]]}.
rates = Table(
    "rates",
    metadata,
    identity(),
    Column("side", String(8), nullable=False),
    Column("party", String(200), nullable=False),
    Column("subject", String(200), nullable=False),
    Column("currency", String(8), nullable=False),
    Column("units", String(4000), nullable=False),
    Column("prepaid", Boolean, nullable=False),
    Column("per", String(8), nullable=False, server_default="request"),
    Column("from_ms", BigInteger, nullable=False),
    made(),
)

shares = Table(
    "shares",
    metadata,
    identity(),
    Column("provider", String(200), nullable=False),
    Column("deployment", String(200), nullable=False),
    Column("partner", String(200), nullable=False),
    Column("numerator", BigInteger, nullable=False),
    Column("denominator", BigInteger, nullable=False),
    Column("from_ms", BigInteger, nullable=False),
    made(),
)
