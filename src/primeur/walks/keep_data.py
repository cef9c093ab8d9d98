"""What becomes of a project's data: its policy set, its time kept to, a person's traces erased."""

from dataclasses import dataclass, replace

import msgspec
from msgspec import UNSET, UnsetType

from primeur.archive import owned_rows
from primeur.core.caller import Caller
from primeur.core.errors import BadRequest
from primeur.core.events import DataPolicySet, PersonErased
from primeur.core.masking import check_masks
from primeur.governance.data_rows import find_policy, keep_policy, list_policies
from primeur.governance.data_rules import DAY_MS, DataPolicy, subjects_of
from primeur.governance.rows import Project, list_projects
from primeur.governance.rules import digest_key, visible_project
from primeur.metering import kept_rows
from primeur.registry.rules import check_name
from primeur.store.database import Tx, tell
from primeur.walks.choose_project import actor_of, choose_project
from primeur.walks.given import given
from primeur.walks.house import House

_AT_ONCE = 500
_LONGEST_DAYS = 3660
_ZONES_LIMIT = 64


class DataChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What shall be different; see `primeur.governance.data_rules.DataPolicy`."""

    keep_days: int | UnsetType | None = UNSET
    masks: list[str] | UnsetType = UNSET
    zones: list[str] | UnsetType | None = UNSET
    trains: bool | UnsetType = UNSET


class Erasure(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose traces shall be erased.

    Attributes:
        subject: what requests named as ``user`` or ``safety_identifier``, or the id of a member or key.
        project: only there; None: in every project that the caller sees.
    """

    subject: str
    project: str | None = None


class Erased(msgspec.Struct, frozen=True):
    """What was erased."""

    requests: int
    responses: int
    conversations: int


async def set_data_policy(house: House, caller: Caller, project: str, change: DataChange) -> DataPolicy:
    """Change what becomes of a project's data.

    Raises:
        NotFound: there is no such project for this caller.
        BadRequest: days below one, an unknown mask, a zone that is no name.
    """

    def work(tx: Tx) -> DataPolicy:
        before = find_policy(tx, choose_project(tx, caller, project).id)
        after = replace(
            before,
            keep_days=_days(given(change.keep_days, before.keep_days)),
            masks=before.masks if isinstance(change.masks, UnsetType) else check_masks(change.masks),
            zones=before.zones if isinstance(change.zones, UnsetType) else _zones(change.zones),
            trains=given(change.trains, before.trains),
        )
        keep_policy(tx, after)
        what = DataPolicySet(after.project_id, after.trains)
        tell(tx, what, actor=actor_of(caller), at_ms=house.clock.now_ms(), before=before, after=after)
        return after

    return await house.store.transact(work)


def _days(days: int | None) -> int | None:
    if days is not None and not 1 <= days <= _LONGEST_DAYS:
        raise BadRequest(f"keep_days is from 1 to {_LONGEST_DAYS}, or null for no end", param="keep_days")
    return days


def _zones(zones: list[str] | None) -> tuple[str, ...] | None:
    if zones is None:
        return None
    if not 0 < len(zones) <= _ZONES_LIMIT:
        raise BadRequest("name at least one zone, or null for anywhere", param="zones")
    return tuple(sorted({check_name(zone, "zone") for zone in zones}))


async def forget_kept(house: House) -> int:
    """Forget prompts and answers whose time is over, in every project; gives how many things that were.

    Responses and conversations live until they are deleted unless their project has set a policy of its own.
    """
    now_ms = house.clock.now_ms()

    def work(tx: Tx) -> int:
        policies, count = list_policies(tx), 0
        for project in list_projects(tx):
            policy = policies.get(project.id, DataPolicy(project.id))
            if policy.keep_days is None:
                continue
            before_ms = now_ms - policy.keep_days * DAY_MS
            count += _forget(tx, kept_rows.old_kept(tx, project.id, before_ms, _AT_ONCE))
            if project.id in policies:
                responses, conversations = owned_rows.old_archive(tx, project.id, before_ms, _AT_ONCE)
                count += owned_rows.delete_responses(tx, responses) + owned_rows.delete_conversations(tx, conversations)
        return count

    return await house.store.transact(work)


def _forget(tx: Tx, ids: list[str]) -> int:
    return kept_rows.forget_texts(tx, ids) if ids else 0


@dataclass(slots=True)
class _Traces:
    """What names a person."""

    requests: list[str]
    responses: list[str]
    conversations: set[str]


async def erase_person(house: House, caller: Caller, ask: Erasure) -> Erased:
    """Erase what a person said and was told; what it cost stays, because books are kept.

    Raises:
        BadRequest: no subject.
        NotFound: there is no such project for this caller.
    """
    if not ask.subject.strip():
        raise BadRequest("say whose traces: a user, a safety_identifier, or the id of a member or key", param="subject")

    def work(tx: Tx) -> Erased:
        chosen = [choose_project(tx, caller, ask.project)] if ask.project else _visible(tx, caller)
        counts = [0, 0, 0]
        for project_id in [project.id for project in chosen]:
            found = _trace(tx, project_id, ask.subject)
            counts[0] += _forget_all(tx, found.requests)
            counts[1] += owned_rows.delete_responses(tx, found.responses)
            counts[2] += owned_rows.delete_conversations(tx, found.conversations)
        erased = Erased(*counts)
        # The log must not say again what was just erased; whoever knows the subject can still find the entry.
        name = digest_key(ask.subject, house.place.pepper).hex()[:16]
        what = PersonErased(name, erased.requests, erased.responses, erased.conversations)
        tell(tx, what, actor=actor_of(caller), at_ms=house.clock.now_ms())
        return erased

    return await house.store.transact(work)


def _visible(tx: Tx, caller: Caller) -> list[Project]:
    only = visible_project(caller)
    mine = [one for one in list_projects(tx) if one.organisation_id == caller.organisation_id]
    return [one for one in mine if only in {None, one.id}]


def _forget_all(tx: Tx, ids: list[str]) -> int:
    return sum(_forget(tx, ids[start : start + _AT_ONCE]) for start in range(0, len(ids), _AT_ONCE))


def _trace(tx: Tx, project_id: str, subject: str) -> _Traces:
    traces, after = _Traces([], [], set()), ""
    while kept := kept_rows.read_kept(tx, project_id, after, _AT_ONCE):
        traces.requests += [one.id for one in kept if subject == one.key_id or subject in subjects_of(one.prompt)]
        after = kept[-1].id
    after = ""
    while bodies := owned_rows.list_bodies(tx, project_id, after, _AT_ONCE):
        for response_id, conversation_id, body, _ in bodies:
            if subject in subjects_of(body):
                traces.responses.append(response_id)
                traces.conversations |= {conversation_id} if conversation_id else set()
        after = bodies[-1][0]
    return traces
