"""Keys: made, changed, rotated, revoked; their texts are in the answer that makes them and nowhere else."""

from typing import Annotated, Any

import msgspec

from primeur.gateway.admin.page import LimitsView, Page, asked, in_force, show_limits
from primeur.gateway.doors import Door
from primeur.gateway.visit import Answer, Visit, json_answer
from primeur.governance import rows
from primeur.store.database import Tx
from primeur.walks.change_key import KeyChange, change_key, find, revoke_key, rotate_key
from primeur.walks.choose_project import choose_project, visible_projects
from primeur.walks.create_key import CreatedKey, NewKey, create_key


class KeyView(msgspec.Struct, frozen=True, kw_only=True):
    """A key without its text.

    Attributes:
        hint: the beginning and end of its text.
        deployments, routes, networks: what it may use and from where; null is all.
        member_id: the service account or person it belongs to.
        old_until_ms: until when the text before the last rotation still holds.
        used_ms: last use, within some seconds.
    """

    id: str
    name: str
    hint: str
    project_id: str
    role: str
    limits: LimitsView
    deployments: list[str] | None
    routes: list[str] | None
    networks: list[str] | None
    member_id: str | None
    old_until_ms: int | None
    used_ms: int | None
    created_ms: int
    expires_ms: int | None
    revoked_ms: int | None


class KeyText(KeyView, frozen=True, kw_only=True):
    """A key with its text, which is shown this once.

    Attributes:
        key: what goes into ``Authorization: Bearer``.
    """

    key: str


class KeyQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which keys to list."""

    project: str = ""


class Overlap(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long the old text still holds, in seconds; at most 30 days."""

    overlap_s: Annotated[int, msgspec.Meta(ge=0, le=30 * 86_400)] = 0


_SAME = (
    "id", "name", "hint", "project_id", "role", "created_ms", "expires_ms", "revoked_ms", "member_id", "old_until_ms",
    "used_ms",
)  # fmt: skip


def show_key(key: rows.Key) -> KeyView:
    """Write a key for the API."""
    return KeyView(**_fields(key))


def _with_text(made: CreatedKey) -> KeyText:
    return KeyText(key=made.text, **_fields(made.key))


def _fields(key: rows.Key) -> dict[str, Any]:
    some = {name: getattr(key, name) for name in ("deployments", "routes", "networks")}
    lists = {name: None if one is None else list(one) for name, one in some.items()}
    return {name: getattr(key, name) for name in _SAME} | lists | {"limits": show_limits(key.limits)}


async def list_keys(visit: Visit) -> Answer:
    """``GET /api/v1/keys``."""
    query = asked(visit, KeyQuery)

    def read(tx: Tx) -> list[rows.Key]:
        if query.project:
            return rows.list_keys(tx, choose_project(tx, visit.caller, query.project).id)
        theirs = {one.id for one in visible_projects(tx, visit.caller)}
        return [one for one in rows.list_keys(tx) if one.project_id in theirs]

    return json_answer(Page([show_key(key) for key in await visit.house.store.read(read)]))


async def get_key(visit: Visit) -> Answer:
    """``GET /api/v1/keys/{key}``: by id or name."""
    return json_answer(show_key(await visit.house.store.read(lambda tx: find(tx, visit.caller, visit.params["key"]))))


async def post_key(visit: Visit) -> Answer:
    """``POST /api/v1/keys``."""
    made = await create_key(visit.house, visit.caller, visit.read(NewKey))
    return await in_force(visit, _with_text(made), 201)


async def patch_key(visit: Visit) -> Answer:
    """``PATCH /api/v1/keys/{key}``."""
    changed = await change_key(visit.house, visit.caller, visit.params["key"], visit.read(KeyChange))
    return await in_force(visit, show_key(changed))


async def post_rotation(visit: Visit) -> Answer:
    """``POST /api/v1/keys/{key}/rotate``."""
    overlap_s = visit.read(Overlap).overlap_s if visit.body else 0
    made = await rotate_key(visit.house, visit.caller, visit.params["key"], overlap_s)
    return await in_force(visit, _with_text(made))


async def delete_key(visit: Visit) -> Answer:
    """``DELETE /api/v1/keys/{key}``: revokes it; the row stays for the log."""
    return await in_force(visit, show_key(await revoke_key(visit.house, visit.caller, visit.params["key"])))


_ONE = "/api/v1/keys/{key}"
DOORS = (
    Door("GET", "/api/v1/keys", list_keys, "List keys", "keys:read", face="admin", takes=KeyQuery, gives=Page[KeyView]),
    Door(
        "POST", "/api/v1/keys", post_key, "Make a key", "keys:write", tells="KeyCreated", face="admin",
        takes=NewKey, gives=KeyText, status=201,
    ),
    Door("GET", _ONE, get_key, "Show a key", "keys:read", face="admin", gives=KeyView),
    Door(
        "PATCH", _ONE, patch_key, "Change a key's limits", "keys:write", tells="KeyChanged", face="admin",
        takes=KeyChange, gives=KeyView,
    ),
    Door(
        "POST", _ONE + "/rotate", post_rotation, "Give a key a new text", "keys:write", tells="KeyRotated",
        face="admin", takes=Overlap, gives=KeyText,
    ),
    Door("DELETE", _ONE, delete_key, "Revoke a key", "keys:write", tells="KeyRevoked", face="admin", gives=KeyView),
)  # fmt: skip
