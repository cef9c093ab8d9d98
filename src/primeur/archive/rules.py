"""What may be kept, for how long, and how uploads and batches move; pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from primeur.core.errors import BadRequest, TooLarge
from primeur.core.machine import Machine
from primeur.core.reading import is_id

MIB = 1 << 20
FILE_BYTES = 512 * MIB
UPLOAD_BYTES = 8192 * MIB
PART_BYTES = 64 * MIB
PARTS = 8192
PROJECT_BYTES = 100 * 1024 * MIB
UPLOAD_MS = 3_600_000
DAY_MS = 86_400_000
BATCH_FILE_MS = 30 * DAY_MS

# The purposes a caller may name; the house adds `batch_output`.
PURPOSES = ("assistants", "batch", "fine-tune", "vision", "user_data", "evals")
BATCH_OUTPUT = "batch_output"

PENDING = "pending"  # takes parts
COMPLETED = "completed"  # has become a file; of a batch: every line has an answer or an error
CANCELLED = "cancelled"  # given up by its caller; a batch's finished lines are in its files
EXPIRED = "expired"  # was not finished in time; a batch's finished lines are in its files

UPLOAD = Machine(
    "upload",
    {
        (PENDING, "complete"): COMPLETED,
        (PENDING, "cancel"): CANCELLED,
        (PENDING, "expire"): EXPIRED,
    },
)

VALIDATING = "validating"  # its input file is being read
FAILED = "failed"  # the input file has faults; no line was run
IN_PROGRESS = "in_progress"  # lines are being run
FINALIZING = "finalizing"  # every line was run, the files are being written
CANCELLING = "cancelling"  # no new line begins, those begun end

BATCH = Machine(
    "batch",
    {
        (VALIDATING, "begin"): IN_PROGRESS,
        (VALIDATING, "fail"): FAILED,
        (VALIDATING, "cancel"): CANCELLING,
        (VALIDATING, "expire"): EXPIRED,
        (IN_PROGRESS, "finish"): FINALIZING,
        (IN_PROGRESS, "cancel"): CANCELLING,
        (IN_PROGRESS, "expire"): EXPIRED,
        (FINALIZING, "complete"): COMPLETED,
        (CANCELLING, "stop"): CANCELLED,
    },
)


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list is wanted; *after* is the id of the last thing seen."""

    limit: int
    newest_first: bool = True
    after: str | None = None


@dataclass(frozen=True, slots=True)
class Label:
    """What a caller says about bytes it wants kept; *expires_after_s* None leaves it to the purpose."""

    filename: str
    purpose: str
    expires_after_s: int | None = None


def read_page(query: Mapping[str, str], *, default: int, most: int, allowed: frozenset[str] = frozenset()) -> Page:
    """Read ``limit``, ``order`` and ``after`` from a query.

    Args:
        allowed: further names that the list understands; every other one is refused.

    Raises:
        BadRequest: not a number, out of range, or a name that the list does not know.
    """
    for name in query:
        if name not in {"limit", "order", "after", "api-version"} | allowed:
            raise BadRequest(f"{name!r} is not a parameter of this list; leave it out", param=name)
    text = query.get("limit", str(default))
    limit = int(text) if text.isascii() and text.isdigit() and len(text) <= 6 else 0
    if not 1 <= limit <= most:
        raise BadRequest(f"limit must be a whole number from 1 to {most}", param="limit")
    order = query.get("order", "desc")
    if order not in {"asc", "desc"}:
        raise BadRequest("order must be asc or desc", param="order")
    after = query.get("after") or None
    if after is not None and not is_id(after):
        raise BadRequest("after must be the id of the last thing you have seen", param="after")
    return Page(limit, order == "desc", after)


def check_purpose(purpose: str | None) -> str:
    """Give the purpose of a file.

    Raises:
        BadRequest: missing, or not one that OpenAI's API names.
    """
    if purpose not in PURPOSES:
        raise BadRequest(f"purpose must be one of {', '.join(PURPOSES)}", param="purpose")
    return purpose


def check_filename(name: str | None) -> str:
    """Give a file's name without the folders a client may have put before it.

    Raises:
        BadRequest: empty, too long, or with characters that cannot be shown.
    """
    bare = (name or "").replace("\\", "/").rsplit("/", 1)[-1].strip()
    if not bare or len(bare) > 255 or not bare.isprintable():
        raise BadRequest("the file needs a name of 1 to 255 printable characters", param="filename")
    return bare


def expiry_of(purpose: str, seconds: int | None, now_ms: int) -> int | None:
    """When a file kept now is to be forgotten, UTC milliseconds; None is never.

    Source: OpenAI API, ``FileExpirationAfter``: files for batches live 30 days unless they say otherwise.
    """
    if seconds is not None:
        return now_ms + seconds * 1000
    return now_ms + BATCH_FILE_MS if purpose in {"batch", BATCH_OUTPUT} else None


def read_expiry(fields: Mapping[str, str]) -> int | None:
    """Read ``expires_after[anchor]`` and ``expires_after[seconds]`` from a form, in seconds.

    Raises:
        BadRequest: another anchor than ``created_at``, or not 3,600 to 2,592,000 seconds.
    """
    anchor, text = fields.get("expires_after[anchor]"), fields.get("expires_after[seconds]")
    if anchor is None and text is None:
        return None
    if anchor != "created_at":
        raise BadRequest("expires_after[anchor] must be created_at", param="expires_after[anchor]")
    seconds = int(text) if text is not None and text.isascii() and text.isdigit() and len(text) <= 8 else 0
    if not 3600 <= seconds <= 2_592_000:
        raise BadRequest("expires_after[seconds] must be from 3600 to 2592000", param="expires_after[seconds]")
    return seconds


def check_room(kept_bytes: int, size_bytes: int) -> None:
    """Let a project keep *size_bytes* more.

    Raises:
        TooLarge: the project's files would exceed 100 GiB.
    """
    if kept_bytes + size_bytes > PROJECT_BYTES:
        raise TooLarge(
            f"the project keeps {kept_bytes} bytes of at most {PROJECT_BYTES}; delete files first",
            code="storage_limit_exceeded",
        )


def check_assembly(declared: int, sizes: list[int], md5: str | None, found_md5: str) -> None:
    """Let an upload become a file.

    Args:
        declared: bytes announced when the upload was created.
        sizes: bytes of each part, in order.
        md5: what the caller says the whole is; None to leave it unchecked.

    Raises:
        BadRequest: bytes or checksum differ from what was announced.
    """
    if sum(sizes) != declared:
        raise BadRequest(f"the parts are {sum(sizes)} bytes; the upload announced {declared}", param="part_ids")
    if md5 is not None and md5.lower() != found_md5:
        raise BadRequest(f"the md5 of the parts is {found_md5}, not {md5.lower()}; send them again", param="md5")
