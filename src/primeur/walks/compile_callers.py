"""Turn keys and sessions into the callers that the hot path knows."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

from primeur.core.caller import Caller
from primeur.core.errors import BadRequest
from primeur.governance import rules
from primeur.governance.data_rules import DataPolicy
from primeur.governance.key_scopes import read_networks
from primeur.governance.member_rows import Member, list_members, list_memberships, list_roles
from primeur.governance.rows import Key, Project, first_organisation, list_keys, list_projects
from primeur.governance.sign_in_rows import Session, list_sessions
from primeur.governance.sign_in_rows import read_settings as list_settings
from primeur.governance.sign_in_settings import SignInSettings, read_document
from primeur.store.database import Tx
from primeur.walks.compile_gates import Gates

_MINUTE_MS = 60_000


@dataclass(frozen=True)
class People:
    """The rows of everybody who may call.

    Attributes:
        home_id: the organisation that runs the house.
        projects, members: by id.
        memberships: role by member and project.
        roles: what roles of an organisation's own may do.
    """

    home_id: str
    projects: dict[str, Project]
    members: dict[str, Member]
    memberships: dict[tuple[str, str], str]
    roles: dict[str, dict[str, frozenset[str]]]
    keys: list[Key]
    sessions: list[Session]
    settings: dict[str, SignInSettings]


def read_people(tx: Tx, now_ms: int) -> People:
    """Read everybody who may call."""
    home = first_organisation(tx)
    return People(
        home_id="" if home is None else home.id,
        projects={one.id: one for one in list_projects(tx)},
        members={one.id: one for one in list_members(tx)},
        memberships=list_memberships(tx),
        roles=list_roles(tx),
        keys=list_keys(tx),
        sessions=list_sessions(tx, now_ms),
        settings={organisation: read_document(one) for organisation, one in list_settings(tx).items()},
    )


def compile_callers(people: People, pepper: bytes, deployments: Mapping[str, str], gates: Gates) -> dict[bytes, Caller]:
    """Give each key's caller by the key's digest, and the operator's; revoked keys are nobody's.

    A key that was rotated is known by its old text too, until the time that was chosen.

    Args:
        deployments: the name behind each alias, so that a key for an alias may use what it leads to.
        gates: what stands in the way of whom.
    """
    callers: dict[bytes, Caller] = {}
    for key in people.keys:
        if key.revoked_ms is None and _is_owned(people, key):
            caller = _from_key(people, key, deployments, gates)
            callers[key.digest] = caller
            if key.old_digest is not None and key.old_until_ms is not None:
                ends = min(key.old_until_ms, key.expires_ms or key.old_until_ms)
                callers[key.old_digest] = dataclasses.replace(caller, expires_ms=ends)
    if people.projects:
        own = (one for one in people.projects.values() if one.organisation_id == people.home_id)
        home = min(own, key=lambda one: (one.created_ms, one.id))
        digest = rules.digest_key(rules.operator_key(pepper), pepper)
        passed = gates.of(("organisation", home.organisation_id, None))
        callers[digest] = Caller("operator", home.id, home.organisation_id, "operator", rules.roles["owner"], passed)
    return callers


def compile_sessions(people: People, gates: Gates) -> dict[bytes, Caller]:
    """Give each session's caller by the session's digest; those of members who are not here any more are nobody's."""
    found = ((one.digest, _from_session(people, one, gates)) for one in people.sessions)
    return {digest: caller for digest, caller in found if caller is not None}


def _is_owned(people: People, key: Key) -> bool:
    return key.member_id is None or people.members[key.member_id].is_here


def _granted(people: People, project: Project, role: str) -> frozenset[str]:
    organisation_id = project.organisation_id
    try:
        custom = people.roles.get(organisation_id, {})
        return rules.permissions_of(role, custom, home=organisation_id == people.home_id)
    except BadRequest:
        # A role that was given up, or that a newer Primeur knows, lets nobody do anything.
        return frozenset()


def _from_key(people: People, key: Key, deployments: Mapping[str, str], gates: Gates) -> Caller:
    project = people.projects[key.project_id]
    allowed = None if key.deployments is None else frozenset(deployments.get(name, name) for name in key.deployments)
    return Caller(
        key_id=key.id,
        project_id=project.id,
        organisation_id=project.organisation_id,
        name=key.name,
        permissions=_granted(people, project, key.role),
        gates=gates.of(
            ("key", key.id, key.limits),
            ("project", project.id, project.limits),
            ("organisation", project.organisation_id, None),
        ),
        deployments=allowed,
        expires_ms=key.expires_ms,
        keeps_prompts=project.keeps_prompts,
        routes=None if key.routes is None else frozenset(key.routes),
        networks=read_networks(key.networks),
    )


def _from_session(people: People, session: Session, gates: Gates) -> Caller | None:
    member = people.members[session.member_id]
    project = people.projects[session.project_id or member.project_id]
    role = member.role if project.id == member.project_id else people.memberships.get((member.id, project.id))
    if not member.is_here or role is None:
        return None
    settings = people.settings.get(member.organisation_id, read_document(None))
    return Caller(
        key_id=member.id,
        project_id=project.id,
        organisation_id=project.organisation_id,
        name=member.name,
        permissions=_granted(people, project, role),
        gates=gates.of(("project", project.id, project.limits), ("organisation", project.organisation_id, None)),
        expires_ms=min(session.expires_ms, session.created_ms + settings.most_minutes * _MINUTE_MS),
        keeps_prompts=project.keeps_prompts,
        member_id=member.id,
        session_id=session.id,
        seen_ms=session.seen_ms or session.created_ms,
        idle_ms=settings.idle_minutes * _MINUTE_MS,
    )


def with_masks(callers: Mapping[bytes, Caller], policies: Mapping[str, DataPolicy]) -> dict[bytes, Caller]:
    """Say what is taken out of what is kept, for callers whose project keeps anything."""
    return {digest: _masked(one, policies) if one.keeps_prompts else one for digest, one in callers.items()}


def _masked(caller: Caller, policies: Mapping[str, DataPolicy]) -> Caller:
    policy = policies.get(caller.project_id) or DataPolicy(caller.project_id)
    return dataclasses.replace(caller, masks=policy.masks)
