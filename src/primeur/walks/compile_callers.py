"""Turn keys and sessions into the callers that the hot path knows."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from primeur.core.caller import Caller
from primeur.governance import rules
from primeur.governance.data_rules import DataPolicy
from primeur.governance.rows import Key, Member, Project
from primeur.governance.sign_in_rows import Session
from primeur.walks.compile_gates import Gates


def compile_callers(
    keys: Iterable[Key], projects: Mapping[str, Project], pepper: bytes, deployments: Mapping[str, str], gates: Gates
) -> dict[bytes, Caller]:
    """Give each key's caller by the key's digest, and the operator's; revoked keys are nobody's.

    Args:
        projects: by id.
        gates: what stands in the way of whom.
        deployments: the name behind each alias, so that a key for an alias may use what it leads to.
    """
    callers = {
        key.digest: _from_key(key, projects[key.project_id], deployments, gates)
        for key in keys
        if key.revoked_ms is None
    }
    if projects:
        home = min(projects.values(), key=lambda one: (one.created_ms, one.id))
        digest = rules.digest_key(rules.operator_key(pepper), pepper)
        passed = gates.of(("organisation", home.organisation_id, None))
        callers[digest] = Caller("operator", home.id, home.organisation_id, "operator", rules.roles["owner"], passed)
    return callers


def compile_sessions(
    sessions: Iterable[Session], members: Iterable[Member], projects: Mapping[str, Project], gates: Gates
) -> dict[bytes, Caller]:
    """Give each session's caller by the session's digest."""
    by_id = {member.id: member for member in members}
    return {one.digest: _from_session(one, by_id[one.member_id], projects, gates) for one in sessions}


def _from_key(key: Key, project: Project, deployments: Mapping[str, str], gates: Gates) -> Caller:
    allowed = None if key.deployments is None else frozenset(deployments.get(name, name) for name in key.deployments)
    return Caller(
        key_id=key.id,
        project_id=project.id,
        organisation_id=project.organisation_id,
        name=key.name,
        permissions=rules.roles.get(key.role, frozenset()),
        gates=gates.of(
            ("key", key.id, key.limits),
            ("project", project.id, project.limits),
            ("organisation", project.organisation_id, None),
        ),
        deployments=allowed,
        expires_ms=key.expires_ms,
        keeps_prompts=project.keeps_prompts,
    )


def _from_session(session: Session, member: Member, projects: Mapping[str, Project], gates: Gates) -> Caller:
    project = projects[member.project_id]
    return Caller(
        key_id=member.id,
        project_id=project.id,
        organisation_id=project.organisation_id,
        name=member.name,
        permissions=rules.roles.get(member.role, frozenset()),
        gates=gates.of(("project", project.id, project.limits), ("organisation", project.organisation_id, None)),
        expires_ms=session.expires_ms,
        keeps_prompts=project.keeps_prompts,
        member_id=member.id,
    )


def with_masks(callers: Mapping[bytes, Caller], policies: Mapping[str, DataPolicy]) -> dict[bytes, Caller]:
    """Say what is taken out of what is kept, for callers whose project keeps anything."""
    return {digest: _masked(one, policies) if one.keeps_prompts else one for digest, one in callers.items()}


def _masked(caller: Caller, policies: Mapping[str, DataPolicy]) -> Caller:
    policy = policies.get(caller.project_id) or DataPolicy(caller.project_id)
    return replace(caller, masks=policy.masks)
