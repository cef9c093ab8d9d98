"""What can happen to what callers asked us to keep."""

from primeur.core.events.base import Event


class FileKept(Event, frozen=True):
    """A caller asked us to keep a file, or a batch wrote one."""

    file_id: str
    purpose: str
    size_bytes: int


class FileDeleted(Event, frozen=True):
    """A file was deleted by its project, or its time had come."""

    file_id: str


class UploadMoved(Event, frozen=True):
    """An upload was opened, completed, cancelled or has expired."""

    upload_id: str
    state: str


class BatchMoved(Event, frozen=True):
    """A batch was created, or is in another state."""

    batch_id: str
    state: str


class ResponseDeleted(Event, frozen=True):
    """A stored response was deleted."""

    response_id: str


class ConversationCreated(Event, frozen=True):
    """A conversation was opened."""

    conversation_id: str


class ConversationChanged(Event, frozen=True):
    """A conversation's metadata or items were changed by hand."""

    conversation_id: str


class ConversationDeleted(Event, frozen=True):
    """A conversation and its items were deleted."""

    conversation_id: str


ArchiveEvent = (
    FileKept
    | FileDeleted
    | UploadMoved
    | BatchMoved
    | ResponseDeleted
    | ConversationCreated
    | ConversationChanged
    | ConversationDeleted
)
