"""What every table is made of: the metadata they hang on, and the columns they share."""

from typing import Any

from sqlalchemy import BigInteger, Column, Integer, MetaData, String, Text

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite counts only INTEGER keys by itself; PostgreSQL needs 64 bits.
Sequence = BigInteger().with_variant(Integer, "sqlite")


def identity() -> Column[str]:
    """Give the column ``id``: text such as ``dep_...``."""
    return Column("id", String(64), primary_key=True)


def made() -> Column[int]:
    """Give the column ``created_ms``: UTC milliseconds."""
    return Column("created_ms", BigInteger, nullable=False)


def limited() -> tuple[Column[int], ...]:
    """Give the columns of a rate class: requests and tokens a minute, requests at once, both a day."""
    counts = tuple(Column(name, Integer) for name in ("rpm", "tpm", "concurrency", "rpd"))
    return (*counts, Column("tpd", BigInteger))


def paper() -> tuple[Column[Any], ...]:
    """Give the columns of a numbered paper about a month: what it is, and its exact and rounded totals."""
    texts = (("kind", 16), ("state", 16), ("issuer", 16), ("period", 8), ("currency", 8))
    amounts = ("nanos", "cents", "remainder_nanos")
    return (
        identity(),
        Column("number", String(64), nullable=False, unique=True),
        *(Column(name, String(size), nullable=False) for name, size in texts),
        *(Column(name, BigInteger, nullable=False) for name in amounts),
        Column("lines", Text, nullable=False),
        Column("ended_ms", BigInteger),
        made(),
    )
