"""SCIM's searches by POST, and ``/Me``: whoever a key belongs to.

Source: RFC 7644, sections 3.4.3 and 3.11.
"""

from dataclasses import replace
from typing import Any, Literal

from primeur.gateway import scim
from primeur.gateway.doors import Door
from primeur.gateway.scim_lists import SearchRequest, listed
from primeur.gateway.visit import Answer, Handler, Visit
from primeur.governance.scim_filters import Json
from primeur.store.database import Tx
from primeur.walks.provision import find_me


def _all(tx: Tx, visit: Visit) -> list[Json]:
    return scim.users(tx, visit) + scim.groups(tx, visit)


async def search_all(visit: Visit) -> Answer:
    """``POST /scim/v2/.search``."""
    return await listed(visit, _all, visit.read(SearchRequest))


async def search_users(visit: Visit) -> Answer:
    """``POST /scim/v2/Users/.search``."""
    return await listed(visit, scim.users, visit.read(SearchRequest))


async def search_groups(visit: Visit) -> Answer:
    """``POST /scim/v2/Groups/.search``."""
    return await listed(visit, scim.groups, visit.read(SearchRequest))


async def get_me(visit: Visit) -> Answer:
    """``GET /scim/v2/Me``."""
    return await _as_me(visit, scim.get_user)


async def put_me(visit: Visit) -> Answer:
    """``PUT /scim/v2/Me``."""
    return await _as_me(visit, scim.put_user)


async def patch_me(visit: Visit) -> Answer:
    """``PATCH /scim/v2/Me``."""
    return await _as_me(visit, scim.patch_user)


async def delete_me(visit: Visit) -> Answer:
    """``DELETE /scim/v2/Me``."""
    return await _as_me(visit, scim.delete_user)


async def _as_me(visit: Visit, handler: Handler) -> Answer:
    """Do to the user whom the key belongs to what *handler* does to one by id, and say where they are."""
    found = await visit.house.store.read(lambda tx: find_me(tx, visit.caller))
    answer = await handler(replace(visit, params={"id": found.id}))
    answer.headers.append((b"location", f"{scim.base_of(visit)}/Users/{found.id}".encode()))
    return answer


def _door(
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"], path: str, handler: Handler, summary: str, **more: Any
) -> Door:
    return Door(method, f"/scim/v2/{path}", handler, summary, "scim", face="scim", **more)


DOORS = (
    _door("POST", ".search", search_all, "Search users and groups", takes=SearchRequest),
    _door("POST", "Users/.search", search_users, "Search users", takes=SearchRequest),
    _door("POST", "Groups/.search", search_groups, "Search groups", takes=SearchRequest),
    _door("GET", "Me", get_me, "Show the user whom the key belongs to"),
    _door("PUT", "Me", put_me, "Replace the user whom the key belongs to", tells="MemberChanged"),
    _door("PATCH", "Me", patch_me, "Change the user whom the key belongs to", tells="MemberChanged"),
    _door("DELETE", "Me", delete_me, "Remove the user whom the key belongs to", tells="MemberChanged",
          status=204),
)  # fmt: skip
