"""Files, and which blobs are still needed."""

from dataclasses import asdict, dataclass

from sqlalchemy import ColumnElement, delete, func, insert, or_, select, text, union_all

from primeur.archive.rules import Page
from primeur.core.errors import NotFound
from primeur.store.database import Tx
from primeur.store.schema import files, upload_parts


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A file's row; its bytes are the blob with *digest*."""

    id: str
    project_id: str
    filename: str
    purpose: str
    size_bytes: int
    digest: str
    expires_ms: int | None
    created_ms: int


def insert_file(tx: Tx, file: KeptFile) -> None:
    """Remember *file*."""
    tx.execute(insert(files).values(asdict(file)))


def find_file(tx: Tx, project_id: str, file_id: str, now_ms: int) -> KeptFile:
    """Give a project's file.

    Raises:
        NotFound: no such file in this project, or its time is over.
    """
    asked = select(*(files.c[name] for name in KeptFile.__slots__)).where(
        files.c.id == file_id, files.c.project_id == project_id, _alive(now_ms)
    )
    row = tx.execute(asked).one_or_none()
    if row is None:
        raise NotFound(f"there is no file {file_id!r} in this project; GET /v1/files lists them", param="file_id")
    return KeptFile(*row)


def list_files(tx: Tx, project_id: str, purpose: str | None, page: Page, now_ms: int) -> list[KeptFile]:
    """Give one page of a project's files, and one file more when there are more."""
    asked = select(*(files.c[name] for name in KeptFile.__slots__)).where(
        files.c.project_id == project_id, _alive(now_ms)
    )
    if purpose is not None:
        asked = asked.where(files.c.purpose == purpose)
    # Ids begin with their time, so their order is the order of creation.
    if page.after is not None:
        asked = asked.where(files.c.id < page.after if page.newest_first else files.c.id > page.after)
    order = files.c.id.desc() if page.newest_first else files.c.id.asc()
    return [KeptFile(*row) for row in tx.execute(asked.order_by(order).limit(page.limit + 1))]


def kept_bytes(tx: Tx, project_id: str) -> int:
    """How many bytes a project's files have."""
    return int(
        tx.execute(
            select(func.coalesce(func.sum(files.c.size_bytes), 0)).where(files.c.project_id == project_id)
        ).scalar_one()
    )


def delete_file(tx: Tx, file_id: str) -> None:
    """Forget a file's row; its blob is another matter."""
    tx.execute(delete(files).where(files.c.id == file_id))


def expired_files(tx: Tx, now_ms: int, limit: int) -> list[KeptFile]:
    """Give files whose time is over, of all projects."""
    return [
        KeptFile(*row)
        for row in tx.execute(
            select(*(files.c[name] for name in KeptFile.__slots__)).where(files.c.expires_ms <= now_ms).limit(limit)
        )
    ]


def lock_digest(tx: Tx, digest: str) -> None:
    """Let nobody else keep or remove this blob until the transaction ends.

    SQLite has one writer anyway; PostgreSQL is asked for a lock of that name.
    """
    if tx.dialect.name == "postgresql":
        tx.execute(text("select pg_advisory_xact_lock(hashtextextended(:digest, 0))"), {"digest": digest})


def is_needed(tx: Tx, digest: str) -> bool:
    """Whether a file or an upload's part still has this blob."""
    holders = union_all(
        select(files.c.id).where(files.c.digest == digest),
        select(upload_parts.c.id).where(upload_parts.c.digest == digest),
    )
    return tx.execute(holders.limit(1)).first() is not None


def _alive(now_ms: int) -> ColumnElement[bool]:
    return or_(files.c.expires_ms.is_(None), files.c.expires_ms > now_ms)
