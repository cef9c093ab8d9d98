"""An insert that says what happens to a row that is there already: SQL has no common words for it."""

from typing import Any

from sqlalchemy import Table


def insert_or(dialect: str, table: Table) -> Any:
    """Give the ``INSERT`` of a database's own *dialect*, with its ``on_conflict_do_...``."""
    if dialect == "postgresql":
        # 2 MB that a service on SQLite does without.
        from sqlalchemy.dialects import postgresql  # noqa: PLC0415

        return postgresql.insert(table)
    from sqlalchemy.dialects import sqlite  # noqa: PLC0415

    return sqlite.insert(table)
