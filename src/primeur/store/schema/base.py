"""What every table is made of: the metadata they hang on, and the columns they share."""

from sqlalchemy import BigInteger, Column, Integer, MetaData, String

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
