"""Many rows at once, in the database's own quickest way: long statements on SQLite, COPY on PostgreSQL.

Through SQLAlchemy's parameters a row takes four times as long.
"""

from functools import lru_cache
from typing import Any

import msgspec
from sqlalchemy import Connection
from sqlalchemy.exc import DataError, IntegrityError

# SQLite takes 32,766 values in one statement. One that long is no quicker than one of 4,000, and the driver keeps each
# length compiled: 20 MB.
_VALUES_MOST = 4_000
_COPY_ROWS = 2_000
_encode = msgspec.json.Encoder().encode


def insert_rows(tx: Connection, table: str, columns: tuple[str, ...], values: list[Any]) -> None:
    """Insert rows; *table* and *columns* are names of ours.

    Args:
        columns: those first that say the same in most rows; SQLite is told once what the first ones say in all rows.
        values: texts, integers, truth values, bytes and None of all rows, one row after the other; a column has bytes
            in every row or in none. One flat list is nothing to the garbage collector, a hundred thousand small rows
            are.

    Raises:
        IntegrityError: a key is there already.
        DataError: a value does not fit its column.
    """
    if tx.dialect.name == "postgresql":
        _copy(tx, table, columns, values)
    else:
        _insert(tx, table, columns, values)


def merge_rows(tx: Connection, table: str, keys: tuple[str, ...], sums: tuple[str, ...], values: list[Any]) -> None:
    """Insert rows as `insert_rows` does, adding their *sums* to those of a row that has the same *keys*."""
    columns = keys + sums
    width, most = len(columns), _VALUES_MOST // len(columns)
    for start in range(0, len(values), most * width):
        page = values[start : start + most * width]
        tx.exec_driver_sql(_merging(tx.dialect.name, table, keys, sums, len(page) // width), tuple(page))


@lru_cache(maxsize=256)
def _merging(dialect: str, table: str, keys: tuple[str, ...], sums: tuple[str, ...], count: int) -> str:
    mark = "%s" if dialect == "postgresql" else "?"
    row = f"({', '.join([mark] * (len(keys) + len(sums)))})"
    added = ", ".join(f"{name} = {table}.{name} + excluded.{name}" for name in sums)
    names = ", ".join(keys + sums)
    return (
        f"INSERT INTO {table} ({names}) VALUES {', '.join([row] * count)} "  # noqa: S608 (names of ours)
        f"ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {added}"
    )


def _insert(tx: Connection, table: str, columns: tuple[str, ...], values: list[Any]) -> None:
    """Insert in few long statements: the driver lets the interpreter's lock go for each, and taking it again costs.

    Their lengths are powers of two, so that few different ones are compiled.
    """
    width, start = len(columns), 0
    while start < len(values):
        count = 1 << (min((len(values) - start) // width, _VALUES_MOST // width).bit_length() - 1)
        end = start + count * width
        alike = _alike(values, start, end, width)
        bound = values[start : start + alike]
        for place in range(alike, width):
            bound += values[start + place : end : width]
        tx.exec_driver_sql(_statement(table, columns, alike, count), tuple(bound))
        start = end


def _alike(values: list[Any], start: int, end: int, width: int) -> int:
    """Give how many columns, from the first on, say the same in all rows from *start* to *end*."""
    count = (end - start) // width
    if count > 1:
        for place in range(start, start + width - 1):
            if values[place:end:width].count(values[place]) != count:
                return place - start
    return 0


@lru_cache(maxsize=256)
def _statement(table: str, columns: tuple[str, ...], alike: int, count: int) -> str:
    """Insert *count* rows of which the first *alike* columns are bound once, the others column by column."""
    into = f"INSERT INTO {table} ({', '.join(columns)})"
    varied = len(columns) - alike
    rows = ", ".join(
        f"({', '.join(f'?{alike + place * count + row + 1}' for place in range(varied))})" for row in range(count)
    )
    if not alike:
        return f"{into} VALUES {rows}"
    taken = ", ".join([f"?{place + 1}" for place in range(alike)] + [f"column{place + 1}" for place in range(varied)])
    return f"{into} SELECT {taken} FROM (VALUES {rows})"  # noqa: S608 (names of ours)


def _copy(tx: Connection, table: str, columns: tuple[str, ...], values: list[Any]) -> None:
    cursor: Any = tx.connection.cursor()
    width, form = len(columns), r"(FORMAT csv, NULL 'null', ESCAPE '\')"
    step = _COPY_ROWS * width
    try:
        with cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN {form}") as copy:
            for start in range(0, len(values), step):
                copy.write(copy_text(values[start : start + step], width))
    except Exception as error:
        wrapped = _as_sqlalchemy(tx, error)
        if wrapped is None:
            raise
        raise wrapped from error


def copy_text(values: list[Any], width: int) -> bytes:
    r"""Write rows of *width* values as CSV for COPY: texts in quotes, ``\`` escapes, ``null`` for None.

    JSON is nearly that, and is written many times as fast as anything that looks at each value. Where the two differ,
    because a text has an escape or the brackets of a row in it, each value is looked at.
    """
    count, escapes = len(values) // width, 0
    for place in [place for place, value in enumerate(values[:width]) if isinstance(value, bytes)]:
        values[place::width] = [msgspec.Raw(b"\\x" + value.hex().encode()) for value in values[place::width]]
        escapes += count
    rows = [values[start : start + width] for start in range(0, len(values), width)]
    written = _encode(rows)
    if written.count(b"\\") != escapes or written.count(b"],[") != count - 1:
        return b"".join(",".join(map(_cell, row)).encode() + b"\n" for row in rows)
    return written[2:-2].replace(b"],[", b"\n") + b"\n"


def _cell(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, msgspec.Raw):
        return bytes(value).decode()
    if not isinstance(value, str):
        return str(value)
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _as_sqlalchemy(tx: Connection, error: Exception) -> Exception | None:
    """Give the driver's error as the one that SQLAlchemy raises for it."""
    driver: Any = tx.dialect.dbapi
    if isinstance(error, driver.IntegrityError):
        return IntegrityError("COPY", None, error)
    return DataError("COPY", None, error) if isinstance(error, driver.DataError) else None
