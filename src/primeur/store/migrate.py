"""Bring a database to the newest schema by numbered migrations."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine

from primeur.core.errors import SetupError

_SCRIPTS = Path(__file__).parent / "migrations"


def migrate(engine: Engine) -> None:
    """Run every migration that the database has not seen.

    Raises:
        SetupError: the database was written by a newer Primeur.
    """
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS))
    scripts = ScriptDirectory.from_config(config)
    with engine.begin() as connection:
        seen = MigrationContext.configure(connection).get_current_revision()
        if seen == scripts.get_current_head():
            return
        if seen is not None and seen not in {script.revision for script in scripts.walk_revisions()}:
            raise SetupError(
                f"the database is at migration {seen}, which this Primeur does not know; install a newer one"
            )
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
