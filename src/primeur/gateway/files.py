"""``/v1/files``: kept files."""

from primeur.archive.file_rows import KeptFile, find_file, list_files
from primeur.archive.rules import FILE_BYTES, Label, check_filename, check_purpose, read_expiry, read_page
from primeur.archive.wire import Deleted, FileForm, FileObject, FilesQuery, Listing
from primeur.core.errors import BadRequest
from primeur.gateway.doors import Door
from primeur.gateway.forms import FORM_OVERHEAD, read_form
from primeur.gateway.paging import id_in_path, list_page
from primeur.gateway.visit import Answer, Visit, json_answer
from primeur.walks.keep_file import forget_file, keep_file, read_blob

_FIELDS = frozenset({"purpose", "expires_after[anchor]", "expires_after[seconds]"})


def show_file(file: KeptFile) -> FileObject:
    """Write a file as OpenAI's API shows it."""
    return FileObject(
        id=file.id,
        bytes=file.size_bytes,
        created_at=file.created_ms // 1000,
        expires_at=file.expires_ms // 1000 if file.expires_ms is not None else None,
        filename=file.filename,
        purpose=file.purpose,
    )


async def create_file(visit: Visit) -> Answer:
    """Keep a file sent as a form."""
    draft = visit.house.blobs.draft(FILE_BYTES, "the file")
    try:
        form = await read_form(visit.headers.get(b"content-type", b""), visit.stream, "file", draft)
        unknown = sorted(form.fields.keys() - _FIELDS)
        if unknown:
            raise BadRequest(f"unknown parameter {unknown[0]!r}", param=unknown[0], code="unknown_parameter")
        purpose = check_purpose(form.fields.get("purpose"))
        label = Label(check_filename(form.filename), purpose, read_expiry(form.fields))
        file = await keep_file(visit.house, visit.caller, form.sealed, label)
    finally:
        draft.discard()
    return json_answer(show_file(file))


async def list_project_files(visit: Visit) -> Answer:
    """List a project's files."""
    page = read_page(visit.query, default=10_000, most=10_000, allowed=frozenset({"purpose"}))
    now_ms, project_id, purpose = visit.house.clock.now_ms(), visit.caller.project_id, visit.query.get("purpose")
    found = await visit.house.store.read(lambda tx: list_files(tx, project_id, purpose, page, now_ms))
    return json_answer(list_page(found, page, show_file, lambda file: file.id))


async def get_file(visit: Visit) -> Answer:
    """Show one file."""
    return json_answer(show_file(await _find(visit)))


async def get_file_content(visit: Visit) -> Answer:
    """Give a file's bytes."""
    file = await _find(visit)
    stream = await read_blob(visit.house, file.digest)
    return Answer(
        headers=[
            (b"content-length", str(file.size_bytes).encode()),
            # The bytes came from a caller: a browser must neither guess what they are nor show them as a page.
            (b"x-content-type-options", b"nosniff"),
            (b"content-disposition", b"attachment"),
        ],
        content_type=b"application/octet-stream",
        stream=stream,
    )


async def remove_file(visit: Visit) -> Answer:
    """Delete one file."""
    file_id = id_in_path(visit, "file_id")
    await forget_file(visit.house, visit.caller, file_id)
    return json_answer(Deleted(file_id, "file"))


async def _find(visit: Visit) -> KeptFile:
    file_id, now_ms, project_id = id_in_path(visit, "file_id"), visit.house.clock.now_ms(), visit.caller.project_id
    return await visit.house.store.read(lambda tx: find_file(tx, project_id, file_id, now_ms))


DOORS = (
    Door(
        "POST",
        "/v1/files",
        create_file,
        "Keep a file of at most 512 MiB",
        "files",
        tells="FileKept",
        body_limit=FILE_BYTES + FORM_OVERHEAD,
        streams_body=True,
        takes=FileForm,
        gives=FileObject,
    ),
    Door("GET", "/v1/files", list_project_files, "List files", "files", takes=FilesQuery, gives=Listing),
    Door("GET", "/v1/files/{file_id}", get_file, "Show a file", "files", gives=FileObject),
    Door("GET", "/v1/files/{file_id}/content", get_file_content, "Give a file's bytes", "files"),
    Door("DELETE", "/v1/files/{file_id}", remove_file, "Delete a file", "files", tells="FileDeleted", gives=Deleted),
)
