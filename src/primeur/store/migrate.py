"""Bring a database to the newest schema by numbered migrations, with a backup of its tables first."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine

from primeur.core.errors import SetupError
from primeur.store.dump import dump_tables, open_new, seen_by

_SCRIPTS = Path(__file__).parent / "migrations"
# Any number that nobody else uses on the same server.
_LOCK = 7_727_001
_NAMED = re.compile(r'^(down_)?revision = "(\w+)"', re.MULTILINE)


def migrate(engine: Engine, backups: Path | None = None, *, program: str = "") -> None:
    """Run every migration that the database has not seen.

    Args:
        backups: folder in which the tables are backed up before they change; None: they are not.
        program: version of this program, for the backup.

    Raises:
        SetupError: the database was written by a newer Primeur, or the backup cannot be written.
    """
    known, head = _revisions()
    with engine.connect() as connection:
        seen = seen_by(connection)
    if seen == head:
        return
    if seen is not None and seen not in known:
        raise SetupError(f"the database is at migration {seen}, which this Primeur does not know; install a newer one")
    if seen is not None and backups is not None:
        _back_up(engine, backups, f"before-{head}-from-{seen}", program)
    with _changing(engine) as connection:
        _one_at_a_time(connection)
        _upgrade(connection, "head")


def migrate_to(engine: Engine, revision: str) -> None:
    """Bring an empty database to an older schema, for what is to be loaded into it.

    Raises:
        SetupError: this Primeur does not know *revision*.
    """
    if revision not in _revisions()[0]:
        words = f"the backup is of migration {revision!r}, which this Primeur does not know"
        raise SetupError(f"{words}; install a newer one")
    with _changing(engine) as connection:
        _upgrade(connection, revision)


def _upgrade(connection: Connection, revision: str) -> None:
    # 8 MB that a service whose tables are as they should be does without.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def _revisions() -> tuple[set[str], str]:
    """Give all migrations, and the one that no other follows."""
    known: set[str] = set()
    followed: set[str] = set()
    for path in (_SCRIPTS / "versions").glob("*.py"):
        for down, name in _NAMED.findall(path.read_text("utf-8")):
            (followed if down else known).add(name)
    (head,) = known - followed
    return known, head


@contextmanager
def _changing(engine: Engine) -> Iterator[Connection]:
    """One transaction in which tables may be made anew.

    SQLite changes a table by copying and dropping it. With foreign keys in force, dropping would delete or refuse the
    rows that name it, so they are looked at once at the end instead.

    Source: SQLite, "ALTER TABLE", section 7.
    """
    with engine.connect() as connection:
        is_sqlite = connection.dialect.name == "sqlite"
        if is_sqlite:
            connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        try:
            yield connection
            broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first() if is_sqlite else None
            if broken is not None:
                raise SetupError(f"a row of {broken[0]} names one of {broken[2]} that is not there; restore a backup")
            connection.commit()
        finally:
            connection.rollback()
            if is_sqlite:
                connection.exec_driver_sql("PRAGMA foreign_keys=ON")


def _one_at_a_time(connection: Connection) -> None:
    """Services that start together on one PostgreSQL wait for the first one; SQLite has one writer anyway."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"select pg_advisory_xact_lock({_LOCK})")


def _back_up(engine: Engine, folder: Path, name: str, program: str) -> None:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    # A start that failed half-way has left its backup: it is the one to keep.
    number = sum(1 for _ in folder.glob(f"{name}*")) + 1
    with open_new(folder / f"{name}-{number}.tar") as tar:
        dump_tables(engine, tar, program)
