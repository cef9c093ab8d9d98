"""Read what engines wrote into their logs: the last lines or what came since, bounded, and without secrets."""

import asyncio
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from primeur.core.caller import Caller
from primeur.core.errors import BadRequest, NotFound
from primeur.core.masking import RULES, replace_spans
from primeur.registry import deployment_rows
from primeur.registry.deployment_rows import DeploymentRow, Revision
from primeur.registry.scaling import process_name, revision_of
from primeur.store.database import Tx
from primeur.walks.check_deployments import real_deployment
from primeur.walks.house import House

READ_BYTES = 256 << 10
LINE_MOST = 2000
LOGS_MOST = 16
SECRET = "[secret]"  # noqa: S105 (what stands in its place)

# The forms that name what follows them; `primeur.core.masking` knows those that tell themselves.
_NAMED = re.compile(
    r"(?i)\b(bearer\s+|(?:api[-_]?key|password|secret)[\"']?\s{0,3}[=:]\s{0,3}[\"']?)[^\s\"',;]{8,4096}"
)
_IN_URL = re.compile(r"(://[^\s:/@]{1,64}:)[^\s/@]{1,256}@")
# What is read may begin or end within a private key.
_ENDS_A_KEY = re.compile(r"\A(?:(?!-----BEGIN)[\s\S])*?-----END [A-Z ]{0,40}PRIVATE KEY-----")
_BEGINS_A_KEY = re.compile(r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[\s\S]*\Z")
_SHORTEST_KEY = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class LogAsk:
    """Which logs, and how much of them.

    Attributes:
        revision: its number; None: those that are to run, or the newest when none is.
        replica: 1, 2, 3...; None: all of them.
        lines: at most, of each log.
        since: bytes of each log that were read before, by its name ``REVISION.REPLICA``; lines are then the first ones.
    """

    revision: int | None = None
    replica: int | None = None
    lines: int = 100
    since: Mapping[str, int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineLog:
    """A part of one replica's log, oldest line first.

    Attributes:
        until: bytes that have been read, to ask for what comes since.
        more: there are lines that were not given: older ones or, where something was read before, later ones.
    """

    revision: int
    replica: int
    lines: list[str]
    until: int
    more: bool

    @property
    def name(self) -> str:
        """``REVISION.REPLICA``."""
        return f"{self.revision}.{self.replica}"


async def read_logs(
    house: House, caller: Caller, deployment: str, ask: LogAsk
) -> tuple[DeploymentRow, list[EngineLog]]:
    """Give the logs of a deployment's engines on this machine, the newest revision first.

    Raises:
        NotFound: no such deployment, not for this caller, or no such revision.
        BadRequest: it runs on a provider, whose logs are not here.
    """

    def read(tx: Tx) -> tuple[DeploymentRow, list[Revision]]:
        row = real_deployment(tx, deployment)
        return row, deployment_rows.list_revisions(tx, row.id)

    row, known = await house.store.read(read)
    if caller.deployments is not None and row.name not in caller.deployments:
        raise NotFound(f"there is no deployment {deployment!r} for {caller.name!r}")
    chosen = _choose(house, row.name, known, ask.revision)
    secrets = _known_secrets(house)
    logs = [
        _Source(revision.number, replica, path, house.host.state(process_name(revision.id, replica)).pid is not None)
        for revision in chosen
        for replica, path in _replicas(house.place.data_dir / "engines", revision.id)
        if ask.replica in {None, replica}
    ]
    return row, await asyncio.to_thread(lambda: [_read(one, ask, secrets) for one in logs[:LOGS_MOST]])


def _choose(house: House, name: str, known: list[Revision], number: int | None) -> list[Revision]:
    own = [one for one in known if one.engine is not None]
    if number is not None:
        if all(one.number != number for one in known):
            raise NotFound(f"{name!r} has no revision {number}; `primeur deployments show {name}` lists them")
        own = [one for one in own if one.number == number]
    if not own:
        raise BadRequest(f"{name!r} runs at a provider, which keeps its own logs", param="deployment")
    if number is not None:
        return own
    running = {revision_of(one) for one in house.board.now.launches}
    return [one for one in own if one.id in running] or own[:1]


def _replicas(folder: Path, revision_id: str) -> list[tuple[int, Path]]:
    found = {1: folder / f"{revision_id}.log"}
    for path in folder.glob(f"{revision_id}.*.log"):
        number = path.name.removeprefix(f"{revision_id}.").removesuffix(".log")
        if number.isdecimal():
            found[int(number)] = path
    return sorted(found.items())


def _known_secrets(house: House) -> list[str]:
    """What engines and providers are spoken to with; longest first, because one may hold another."""
    deployments = house.board.now.deployments.values()
    values = {value for one in deployments for target in one.targets for _, value in target.endpoint.headers}
    texts = {value.decode("latin-1").rpartition(" ")[2] for value in values}
    return sorted((one for one in texts if len(one) >= _SHORTEST_KEY), key=len, reverse=True)


@dataclass(frozen=True, slots=True)
class _Source:
    """One replica's log; one that grows ends in a line that is being written."""

    revision: int
    replica: int
    path: Path
    grows: bool


def _read(source: _Source, ask: LogAsk, secrets: Iterable[str]) -> EngineLog:
    since = None if ask.since is None else ask.since.get(f"{source.revision}.{source.replica}", 0)
    data, start, size = _bytes(source.path, since)
    if source.grows or since is not None:
        # The rest of a line that is being written comes with the next look.
        whole = data.rfind(b"\n") + 1
        data = data[:whole] if whole or len(data) < READ_BYTES else data
    lines = data.splitlines(keepends=True)
    cut = start > 0 and since is None
    if cut and len(lines) > 1:
        # The first is the end of one.
        lines = lines[1:]
    if since is None:
        lines, more = lines[-ask.lines :], cut or len(lines) > ask.lines
        until = start + len(data)
    else:
        lines = lines[: ask.lines]
        until = start + sum(map(len, lines))
        more = until < size
    text = hide(b"".join(lines).decode("utf-8", "replace"), secrets)
    told = [line[:LINE_MOST] for line in text.splitlines()]
    return EngineLog(revision=source.revision, replica=source.replica, lines=told, until=until, more=more)


def _bytes(path: Path, since: int | None) -> tuple[bytes, int, int]:
    """Give a part of the file, where it begins, and the file's size; nothing where there is no file."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            # A log that outgrew its bound was cut: it begins anew.
            start = max(0, size - READ_BYTES) if since is None else since if since <= size else 0
            file.seek(start)
            return file.read(READ_BYTES), start, size
    except OSError:
        return b"", 0, 0


def hide(text: str, secrets: Iterable[str] = ()) -> str:
    """Write `SECRET` in place of what is one: by its form, by what it is called, or because it is one of *secrets*."""
    for one in secrets:
        text = text.replace(one, SECRET)
    text = replace_spans(text, [*RULES["secret"].spans(text)], SECRET)
    text = _BEGINS_A_KEY.sub(SECRET, _ENDS_A_KEY.sub(SECRET, text, count=1))
    return _IN_URL.sub(rf"\1{SECRET}@", _NAMED.sub(rf"\1{SECRET}", text))
