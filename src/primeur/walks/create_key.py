"""Make a key; its text is given once and kept nowhere."""

from dataclasses import dataclass
from typing import Annotated

import msgspec

from primeur.core.caller import Caller
from primeur.core.errors import BadRequest
from primeur.core.events import KeyCreated
from primeur.core.ids import make_id
from primeur.governance import rows, rules
from primeur.governance.key_scopes import check_networks, check_routes
from primeur.governance.member_rows import find_member
from primeur.registry.rules import check_name
from primeur.store.database import Tx, tell
from primeur.walks.check_deployments import check_deployments
from primeur.walks.choose_project import actor_of, check_giving, choose_project
from primeur.walks.house import House
from primeur.walks.limit_fields import NewLimits, new_limits

Moment = Annotated[int, msgspec.Meta(ge=0, le=1 << 53)]


class NewKey(NewLimits, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a key shall be.

    Attributes:
        project: name or id; the caller's own when not given.
        deployments: names it may use; null is all.
        routes: words such as ``chat`` or ``files``; null is all. See `primeur.governance.key_scopes`.
        networks: where it may be used from: ``10.0.0.0/8``, ``192.0.2.7``; null is anywhere.
        member: the service account or person it belongs to, by name or id; it ends with them.
        expires_ms: UTC milliseconds; null is never.
    """

    name: str
    project: str | None = None
    role: str = "member"
    deployments: list[str] | None = None
    routes: list[str] | None = None
    networks: list[str] | None = None
    member: str | None = None
    expires_ms: Moment | None = None


@dataclass(frozen=True, slots=True)
class CreatedKey:
    """A key with its text."""

    key: rows.Key
    text: str


async def create_key(house: House, caller: Caller, ask: NewKey) -> CreatedKey:
    """Make a key and tell it; raises as `write_key`."""
    return await house.store.transact(lambda tx: write_key(tx, house, caller, ask))


def write_key(tx: Tx, house: House, caller: Caller, ask: NewKey) -> CreatedKey:
    """Make a key in a transaction that is open.

    Raises:
        BadRequest: a name that cannot be used, an unknown role, a moment that is over.
        NotPermitted: the role may do more than the caller.
        NotFound: the project or a deployment is not there.
        Conflict: the project has a key of this name.
    """
    now_ms = house.clock.now_ms()
    check_name(ask.name, "key")
    project = choose_project(tx, caller, ask.project)
    check_giving(tx, caller, project.organisation_id, ask.role)
    check_deployments(tx, ask.deployments)
    if ask.expires_ms is not None and ask.expires_ms <= now_ms:
        raise BadRequest("the key would have expired already; choose a later moment", param="expires_ms")
    text = rules.spell(rules.KEY_PREFIX, house.entropy)
    key = rows.Key(
        id=make_id("key", now_ms, house.entropy),
        project_id=project.id,
        name=ask.name,
        digest=rules.digest_key(text, house.place.pepper),
        hint=rules.hint_of(text),
        role=ask.role,
        limits=new_limits(ask),
        created_ms=now_ms,
        deployments=None if ask.deployments is None else tuple(ask.deployments),
        expires_ms=ask.expires_ms,
        routes=check_routes(ask.routes),
        networks=check_networks(ask.networks),
        member_id=None if ask.member is None else find_member(tx, ask.member, project.organisation_id).id,
    )
    rows.add_key(tx, key)
    tell(tx, KeyCreated(key.id, key.name), actor=actor_of(caller), at_ms=now_ms, after=key)
    return CreatedKey(key, text)
