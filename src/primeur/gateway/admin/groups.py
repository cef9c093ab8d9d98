"""Groups that an identity provider keeps, and who is in them."""

import msgspec

from primeur.gateway.admin.page import Page
from primeur.gateway.doors import Door
from primeur.gateway.visit import Answer, Visit, json_answer
from primeur.governance.group_rows import Group, list_groups


class GroupView(msgspec.Struct, frozen=True, kw_only=True):
    """A group; *members* are ids."""

    id: str
    name: str
    external_id: str | None
    members: list[str]
    created_ms: int
    changed_ms: int


async def list_all(visit: Visit) -> Answer:
    """``GET /api/v1/groups``: those of one's own organisation."""
    found = await visit.house.store.read(lambda tx: list_groups(tx, visit.caller.organisation_id))
    return json_answer(Page([_show(one) for one in found]))


def _show(one: Group) -> GroupView:
    same = ("id", "name", "external_id", "created_ms", "changed_ms")
    return GroupView(members=sorted(one.members), **{name: getattr(one, name) for name in same})


DOORS = (Door("GET", "/api/v1/groups", list_all, "List groups", "members:read", face="admin", gives=Page[GroupView]),)
