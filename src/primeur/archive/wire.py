"""Bodies of the archive's doors as OpenAI's API has them: what callers send, and what they get.

Source: OpenAI API 2.3.0, ``CreateFileRequest``, ``CreateUploadRequest``, ``CreateBatchRequest``,
``CreateConversationBody``, ``CreateResponse`` and the objects they answer with.
"""

from typing import Annotated, Any, Literal

import msgspec

Json = dict[str, Any]
Metadata = Annotated[
    dict[Annotated[str, msgspec.Meta(max_length=64)], Annotated[str, msgspec.Meta(max_length=512)]],
    msgspec.Meta(max_length=16),
]


class ExpiresAfter(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long after its creation a file is forgotten, in seconds."""

    anchor: Literal["created_at"]
    seconds: Annotated[int, msgspec.Meta(ge=3600, le=2_592_000)]


# --- files and uploads --------------------------------------------------------------------------------------------


Bytes = Annotated[str, msgspec.Meta(extra_json_schema={"contentMediaType": "application/octet-stream"})]


class FileForm(msgspec.Struct, frozen=True):
    """Form of ``POST /v1/files``; expiry is two fields, ``expires_after[anchor]`` and ``expires_after[seconds]``."""

    file: Bytes
    purpose: Literal["assistants", "batch", "fine-tune", "vision", "user_data", "evals"]
    expires_after: ExpiresAfter | None = None


class PartForm(msgspec.Struct, frozen=True):
    """Form of ``POST /v1/uploads/{upload_id}/parts``."""

    data: Bytes


class FileObject(msgspec.Struct, kw_only=True):
    """A kept file; times are seconds since 1970, UTC."""

    id: str
    object: Literal["file"] = "file"
    bytes: int
    created_at: int
    expires_at: int | None = None
    filename: str
    purpose: str
    status: Literal["uploaded", "processed", "error"] = "processed"
    status_details: str | None = None


class Deleted(msgspec.Struct):
    """What was deleted."""

    id: str
    object: str
    deleted: bool = True


class Listing(msgspec.Struct, kw_only=True):
    """One page of a list; *has_more* asks for the next one with ``after=last_id``."""

    object: Literal["list"] = "list"
    data: list[Any]
    first_id: str | None = None
    last_id: str | None = None
    has_more: bool = False


class ListQuery(msgspec.Struct, frozen=True):
    """Query of a list."""

    limit: int | None = None
    order: Literal["asc", "desc"] | None = None
    after: str | None = None


class FilesQuery(ListQuery, frozen=True):
    """Query of ``GET /v1/files``."""

    purpose: str | None = None


class ItemsQuery(ListQuery, frozen=True):
    """Query of a list of items."""

    include: list[str] | None = None


class CreateUpload(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of ``POST /v1/uploads``."""

    filename: str
    purpose: str
    bytes: Annotated[int, msgspec.Meta(ge=1)]
    mime_type: Annotated[str, msgspec.Meta(min_length=1, max_length=200, pattern="^[ -~]+$")]
    expires_after: ExpiresAfter | None = None


class CompleteUpload(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of ``POST /v1/uploads/{upload_id}/complete``."""

    part_ids: Annotated[list[str], msgspec.Meta(min_length=1, max_length=8192)]
    md5: Annotated[str, msgspec.Meta(pattern="^[0-9a-fA-F]{32}$")] | None = None


class UploadObject(msgspec.Struct, kw_only=True):
    """An upload; *file* is there once it is completed."""

    id: str
    object: Literal["upload"] = "upload"
    bytes: int
    created_at: int
    expires_at: int
    filename: str
    purpose: str
    status: str
    file: FileObject | None = None


class PartObject(msgspec.Struct, kw_only=True):
    """A part of an upload."""

    id: str
    object: Literal["upload.part"] = "upload.part"
    created_at: int
    upload_id: str


# --- batches ------------------------------------------------------------------------------------------------------


class CreateBatch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of ``POST /v1/batches``."""

    input_file_id: str
    endpoint: str
    completion_window: Literal["24h"]
    metadata: Metadata | None = None
    output_expires_after: ExpiresAfter | None = None


class BatchError(msgspec.Struct, frozen=True):
    """A fault in a batch's input file; *line* counts from 1."""

    code: str
    message: str
    param: str | None = None
    line: int | None = None


class BatchErrors(msgspec.Struct):
    """Why a batch failed."""

    data: list[BatchError]
    object: Literal["list"] = "list"


class BatchCounts(msgspec.Struct, frozen=True):
    """Lines of a batch."""

    total: int
    completed: int
    failed: int


class BatchObject(msgspec.Struct, kw_only=True):
    """A batch; times are seconds since 1970, UTC."""

    id: str
    object: Literal["batch"] = "batch"
    endpoint: str
    model: str | None = None
    errors: BatchErrors | None = None
    input_file_id: str
    completion_window: str = "24h"
    status: str
    output_file_id: str | None = None
    error_file_id: str | None = None
    created_at: int
    in_progress_at: int | None = None
    expires_at: int | None = None
    finalizing_at: int | None = None
    completed_at: int | None = None
    failed_at: int | None = None
    expired_at: int | None = None
    cancelling_at: int | None = None
    cancelled_at: int | None = None
    request_counts: BatchCounts
    usage: Json | None = None
    metadata: dict[str, str] | None = None


# --- conversations ------------------------------------------------------------------------------------------------


class CreateConversation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of ``POST /v1/conversations``."""

    metadata: Metadata | None = None
    items: Annotated[list[Json], msgspec.Meta(max_length=20)] | None = None


class UpdateConversation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of ``POST /v1/conversations/{conversation_id}``."""

    metadata: Metadata


class AddItems(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of ``POST /v1/conversations/{conversation_id}/items``."""

    items: Annotated[list[Json], msgspec.Meta(min_length=1, max_length=20)]


class ConversationObject(msgspec.Struct, kw_only=True):
    """A conversation."""

    id: str
    object: Literal["conversation"] = "conversation"
    created_at: int
    metadata: dict[str, str]


# --- moderations --------------------------------------------------------------------------------------------------


class CreateModeration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of ``POST /v1/moderations``."""

    input: str | list[str | Json]
    model: str = "omni-moderation-latest"
