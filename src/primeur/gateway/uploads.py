"""``/v1/uploads``: large files in parts."""

from primeur.archive.file_rows import KeptFile
from primeur.archive.rules import PART_BYTES
from primeur.archive.upload_rows import Upload
from primeur.archive.wire import CompleteUpload, CreateUpload, PartForm, PartObject, UploadObject
from primeur.gateway.doors import MIB, Door
from primeur.gateway.files import show_file
from primeur.gateway.forms import FORM_OVERHEAD, read_form
from primeur.gateway.paging import id_in_path
from primeur.gateway.visit import Answer, Visit, json_answer
from primeur.walks.assemble_upload import add_part, cancel_upload, complete_upload, look_up_upload, open_upload


def show_upload(upload: Upload, file: KeptFile | None = None) -> UploadObject:
    """Write an upload as OpenAI's API shows it."""
    return UploadObject(
        id=upload.id,
        bytes=upload.size_bytes,
        created_at=upload.created_ms // 1000,
        expires_at=upload.expires_ms // 1000,
        filename=upload.filename,
        purpose=upload.purpose,
        status=upload.state,
        file=show_file(file) if file is not None else None,
    )


async def create_upload(visit: Visit) -> Answer:
    """Begin an upload."""
    return json_answer(show_upload(await open_upload(visit.house, visit.caller, visit.read(CreateUpload))))


async def get_upload(visit: Visit) -> Answer:
    """Show an upload."""
    return json_answer(show_upload(*await look_up_upload(visit.house, visit.caller, id_in_path(visit, "upload_id"))))


async def add_upload_part(visit: Visit) -> Answer:
    """Keep one part, sent as a form."""
    upload_id = id_in_path(visit, "upload_id")
    draft = visit.house.blobs.draft(PART_BYTES, "the part")
    try:
        form = await read_form(visit.headers.get(b"content-type", b""), visit.stream, "data", draft)
        part = await add_part(visit.house, visit.caller, upload_id, form.sealed)
    finally:
        draft.discard()
    return json_answer(PartObject(id=part.id, created_at=part.created_ms // 1000, upload_id=upload_id))


async def finish_upload(visit: Visit) -> Answer:
    """Put the parts together."""
    asked, upload_id = visit.read(CompleteUpload), id_in_path(visit, "upload_id")
    upload, file = await complete_upload(visit.house, visit.caller, upload_id, asked.part_ids, asked.md5)
    return json_answer(show_upload(upload, file))


async def drop_upload(visit: Visit) -> Answer:
    """Give an upload up."""
    return json_answer(show_upload(await cancel_upload(visit.house, visit.caller, id_in_path(visit, "upload_id"))))


DOORS = (
    Door(
        "POST",
        "/v1/uploads",
        create_upload,
        "Begin an upload of at most 8 GiB",
        "files",
        tells="UploadMoved",
        takes=CreateUpload,
        gives=UploadObject,
    ),
    Door("GET", "/v1/uploads/{upload_id}", get_upload, "Show an upload", "files", gives=UploadObject),
    Door(
        "POST",
        "/v1/uploads/{upload_id}/parts",
        add_upload_part,
        "Add a part of at most 64 MiB",
        "files",
        body_limit=PART_BYTES + FORM_OVERHEAD,
        streams_body=True,
        takes=PartForm,
        gives=PartObject,
    ),
    Door(
        "POST",
        "/v1/uploads/{upload_id}/complete",
        finish_upload,
        "Put the parts together into a file",
        "files",
        tells="UploadMoved",
        body_limit=2 * MIB,
        takes=CompleteUpload,
        gives=UploadObject,
    ),
    Door(
        "POST",
        "/v1/uploads/{upload_id}/cancel",
        drop_upload,
        "Give an upload up",
        "files",
        tells="UploadMoved",
        gives=UploadObject,
    ),
)
