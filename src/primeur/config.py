"""Settings of one service process: flags first, then the environment, then defaults."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from primeur.core.egress import SHUT, Egress, Network, read_egress
from primeur.core.errors import SetupError
from primeur.relay.post import SmtpPost, read_address
from primeur.walks.read_secrets import read_secrets

DEFAULT_PORT = 8080
WORKERS_MOST = 64
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
        memory_mib: memory that engines may take together; None: all that this machine, or its container, has.
        programs: programs that engine settings may name, full paths.
        egress: which addresses may be reached from here.
        master_keys: ``file:PATH``, or ``NAME:ARGUMENT`` of an installed key service; empty: a file in *data_dir*.
        audit_key_path: 32 secret bytes that checkpoints of the event log are signed with; None: made in *data_dir*.
        checkpoints_to: file or URL that signed checkpoints go to; empty: a file in *data_dir*.
        traces_to: OpenTelemetry collector that answered requests are told to, as spans; empty: nobody.
        trusted_proxies: networks whose ``x-forwarded-for`` is believed.
        workers: gateway processes that share the port; with more than one, a parent process owns the rest.
        valkey: address of a Valkey or Redis server that keeps limits for several services; empty: they are kept here.
        shares_when_lost: while whoever keeps the limits is lost, each process gives away its part; else nothing.
        secret_path: 32 secret bytes that key digests are made with, the same for all services on one database; None:
            made in *data_dir*.
        tls_cert, tls_key: PEM files to serve https with; None: http.
        smtp: mail server, ``smtp://USER@HOST:PORT`` or ``smtps://...``; empty: no mails are sent.
        smtp_password: ``env:NAME`` or ``file:PATH``.
        mail_from: who mails are from.
        public_url: where people and identity providers reach this house, such as ``https://ai.example.org``; needed
            for OpenID Connect and passkeys unless it is reached at localhost.
    """

    data_dir: Path
    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    database: str = ""
    declared: Path | None = None
    drain_s: int = 30
    programs: frozenset[str] = frozenset()
    memory_mib: int | None = None
    egress: Egress = SHUT
    audit_key_path: Path | None = None
    master_keys: str = ""
    checkpoints_to: str = ""
    trusted_proxies: tuple[Network, ...] = ()
    traces_to: str = ""
    tls_cert: Path | None = None
    tls_key: Path | None = None
    workers: int = 1
    valkey: str = ""
    shares_when_lost: bool = False
    secret_path: Path | None = None
    smtp: str = ""
    smtp_password: str = ""
    mail_from: str = ""
    public_url: str = ""

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
    trusted_proxies: list[str] | None = None,
    tls_cert: Path | None = None,
    tls_key: Path | None = None,
    workers: int | None = None,
    valkey: str | None = None,
    limits_when_lost: str | None = None,
    public_url: str | None = None,
    environment: Mapping[str, str] = os.environ,
) -> Settings:
    """Put flags and ``PRIMEUR_*`` variables together.

    Raises:
        SetupError: ``PRIMEUR_PORT`` is no port; a line of the egress allow-list or a trusted proxy is none;
            ``PRIMEUR_OTLP_ENDPOINT`` is no address; ``PRIMEUR_WORKERS`` or ``PRIMEUR_LIMITS_WHEN_LOST`` say what
            cannot be; ``PRIMEUR_MEMORY_MIB`` is no number; the public URL is none.
    """
    said_port = environment.get("PRIMEUR_PORT", str(DEFAULT_PORT))
    if port is None and not (said_port.isdigit() and int(said_port) < 65536):
        raise SetupError(f"PRIMEUR_PORT is {said_port!r}; it must be a number from 0 to 65535")
    host = host or environment.get("PRIMEUR_HOST", "127.0.0.1")
    lines = (*(egress or ()), *filter(None, environment.get("PRIMEUR_EGRESS", "").replace(" ", "").split(",")))
    proxies = _networks([*(trusted_proxies or ()), *environment.get("PRIMEUR_TRUSTED_PROXIES", "").split(",")])
    return Settings(
        data_dir=(data_dir or Path(environment.get("PRIMEUR_DATA_DIR", "primeur-data"))).absolute(),
        host=host,
        port=int(said_port) if port is None else port,
        database=database or environment.get("PRIMEUR_DATABASE", ""),
        declared=declared,
        drain_s=30 if drain_s is None else drain_s,
        # A house that nobody else can reach may reach its own machine; behind a proxy, others can.
        egress=read_egress(lines, own_machine=host in _LOOPBACK and not proxies),
        master_keys=environment.get("PRIMEUR_MASTER_KEYS", ""),
        audit_key_path=_path(environment.get("PRIMEUR_AUDIT_KEY", "")),
        checkpoints_to=environment.get("PRIMEUR_AUDIT_CHECKPOINTS", ""),
        smtp=environment.get("PRIMEUR_SMTP", ""),
        smtp_password=environment.get("PRIMEUR_SMTP_PASSWORD", ""),
        mail_from=environment.get("PRIMEUR_MAIL_FROM", ""),
        trusted_proxies=proxies,
        traces_to=_collector(environment.get("PRIMEUR_OTLP_ENDPOINT", "")),
        tls_cert=tls_cert or _path(environment.get("PRIMEUR_TLS_CERT", "")),
        tls_key=tls_key or _path(environment.get("PRIMEUR_TLS_KEY", "")),
        workers=_count("PRIMEUR_WORKERS", workers, environment),
        valkey=valkey or environment.get("PRIMEUR_VALKEY", ""),
        shares_when_lost=_shares(limits_when_lost or environment.get("PRIMEUR_LIMITS_WHEN_LOST", "closed")),
        secret_path=_path(environment.get("PRIMEUR_SECRET_FILE", "")),
        public_url=_origin(public_url or environment.get("PRIMEUR_PUBLIC_URL", "")),
        memory_mib=_memory(environment.get("PRIMEUR_MEMORY_MIB", "")),
        programs=frozenset(filter(None, environment.get("PRIMEUR_ENGINE_PROGRAMS", "").split(os.pathsep))),
    )


def _count(name: str, given: int | None, environment: Mapping[str, str]) -> int:
    said = environment.get(name, "1")
    if given is None and not (said.isdigit() and 1 <= int(said) <= WORKERS_MOST):
        raise SetupError(f"{name} is {said!r}; it must be a number from 1 to {WORKERS_MOST}")
    return int(said) if given is None else given


def _memory(said: str) -> int | None:
    if said and not (said.isdigit() and 1 <= int(said) < 1 << 40):
        raise SetupError(f"PRIMEUR_MEMORY_MIB is {said!r}; it must be a number of MiB, such as 16384")
    return int(said) if said else None


def _shares(said: str) -> bool:
    if said not in {"closed", "share"}:
        raise SetupError(f"limits-when-lost is {said!r}; it must be closed or share")
    return said == "share"


def _collector(said: str) -> str:
    if said and not said.startswith(("http://", "https://")):
        raise SetupError(f"PRIMEUR_OTLP_ENDPOINT is {said!r}; it must be the http or https address of a collector")
    return said


def _origin(said: str) -> str:
    found = urlsplit(said.rstrip("/"))
    if said and not (found.scheme in {"http", "https"} and found.hostname and found.geturl() == _bare(found)):
        raise SetupError(f"public-url is {said!r}; it is https:// and a host, and a port if it is another one than 443")
    return said.rstrip("/").lower()


def _bare(found: SplitResult) -> str:
    return f"{found.scheme}://{found.netloc}" if "@" not in found.netloc else ""


def _path(said: str) -> Path | None:
    # As secrets are given everywhere: file:PATH, or the path itself.
    return Path(said.removeprefix("file:")).absolute() if said else None


def _networks(lines: list[str]) -> tuple[Network, ...]:
    try:
        return tuple(ip_network(line.strip()) for line in lines if line.strip())
    except ValueError as error:
        raise SetupError(f"a trusted proxy is an address or a network such as 10.0.0.0/8: {error}") from None


def mail_server(settings: Settings) -> SmtpPost | None:
    """Give the mail server that the settings name.

    Raises:
        SetupError: it is not written right, or its password is not where they say.
    """
    if not settings.smtp:
        return None
    host, port, user, implicit = read_address(settings.smtp)
    said = {"PRIMEUR_SMTP_PASSWORD": settings.smtp_password} if settings.smtp_password else {}
    password = read_secrets(said, ["PRIMEUR_SMTP_PASSWORD"]).get("PRIMEUR_SMTP_PASSWORD", "")
    return SmtpPost(host, port, settings.mail_from or f"primeur@{host}", user, password, implicit)
