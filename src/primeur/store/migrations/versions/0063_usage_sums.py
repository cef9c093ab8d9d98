"""Usage summed by hour and by day."""

import sqlalchemy as sa
from alembic import op

revision = "0063"
down_revision = "0073"

_BY = {"project_id": 64, "key_id": 64, "deployment": 200, "revision_id": 64, "provider": 200, "currency": 8}
_SUMS = (
    "requests", "failed", "refused", "input_tokens", "cached_tokens", "output_tokens", "reasoning_tokens", "images",
    "duration_us", "cost_nanos", "unpriced", "unpriced_tokens",
)  # fmt: skip
_LENGTHS = {"usage_hours": 3_600_000, "usage_days": 86_400_000}


def upgrade() -> None:
    op.drop_index("ix_requests_revision_at", "requests")
    for table, length_ms in _LENGTHS.items():
        op.create_table(
            table,
            sa.Column("from_ms", sa.BigInteger(), autoincrement=False, nullable=False),
            *(sa.Column(name, sa.String(length=length), nullable=False) for name, length in _BY.items()),
            *(sa.Column(name, sa.BigInteger(), nullable=False) for name in _SUMS),
            sa.PrimaryKeyConstraint("from_ms", *_BY, name=op.f(f"pk_{table}")),
            sqlite_with_rowid=False,
        )
        op.execute(_fill(table, length_ms))


def _fill(table: str, length_ms: int) -> str:
    by = ", ".join(_BY).replace("currency", "coalesce(currency, '')")
    tokens = "input_tokens + output_tokens"
    unpriced = f"cost_nanos is null and {tokens} > 0"
    return (
        f"insert into {table} (from_ms, {', '.join(_BY)}, {', '.join(_SUMS)}) "  # noqa: S608 (names of ours)
        f"select at_ms - at_ms % {length_ms}, {by}, count(*), sum(case when outcome = 'failed' then 1 else 0 end), "
        "sum(case when outcome = 'refused' then 1 else 0 end), sum(input_tokens), "
        "sum(case when cached_tokens > input_tokens then input_tokens else cached_tokens end), sum(output_tokens), "
        "sum(reasoning_tokens), sum(images), sum(duration_us), sum(coalesce(cost_nanos, 0)), "
        f"sum(case when {unpriced} then 1 else 0 end), sum(case when {unpriced} then {tokens} else 0 end) "
        f"from requests group by at_ms - at_ms % {length_ms}, {by}"
    )
