"""Settings of one service process: flags first, then the environment, then defaults."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from primeur.core.egress import SHUT, Egress, read_egress
from primeur.core.errors import SetupError

DEFAULT_PORT = 8080
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


@dataclass(frozen=True, slots=True)
class Settings:
    """How to run.

    Attributes:
        data_dir: everything that is remembered lies below it.
        host: address to listen on; loopback unless somebody says otherwise.
        port: the one port; 0 takes a free one.
        database: SQLAlchemy URL; a SQLite file in *data_dir* by default.
        declared: a ``primeur.toml`` to apply at start; None: nothing.
        drain_s: seconds that running answers are given when the service stops.
        programs: programs that engine settings may name, full paths.
        egress: which addresses may be reached from here.
    """

    data_dir: Path
    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    database: str = ""
    declared: Path | None = None
    drain_s: int = 30
    programs: frozenset[str] = frozenset()
    egress: Egress = SHUT

    @property
    def database_url(self) -> str:
        """The database to open."""
        return self.database or f"sqlite:///{self.data_dir / 'primeur.db'}"


def read_settings(  # noqa: PLR0913 (one for each flag)
    *,
    data_dir: Path | None = None,
    host: str | None = None,
    port: int | None = None,
    database: str | None = None,
    declared: Path | None = None,
    drain_s: int | None = None,
    egress: list[str] | None = None,
    environment: Mapping[str, str] = os.environ,
) -> Settings:
    """Put flags and ``PRIMEUR_*`` variables together.

    Raises:
        SetupError: ``PRIMEUR_PORT`` is no port; a line of the egress allow-list is none.
    """
    said_port = environment.get("PRIMEUR_PORT", str(DEFAULT_PORT))
    if port is None and not (said_port.isdigit() and int(said_port) < 65536):
        raise SetupError(f"PRIMEUR_PORT is {said_port!r}; it must be a number from 0 to 65535")
    host = host or environment.get("PRIMEUR_HOST", "127.0.0.1")
    lines = (*(egress or ()), *filter(None, environment.get("PRIMEUR_EGRESS", "").replace(" ", "").split(",")))
    return Settings(
        data_dir=(data_dir or Path(environment.get("PRIMEUR_DATA_DIR", "primeur-data"))).absolute(),
        host=host,
        port=int(said_port) if port is None else port,
        database=database or environment.get("PRIMEUR_DATABASE", ""),
        declared=declared,
        drain_s=30 if drain_s is None else drain_s,
        # A house that nobody else can reach may reach its own machine.
        egress=read_egress(lines, own_machine=host in _LOOPBACK),
        programs=frozenset(filter(None, environment.get("PRIMEUR_ENGINE_PROGRAMS", "").split(os.pathsep))),
    )
