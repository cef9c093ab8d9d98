"""Everything that one project owns, as one archive; and its kept exchanges as training data, if it opted in."""

import asyncio
import io
import tarfile
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from primeur.archive.owned_rows import KINDS, owned_rows
from primeur.core.caller import Caller
from primeur.core.errors import NotPermitted
from primeur.core.events import ProjectExported, TrainingDataTaken
from primeur.governance import rows
from primeur.governance.data_rows import find_policy
from primeur.metering.kept_rows import read_kept
from primeur.metering.log_rows import Search, search_requests
from primeur.store.database import Tx, tell
from primeur.walks.choose_project import actor_of, choose_project
from primeur.walks.house import House

_AT_ONCE = 500


async def export_project(house: House, caller: Caller, name: str) -> AsyncIterator[bytes]:
    """Give a tar archive piece by piece: JSON Lines for each kind of thing, and the files' bytes.

    Raises:
        NotFound: there is no such project for this caller.
    """

    def begin(tx: Tx) -> rows.Project:
        project = choose_project(tx, caller, name)
        tell(tx, ProjectExported(project.id), actor=actor_of(caller), at_ms=house.clock.now_ms())
        return project

    project = await house.store.transact(begin)
    return _Pieces(_archive(house, project))


async def take_training_data(house: House, caller: Caller, name: str) -> AsyncIterator[bytes]:
    """Give a project's kept exchanges as JSON Lines; the only way from what was stored to training.

    Raises:
        NotFound: there is no such project for this caller.
        NotPermitted: the project did not opt in.
    """

    def begin(tx: Tx) -> rows.Project:
        project = choose_project(tx, caller, name)
        if not find_policy(tx, project.id).trains:
            raise NotPermitted(
                f"the project {project.name!r} did not opt in: what it keeps trains nothing; "
                "`primeur projects data --trains` of somebody who may change it does"
            )
        tell(tx, TrainingDataTaken(project.id), actor=actor_of(caller), at_ms=house.clock.now_ms())
        return project

    project = await house.store.transact(begin)
    return _Pieces(_exchanges(house, project.id))


class _Pieces:
    """Bytes that are made in a thread, one piece at a time."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces

    def __aiter__(self) -> "_Pieces":
        return self

    async def __anext__(self) -> bytes:
        piece = await asyncio.to_thread(next, self._pieces, None)
        if piece is None:
            raise StopAsyncIteration
        return piece


def _exchanges(house: House, project_id: str) -> Iterator[bytes]:
    after = ""
    while kept := house.store.read_now(partial(read_kept, project_id=project_id, after=after, most=_AT_ONCE)):
        yield b"".join(msgspec.json.encode({"prompt": one.prompt, "answer": one.answer}) + b"\n" for one in kept)
        after = kept[-1].id


def _archive(house: House, project: rows.Project) -> Iterator[bytes]:
    """Write the archive through a buffer that is emptied after every member: nothing is held whole."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, lines in _members(house, project):
            _add(archive, name, b"".join(lines))
            yield _emptied(buffer)
        for file in _rows(house, project.id, "files"):
            path = house.blobs.path(file["digest"])
            # A file that expired in between is in files.jsonl and has no bytes any more.
            with suppress(FileNotFoundError), path.open("rb") as source:
                yield from _blob(archive, buffer, f"files/{file['id']}", source, path)
    yield _emptied(buffer)


def _blob(archive: tarfile.TarFile, buffer: io.BytesIO, name: str, source: Any, path: Path) -> Iterator[bytes]:
    info = tarfile.TarInfo(name)
    info.size = path.stat().st_size
    archive.addfile(info, source)
    yield _emptied(buffer)


def _members(house: House, project: rows.Project) -> Iterator[tuple[str, Iterator[bytes]]]:
    read = house.store.read_now
    keys = read(lambda tx: rows.list_keys(tx, project.id))
    hidden = {"digest", "old_digest"}
    yield "project.jsonl", iter([_line(asdict(project))])
    yield "data_policy.jsonl", iter([_line(asdict(read(lambda tx: find_policy(tx, project.id))))])
    yield "keys.jsonl", (_line({k: v for k, v in asdict(key).items() if k not in hidden}) for key in keys)
    yield "requests.jsonl", _requests(house, project.id)
    for kind in KINDS:
        yield f"{kind}.jsonl", (_line(row) for row in _rows(house, project.id, kind))


def _requests(house: House, project_id: str) -> Iterator[bytes]:
    before: str | None = None
    while True:
        search = Search(project_id=project_id, before=before, limit=_AT_ONCE)
        found, before = house.store.read_now(partial(search_requests, search=search))
        yield from (_line(one) for one in found)
        if before is None:
            return


def _rows(house: House, project_id: str, kind: str) -> Iterator[dict[str, Any]]:
    start = 0
    while found := house.store.read_now(
        partial(owned_rows, kind=kind, project_id=project_id, most=_AT_ONCE, start=start)
    ):
        yield from found
        start += len(found)


def _line(value: Any) -> bytes:
    return msgspec.json.encode(value) + b"\n"


def _add(archive: tarfile.TarFile, name: str, body: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(body)
    archive.addfile(info, io.BytesIO(body))


def _emptied(buffer: io.BytesIO) -> bytes:
    piece = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return piece
