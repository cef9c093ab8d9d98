"""Uploads and their parts."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import delete, func, insert, select, update

from primeur.archive.rules import PARTS, UPLOAD
from primeur.core.errors import BadRequest, Conflict, NotFound
from primeur.store.database import Tx
from primeur.store.schema import upload_parts, uploads


@dataclass(frozen=True, slots=True)
class Upload:
    """An upload's row.

    Attributes:
        state: a state of `primeur.archive.rules.UPLOAD`.
        size_bytes: as announced when it was created.
        file_seconds: how long the file is to live; None leaves it to its purpose.
        expires_ms: until when it takes parts.
    """

    id: str
    project_id: str
    state: str
    filename: str
    purpose: str
    mime_type: str
    size_bytes: int
    file_seconds: int | None
    file_id: str | None
    expires_ms: int
    created_ms: int


@dataclass(frozen=True, slots=True)
class Part:
    """One piece of an upload; its bytes are the blob with *digest*."""

    id: str
    upload_id: str
    size_bytes: int
    digest: str
    created_ms: int


def insert_upload(tx: Tx, upload: Upload) -> None:
    """Remember *upload*."""
    tx.execute(insert(uploads).values(asdict(upload)))


def find_upload(tx: Tx, project_id: str, upload_id: str) -> Upload:
    """Give a project's upload.

    Raises:
        NotFound: no such upload in this project.
    """
    asked = select(*(uploads.c[name] for name in Upload.__slots__))
    row = tx.execute(asked.where(uploads.c.id == upload_id, uploads.c.project_id == project_id)).one_or_none()
    if row is None:
        raise NotFound(f"there is no upload {upload_id!r} in this project; create one first", param="upload_id")
    return Upload(*row)


def move_upload(tx: Tx, upload: Upload, move: str, file_id: str | None = None) -> str:
    """Move an upload by compare-and-set and give its new state.

    Raises:
        Conflict: it cannot move so from its state, or somebody else moved it.
    """
    state = UPLOAD.after(upload.state, move)
    moved = tx.execute(
        update(uploads)
        .where(uploads.c.id == upload.id, uploads.c.state == upload.state)
        .values(state=state, file_id=file_id)
    )
    if moved.rowcount != 1:
        raise Conflict(f"upload {upload.id!r} was changed by somebody else; look at it again")
    return state


def insert_part(tx: Tx, part: Part) -> None:
    """Remember *part*.

    Raises:
        BadRequest: the upload has as many parts as it may have.
    """
    seen = select(func.count()).select_from(upload_parts).where(upload_parts.c.upload_id == part.upload_id)
    if tx.execute(seen).scalar_one() >= PARTS:
        raise BadRequest(f"an upload has at most {PARTS} parts; send larger ones")
    tx.execute(insert(upload_parts).values(asdict(part)))


def find_parts(tx: Tx, upload_id: str, part_ids: Sequence[str]) -> list[Part]:
    """Give parts in the order of *part_ids*.

    Raises:
        BadRequest: the upload has no such part.
    """
    asked = select(*(upload_parts.c[name] for name in Part.__slots__)).where(upload_parts.c.upload_id == upload_id)
    found = {row.id: Part(*row) for row in tx.execute(asked)}
    for position, part_id in enumerate(part_ids):
        if part_id not in found:
            raise BadRequest(f"upload {upload_id!r} has no part {part_id!r}", param=f"part_ids[{position}]")
    return [found[part_id] for part_id in part_ids]


def delete_parts(tx: Tx, upload_id: str) -> list[str]:
    """Forget an upload's parts and give the digests of their blobs."""
    asked = select(upload_parts.c.digest).where(upload_parts.c.upload_id == upload_id)
    digests = [str(digest) for digest in tx.execute(asked).scalars()]
    tx.execute(delete(upload_parts).where(upload_parts.c.upload_id == upload_id))
    return digests


def overdue_uploads(tx: Tx, now_ms: int, limit: int) -> list[Upload]:
    """Give uploads that wait for parts beyond their time, of all projects."""
    asked = select(*(uploads.c[name] for name in Upload.__slots__))
    due = asked.where(uploads.c.state == "pending", uploads.c.expires_ms <= now_ms).limit(limit)
    return [Upload(*row) for row in tx.execute(due)]
