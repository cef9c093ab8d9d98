"""Every table as lines of JSON: what a backup holds, read in one consistent view and loaded into either database.

A dump names the migration that its tables are of; it is loaded into tables of that migration, which are then brought up
to date as those of any older database are.
"""

import base64
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
from sqlalchemy import Connection, Engine, MetaData, Table, func, insert, inspect, select, text

from primeur.core.errors import SetupError

FORMAT = 1
VERSION_TABLE = "alembic_version"
_PAGE = 500


class DumpHead(msgspec.Struct, frozen=True):
    """What a dump says of itself.

    Attributes:
        migration: of the tables; empty when there were none.
        rows: by table, in the order in which they can be loaded.
    """

    format: int
    program: str
    migration: str
    rows: dict[str, int]


def dump_tables(engine: Engine, tar: tarfile.TarFile, program: str) -> DumpHead:
    """Write every table as it is at one moment, however long it takes."""
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN")
        else:
            connection = connection.execution_options(isolation_level="REPEATABLE READ")  # noqa: PLW2901
        migration = seen_by(connection) or ""
        found = _reflect(connection)
        rows = {str(table.name): _add(tar, f"tables/{table.name}.jsonl", _writer(connection, table)) for table in found}
        head = DumpHead(FORMAT, program, migration, rows)
        _add(tar, "dump.json", lambda file: file.write(msgspec.json.encode(head)))
        connection.rollback()
    return head


def load_tables(connection: Connection, tar: tarfile.TarFile, head: DumpHead) -> None:
    """Load every table of a dump into empty ones of the same migration.

    Raises:
        SetupError: the dump is damaged.
    """
    for table in _reflect(connection):
        if table.name not in head.rows:
            continue
        # A migration may have put rows of its own there.
        connection.execute(table.delete())
        count = 0
        for page in _pages(tar, table):
            connection.execute(insert(table), page)
            count += len(page)
        if count != head.rows[table.name]:
            raise SetupError(f"the backup is damaged: {table.name} has {count} of {head.rows[table.name]} rows")
        _count_on(connection, table)


def read_head(tar: tarfile.TarFile) -> DumpHead:
    """Read what a dump says of itself.

    Raises:
        SetupError: it is none, or a newer program's.
    """
    try:
        file = tar.extractfile("dump.json")
        head = msgspec.json.decode(file.read() if file else b"", type=DumpHead)
    except (KeyError, msgspec.MsgspecError):
        raise SetupError(f"{tar.name!r} is no backup of Primeur, or it was not finished") from None
    if head.format != FORMAT:
        raise SetupError(f"the backup {tar.name!r} is of format {head.format}; install the Primeur that made it")
    return head


def seen_by(connection: Connection) -> str | None:
    """Give the last migration that a database has seen; None when it is empty."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    found = connection.exec_driver_sql(f"select version_num from {VERSION_TABLE}").scalar()  # noqa: S608 (ours)
    return None if found is None else str(found)


def _reflect(connection: Connection) -> list[Table]:
    metadata = MetaData()
    metadata.reflect(connection)
    return [table for table in metadata.sorted_tables if table.name != VERSION_TABLE]


def _writer(connection: Connection, table: Table) -> Callable[[BinaryIO], int]:
    def write(file: BinaryIO) -> int:
        encode, count = msgspec.json.Encoder(enc_hook=_encode_more).encode, 0
        file.write(encode([str(column.name) for column in table.columns]) + b"\n")
        for row in connection.execute(select(table).execution_options(yield_per=_PAGE)):
            file.write(encode([_plain(value) for value in row]) + b"\n")
            count += 1
        return count

    return write


def _plain(value: Any) -> Any:
    return {"base64": base64.b64encode(value).decode()} if isinstance(value, bytes | memoryview) else value


def _encode_more(value: Any) -> Any:
    raise SetupError(f"a value of type {type(value).__name__} cannot be backed up")


def _pages(tar: tarfile.TarFile, table: Table) -> Iterator[list[dict[str, Any]]]:
    try:
        file = tar.extractfile(f"tables/{table.name}.jsonl")
    except KeyError:
        file = None
    if file is None:
        raise SetupError(f"the backup is damaged: the table {table.name} is missing")
    names: list[str] = msgspec.json.decode(file.readline())
    page: list[dict[str, Any]] = []
    for line in file:
        values = [_value(one) for one in msgspec.json.decode(line)]
        page.append(dict(zip(names, values, strict=True)))
        if len(page) == _PAGE:
            yield page
            page = []
    if page:
        yield page


def _value(said: Any) -> Any:
    return base64.b64decode(said["base64"]) if isinstance(said, dict) else said


def _count_on(connection: Connection, table: Table) -> None:
    """PostgreSQL numbers new rows from a sequence, which has not seen those that were loaded."""
    if connection.dialect.name != "postgresql":
        return
    for column in table.primary_key.columns:
        name = connection.execute(
            text("select pg_get_serial_sequence(:table, :column)"), {"table": table.name, "column": column.name}
        ).scalar_one()
        if name is not None:
            last = connection.execute(select(func.max(column))).scalar_one()
            query = text("select setval(:name, :last, :called)")
            connection.execute(query, {"name": name, "last": last or 1, "called": last is not None})


def _add(tar: tarfile.TarFile, name: str, write: Callable[[BinaryIO], int]) -> int:
    """Add one file, written into a temporary one first, because a tar wants to know its size."""
    with tempfile.TemporaryFile() as file:
        count = write(file)
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode = file.tell(), 0o600
        file.seek(0)
        tar.addfile(entry, file)
    return count


def open_new(path: Path) -> tarfile.TarFile:
    """Begin a file that only this user may read.

    Raises:
        SetupError: it is there already, or cannot be written.
    """
    try:
        path.touch(mode=0o600, exist_ok=False)
        return tarfile.open(path, "w")
    except FileExistsError:
        raise SetupError(f"{path} is there already; name another file") from None
    except OSError as error:
        raise SetupError(f"{path} cannot be written ({error.strerror})") from None
