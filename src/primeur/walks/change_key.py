"""Change what a key may do, give it a new text, or take it back."""

import dataclasses

from msgspec import UNSET, UnsetType

from primeur.core.caller import Caller
from primeur.core.errors import Conflict, NotFound
from primeur.core.events import AnyEvent, KeyChanged, KeyRevoked, KeyRotated
from primeur.governance import rows, rules
from primeur.governance.key_scopes import check_networks, check_routes
from primeur.store.database import Tx, tell
from primeur.walks.check_deployments import check_deployments
from primeur.walks.choose_project import actor_of, check_giving, visible_projects
from primeur.walks.create_key import CreatedKey, Moment
from primeur.walks.given import given
from primeur.walks.house import House
from primeur.walks.limit_fields import LimitsChange, changed_limits


class KeyChange(LimitsChange, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What shall be different; what is not given stays, null takes a limit away."""

    deployments: list[str] | UnsetType | None = UNSET
    routes: list[str] | UnsetType | None = UNSET
    networks: list[str] | UnsetType | None = UNSET
    expires_ms: Moment | UnsetType | None = UNSET


async def change_key(house: House, caller: Caller, name: str, change: KeyChange) -> rows.Key:
    """Change a key and tell it; raises as `write_change`."""
    return await house.store.transact(lambda tx: write_change(tx, house, caller, find(tx, caller, name), change))


async def rotate_key(house: House, caller: Caller, name: str, overlap_s: int = 0) -> CreatedKey:
    """Give a key a new text; the old one is worth nothing from now on, or in *overlap_s* seconds.

    Raises:
        NotFound: there is no such key for this caller.
        NotPermitted: the key may do more than the caller.
        Conflict: it is revoked.
    """

    def work(tx: Tx) -> CreatedKey:
        key = find(tx, caller, name)
        _check_role(tx, caller, key)
        text = rules.spell(rules.KEY_PREFIX, house.entropy)
        digest = rules.digest_key(text, house.place.pepper)
        until_ms = house.clock.now_ms() + overlap_s * 1000 if overlap_s else None
        old = key.digest if overlap_s else None
        key = dataclasses.replace(key, digest=digest, hint=rules.hint_of(text), old_digest=old, old_until_ms=until_ms)
        return CreatedKey(_keep(tx, house, caller, key, KeyRotated(key.id)), text)

    return await house.store.transact(work)


async def revoke_key(house: House, caller: Caller, name: str) -> rows.Key:
    """Take a key back for good.

    Raises:
        NotFound: there is no such key for this caller.
        Conflict: it is revoked already.
    """

    def work(tx: Tx) -> rows.Key:
        key = dataclasses.replace(find(tx, caller, name), revoked_ms=house.clock.now_ms())
        return _keep(tx, house, caller, key, KeyRevoked(key.id))

    return await house.store.transact(work)


def find(tx: Tx, caller: Caller, name: str) -> rows.Key:
    """Give a key that this caller may see.

    Raises:
        NotFound: there is none.
    """
    theirs = {one.id for one in visible_projects(tx, caller)}
    found = [one for one in rows.list_keys(tx) if name in {one.id, one.name} and one.project_id in theirs]
    own = [one for one in found if one.project_id == caller.project_id]
    if not found:
        raise NotFound(f"there is no key {name!r}; `primeur keys list` shows those there are")
    if len(found) > 1 and len(own) != 1:
        raise Conflict(f"{len(found)} projects have a key {name!r}; use its id")
    return (own or found)[0]


def _check_role(tx: Tx, caller: Caller, key: rows.Key) -> None:
    check_giving(tx, caller, rows.find_project(tx, key.project_id).organisation_id, key.role)


def write_change(tx: Tx, house: House, caller: Caller, key: rows.Key, change: KeyChange) -> rows.Key:
    """Change a key in a transaction that is open.

    Raises:
        NotFound: a deployment is not there.
        NotPermitted: the key may do more than the caller.
        Conflict: it is revoked.
    """
    _check_role(tx, caller, key)
    some = given(change.deployments, None if key.deployments is None else list(key.deployments))
    check_deployments(tx, some)
    routes = key.routes if change.routes is UNSET else check_routes(change.routes)
    networks = key.networks if change.networks is UNSET else check_networks(change.networks)
    changed = dataclasses.replace(
        key,
        limits=changed_limits(key.limits, change),
        deployments=None if some is None else tuple(some),
        routes=routes,
        networks=networks,
        expires_ms=given(change.expires_ms, key.expires_ms),
    )
    return _keep(tx, house, caller, changed, KeyChanged(key.id))


def _keep(tx: Tx, house: House, caller: Caller, key: rows.Key, what: AnyEvent) -> rows.Key:
    before = rows.find_key(tx, key.id)
    rows.change_key(tx, key)
    tell(tx, what, actor=actor_of(caller), at_ms=house.clock.now_ms(), before=before, after=key)
    return key
