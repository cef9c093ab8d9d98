"""Bring a database to the newest schema by numbered migrations, with a backup of its tables first."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

from primeur.core.errors import SetupError
from primeur.store.dump import dump_tables, open_new

_SCRIPTS = Path(__file__).parent / "migrations"
# Any number that nobody else uses on the same server.
_LOCK = 7_727_001


def migrate(engine: Engine, backups: Path | None = None, *, program: str = "") -> None:
    """Run every migration that the database has not seen.

    Args:
        backups: folder in which the tables are backed up before they change; None: they are not.
        program: version of this program, for the backup.

    Raises:
        SetupError: the database was written by a newer Primeur, or the backup cannot be written.
    """
    config = _config()
    scripts = ScriptDirectory.from_config(config)
    head = str(scripts.get_current_head())
    with engine.connect() as connection:
        seen = MigrationContext.configure(connection).get_current_revision()
    if seen == head:
        return
    if seen is not None and seen not in {script.revision for script in scripts.walk_revisions()}:
        raise SetupError(f"the database is at migration {seen}, which this Primeur does not know; install a newer one")
    if seen is not None and backups is not None:
        _back_up(engine, backups, f"before-{head}-from-{seen}", program)
    with _changing(engine) as connection:
        _one_at_a_time(connection)
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def migrate_to(engine: Engine, revision: str) -> None:
    """Bring an empty database to an older schema, for what is to be loaded into it.

    Raises:
        SetupError: this Primeur does not know *revision*.
    """
    config = _config()
    if revision not in {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}:
        words = f"the backup is of migration {revision!r}, which this Primeur does not know"
        raise SetupError(f"{words}; install a newer one")
    with _changing(engine) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS))
    return config


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
