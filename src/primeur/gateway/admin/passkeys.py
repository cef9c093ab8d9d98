"""Passkeys: one's own, and those of other members."""

from typing import Any

import msgspec

from primeur.gateway.admin.page import Gone, Page, in_force
from primeur.gateway.doors import Door
from primeur.gateway.visit import Answer, Visit, json_answer
from primeur.governance.passkey_rows import Passkey
from primeur.walks.keep_passkeys import (
    NewPasskey,
    PasskeyChange,
    add_passkey,
    begin_passkey,
    list_passkeys,
    remove_passkey,
    rename_passkey,
)
from primeur.walks.own_address import own_address
from primeur.walks.sign_in import Visitor


class PasskeyView(msgspec.Struct, frozen=True, kw_only=True):
    """A passkey; *used_ms* is the last sign-in with it."""

    id: str
    name: str
    created_ms: int
    used_ms: int | None


class PasskeyOptions(msgspec.Struct, frozen=True):
    """What ``navigator.credentials.create`` is given as ``publicKey``, in its JSON form."""

    public_key: dict[str, Any]


async def get_options(visit: Visit) -> Answer:
    """``GET /api/v1/me/passkeys/options``: good for ten minutes, once."""
    origin = own_address(visit.house, visit.headers.get(b"host", b"").decode("latin-1"))
    made = await begin_passkey(visit.house, visit.caller, origin, Visitor(visit.address))
    return json_answer(PasskeyOptions(dict(made)))


async def list_own(visit: Visit) -> Answer:
    """``GET /api/v1/me/passkeys``."""
    found = await visit.house.store.read(lambda tx: list_passkeys(tx, visit.caller))
    return json_answer(Page([_show(one) for one in found]))


async def post_passkey(visit: Visit) -> Answer:
    """``POST /api/v1/me/passkeys``."""
    made = await add_passkey(visit.house, visit.caller, visit.read(NewPasskey))
    return await in_force(visit, _show(made), 201)


async def patch_passkey(visit: Visit) -> Answer:
    """``PATCH /api/v1/me/passkeys/{passkey}``."""
    name = visit.read(PasskeyChange).name
    return await in_force(visit, _show(await rename_passkey(visit.house, visit.caller, visit.params["passkey"], name)))


async def delete_own(visit: Visit) -> Answer:
    """``DELETE /api/v1/me/passkeys/{passkey}``."""
    gone = await remove_passkey(visit.house, visit.caller, visit.params["passkey"])
    return await in_force(visit, Gone(gone.id, gone.name))


async def list_of_member(visit: Visit) -> Answer:
    """``GET /api/v1/members/{member}/passkeys``."""
    found = await visit.house.store.read(lambda tx: list_passkeys(tx, visit.caller, visit.params["member"]))
    return json_answer(Page([_show(one) for one in found]))


async def delete_of_member(visit: Visit) -> Answer:
    """``DELETE /api/v1/members/{member}/passkeys/{passkey}``."""
    gone = await remove_passkey(visit.house, visit.caller, visit.params["passkey"], visit.params["member"])
    return await in_force(visit, Gone(gone.id, gone.name))


def _show(one: Passkey) -> PasskeyView:
    return PasskeyView(id=one.id, name=one.name, created_ms=one.created_ms, used_ms=one.used_ms)


_OWN, _THEIRS = "/api/v1/me/passkeys", "/api/v1/members/{member}/passkeys"
DOORS = (
    Door("GET", _OWN, list_own, "List one's own passkeys", "account:read", face="admin", gives=Page[PasskeyView]),
    Door(
        "GET", f"{_OWN}/options", get_options, "Ask for what a browser makes a passkey with", "account:read",
        face="admin", gives=PasskeyOptions,
    ),
    Door(
        "POST", _OWN, post_passkey, "Add a passkey", "account:read", tells="PasskeyAdded", face="admin",
        takes=NewPasskey, gives=PasskeyView, status=201,
    ),
    Door(
        "PATCH", f"{_OWN}/{{passkey}}", patch_passkey, "Rename a passkey", "account:read", tells="PasskeyRenamed",
        face="admin", takes=PasskeyChange, gives=PasskeyView,
    ),
    Door(
        "DELETE", f"{_OWN}/{{passkey}}", delete_own, "Remove one's own passkey", "account:read",
        tells="PasskeyRemoved", face="admin", gives=Gone,
    ),
    Door(
        "GET", _THEIRS, list_of_member, "List a member's passkeys", "members:read", face="admin",
        gives=Page[PasskeyView],
    ),
    Door(
        "DELETE", f"{_THEIRS}/{{passkey}}", delete_of_member, "Remove a member's passkey", "members:write",
        tells="PasskeyRemoved", face="admin", gives=Gone,
    ),
)  # fmt: skip
