"""All that can happen to configuration, in past tense: the append-only log that followers read from a cursor."""

import msgspec


class Event(msgspec.Struct, frozen=True, tag=True):
    """Something that happened; stored with its time, its actor and a sequence number."""


class HouseFounded(Event, frozen=True):
    """The first start made an organisation, a project and an owner."""

    organisation_id: str
    project_id: str


class ProjectCreated(Event, frozen=True):
    """A project was added."""

    project_id: str
    name: str


class ProjectChanged(Event, frozen=True):
    """A project's settings changed."""

    project_id: str
    keeps_prompts: bool


class KeyCreated(Event, frozen=True):
    """A key was made; its text was shown once and is not stored."""

    key_id: str
    name: str


class KeyChanged(Event, frozen=True):
    """A key's limits, deployments or expiry changed."""

    key_id: str


class KeyRotated(Event, frozen=True):
    """A key has a new text; the old one is worth nothing from then on."""

    key_id: str


class KeyRevoked(Event, frozen=True):
    """A key was taken back."""

    key_id: str


class SignInLinkMade(Event, frozen=True):
    """A one-time sign-in link was made for a member."""

    member_id: str


class MemberSignedIn(Event, frozen=True):
    """A member opened a console session."""

    member_id: str


class MemberSignedOut(Event, frozen=True):
    """A member closed a console session."""

    member_id: str


class VersionRegistered(Event, frozen=True):
    """A model has a new immutable version."""

    model: str
    version_id: str
    digest: str


class ModelRetired(Event, frozen=True):
    """A model is not offered for new deployments any more."""

    model: str


class ProviderAdded(Event, frozen=True):
    """A provider is known, or its settings were replaced."""

    provider: str
    kind: str


class ProviderRemoved(Event, frozen=True):
    """A provider was taken out; no deployment named it."""

    provider: str


class RevisionDeployed(Event, frozen=True):
    """A deployment points at a new revision."""

    deployment: str
    revision_id: str


class DeploymentRemoved(Event, frozen=True):
    """A deployment's name is free again."""

    deployment: str


class AliasSet(Event, frozen=True):
    """A second name leads to a deployment."""

    alias: str
    deployment: str


class AliasRemoved(Event, frozen=True):
    """A second name is free again."""

    alias: str


class PriceSet(Event, frozen=True):
    """A deployment's tokens have a price from a moment on."""

    deployment: str
    price_id: str


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


AnyEvent = (
    HouseFounded
    | ProjectCreated
    | ProjectChanged
    | KeyCreated
    | KeyChanged
    | KeyRotated
    | KeyRevoked
    | SignInLinkMade
    | MemberSignedIn
    | MemberSignedOut
    | VersionRegistered
    | ModelRetired
    | ProviderAdded
    | ProviderRemoved
    | RevisionDeployed
    | DeploymentRemoved
    | AliasSet
    | AliasRemoved
    | PriceSet
    | FileKept
    | FileDeleted
    | UploadMoved
    | BatchMoved
    | ResponseDeleted
    | ConversationCreated
    | ConversationChanged
    | ConversationDeleted
)
