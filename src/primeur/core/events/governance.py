"""What can happen to who calls."""

from primeur.core.events.base import Event


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


class AccessRefused(Event, frozen=True):
    """Somebody was not let in, or may not do what they asked for; repeated ones are told once a minute.

    Attributes:
        door: method and path.
        times: how often within the minute.
    """

    door: str
    code: str
    reason: str
    times: int


class CheckpointMade(Event, frozen=True):
    """The end of the event log was signed, this entry included; *key* is the public key."""

    key: str


class OrganisationCreated(Event, frozen=True):
    """An organisation was added to the house."""

    organisation_id: str
    name: str


class MemberInvited(Event, frozen=True):
    """Somebody was made a member, or a service account was made."""

    member_id: str
    role: str


class MemberChanged(Event, frozen=True):
    """A member's name, role or state changed; *state* is the new one."""

    member_id: str
    role: str
    state: str


class MembershipSet(Event, frozen=True):
    """A member got a role in one more project, or another one there; an empty role: they left it."""

    member_id: str
    project_id: str
    role: str


class RoleSet(Event, frozen=True):
    """An organisation made or changed a role of its own."""

    name: str
    permissions: tuple[str, ...]


class RoleRemoved(Event, frozen=True):
    """An organisation gave up a role of its own."""

    name: str


class SessionEnded(Event, frozen=True):
    """Somebody ended a session of a member, or all of them when *session_id* is empty."""

    member_id: str
    session_id: str


class SessionMoved(Event, frozen=True):
    """A member who is signed in went on to another of their projects."""

    member_id: str
    project_id: str


class SignInSet(Event, frozen=True):
    """How an organisation's people sign in was set."""

    organisation_id: str


class PasswordChanged(Event, frozen=True):
    """A member has a new password."""

    member_id: str


class SignInBanned(Event, frozen=True):
    """Too many wrong attempts: a name or an address has to wait.

    Attributes:
        whose: ``name:...`` or ``address:...``.
        wait_ms: milliseconds.
    """

    whose: str
    wait_ms: int


class SignInRefused(Event, frozen=True):
    """Somebody was not let in by a provider or a passkey.

    Attributes:
        method: ``openid`` or ``passkey``.
        why: in words; no secrets.
    """

    method: str
    why: str


class PasskeyAdded(Event, frozen=True):
    """A member may sign in with one more passkey."""

    member_id: str
    passkey_id: str
    name: str


class PasskeyRenamed(Event, frozen=True):
    """A member calls a passkey something else."""

    member_id: str
    passkey_id: str
    name: str


class PasskeyRemoved(Event, frozen=True):
    """A passkey of a member signs in no more."""

    member_id: str
    passkey_id: str
    name: str


class GroupSet(Event, frozen=True):
    """An identity provider made a group or changed who is in it."""

    group_id: str
    name: str
    members: int


class GroupRemoved(Event, frozen=True):
    """An identity provider removed a group."""

    group_id: str


GovernanceEvent = (
    AccessRefused
    | CheckpointMade
    | HouseFounded
    | ProjectCreated
    | ProjectChanged
    | KeyCreated
    | KeyChanged
    | KeyRotated
    | KeyRevoked
    | SignInLinkMade
    | MemberSignedIn
    | MemberSignedOut
    | OrganisationCreated
    | MemberInvited
    | MemberChanged
    | MembershipSet
    | RoleSet
    | RoleRemoved
    | SessionEnded
    | SessionMoved
    | SignInSet
    | PasswordChanged
    | SignInBanned
    | SignInRefused
    | PasskeyAdded
    | PasskeyRenamed
    | PasskeyRemoved
    | GroupSet
    | GroupRemoved
)
