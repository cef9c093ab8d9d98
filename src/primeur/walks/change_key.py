"""Change what a key may do, give it a new text, or take it back."""

import dataclasses

from msgspec import UNSET, UnsetType

from primeur.core.caller import Caller
from primeur.core.events import AnyEvent, KeyChanged, KeyRevoked, KeyRotated
from primeur.governance import rows, rules
from primeur.store.database import Tx, tell
from primeur.walks.check_deployments import check_deployments
from primeur.walks.choose_project import actor_of
from primeur.walks.create_key import CreatedKey, Moment
from primeur.walks.given import given
from primeur.walks.house import House
from primeur.walks.limit_fields import LimitsChange, changed_limits


class KeyChange(LimitsChange, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What shall be different; what is not given stays, null takes a limit away."""

    deployments: list[str] | UnsetType | None = UNSET
    expires_ms: Moment | UnsetType | None = UNSET


async def change_key(house: House, caller: Caller, name: str, change: KeyChange) -> rows.Key:
    """Change a key and tell it; raises as `write_change`."""
    return await house.store.transact(lambda tx: write_change(tx, house, caller, find(tx, caller, name), change))


async def rotate_key(house: House, caller: Caller, name: str) -> CreatedKey:
    """Give a key a new text; the old one is worth nothing from now on.

    Raises:
        NotFound: there is no such key for this caller.
        NotPermitted: the key may do more than the caller.
        Conflict: it is revoked.
    """

    def work(tx: Tx) -> CreatedKey:
        key = find(tx, caller, name)
        rules.check_grant(caller, key.role)
        text = rules.spell(rules.KEY_PREFIX, house.entropy)
        digest = rules.digest_key(text, house.place.pepper)
        key = dataclasses.replace(key, digest=digest, hint=rules.hint_of(text))
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
    return rows.find_key(tx, name, rules.visible_project(caller))


def write_change(tx: Tx, house: House, caller: Caller, key: rows.Key, change: KeyChange) -> rows.Key:
    """Change a key in a transaction that is open.

    Raises:
        NotFound: a deployment is not there.
        NotPermitted: the key may do more than the caller.
        Conflict: it is revoked.
    """
    rules.check_grant(caller, key.role)
    some = given(change.deployments, None if key.deployments is None else list(key.deployments))
    check_deployments(tx, some)
    changed = dataclasses.replace(
        key,
        limits=changed_limits(key.limits, change),
        deployments=None if some is None else tuple(some),
        expires_ms=given(change.expires_ms, key.expires_ms),
    )
    return _keep(tx, house, caller, changed, KeyChanged(key.id))


def _keep(tx: Tx, house: House, caller: Caller, key: rows.Key, what: AnyEvent) -> rows.Key:
    before = rows.find_key(tx, key.id)
    rows.change_key(tx, key)
    tell(tx, what, actor=actor_of(caller), at_ms=house.clock.now_ms(), before=before, after=key)
    return key
