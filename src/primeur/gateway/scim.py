"""SCIM 2.0: an identity provider keeps an organisation's users and groups.

Sources: RFC 7643 (schema), RFC 7644 (protocol).
"""

from collections.abc import Callable
from typing import Any

import msgspec

from primeur.core.reading import read_json
from primeur.gateway.doors import Door
from primeur.gateway.scim_lists import TYPE, asked_of, listed
from primeur.gateway.visit import Answer, Handler, Visit
from primeur.governance import group_rows, scim_forms
from primeur.governance.scim_filters import Json
from primeur.governance.scim_patches import patched
from primeur.store.database import Tx
from primeur.walks import provision
from primeur.walks.follow_changes import catch_up


def users(tx: Tx, visit: Visit) -> list[Json]:
    """Every user that the caller sees."""
    organisation_id = visit.caller.organisation_id
    theirs = group_rows.groups_by_member(group_rows.list_groups(tx, organisation_id))
    said, base = group_rows.read_said(tx, organisation_id), base_of(visit)
    return [
        scim_forms.show_user(one, theirs.get(one.id, ()), said.get(one.id), base)
        for one in provision.people_of(tx, visit.caller)
    ]


def _user(tx: Tx, visit: Visit, member_id: str) -> Json:
    member, organisation_id = provision.find_person(tx, visit.caller, member_id), visit.caller.organisation_id
    theirs = group_rows.groups_by_member(group_rows.list_groups(tx, organisation_id)).get(member.id, ())
    said = group_rows.read_said(tx, organisation_id).get(member.id)
    return scim_forms.show_user(member, theirs, said, base_of(visit))


def groups(tx: Tx, visit: Visit) -> list[Json]:
    """Every group that the caller sees."""
    names, base = _names(tx, visit), base_of(visit)
    return [scim_forms.show_group(one, names, base) for one in group_rows.list_groups(tx, visit.caller.organisation_id)]


def _group(tx: Tx, visit: Visit, group_id: str) -> Json:
    return scim_forms.show_group(provision.find_group(tx, visit.caller, group_id), _names(tx, visit), base_of(visit))


def _names(tx: Tx, visit: Visit) -> dict[str, str]:
    return {one.id: one.name for one in provision.people_of(tx, visit.caller)}


async def list_users(visit: Visit) -> Answer:
    """``GET /scim/v2/Users``."""
    return await listed(visit, users, asked_of(visit))


async def get_user(visit: Visit) -> Answer:
    """``GET /scim/v2/Users/{id}``."""
    return answer(visit, await visit.house.store.read(lambda tx: _user(tx, visit, visit.params["id"])))


async def post_user(visit: Visit) -> Answer:
    """``POST /scim/v2/Users``."""
    said = _body(visit)
    return await _written(
        visit, lambda tx: _user(tx, visit, provision.write_person(tx, visit.house, visit.caller, said).id), 201
    )


async def put_user(visit: Visit) -> Answer:
    """``PUT /scim/v2/Users/{id}``."""
    said = _body(visit)
    return await _change_user(visit, lambda _: said)


async def patch_user(visit: Visit) -> Answer:
    """``PATCH /scim/v2/Users/{id}``."""
    operations = _operations(visit)
    return await _change_user(visit, lambda known: patched(known, operations))


async def delete_user(visit: Visit) -> Answer:
    """``DELETE /scim/v2/Users/{id}``."""
    return await _gone(visit, provision.remove_person)


async def list_all_groups(visit: Visit) -> Answer:
    """``GET /scim/v2/Groups``."""
    return await listed(visit, groups, asked_of(visit))


async def get_group(visit: Visit) -> Answer:
    """``GET /scim/v2/Groups/{id}``."""
    return answer(visit, await visit.house.store.read(lambda tx: _group(tx, visit, visit.params["id"])))


async def post_group(visit: Visit) -> Answer:
    """``POST /scim/v2/Groups``."""
    said = _body(visit)
    return await _written(
        visit, lambda tx: _group(tx, visit, provision.write_group(tx, visit.house, visit.caller, said).id), 201
    )


async def put_group(visit: Visit) -> Answer:
    """``PUT /scim/v2/Groups/{id}``."""
    said = _body(visit)
    return await _change_group(visit, lambda _: said)


async def patch_group(visit: Visit) -> Answer:
    """``PATCH /scim/v2/Groups/{id}``."""
    operations = _operations(visit)
    return await _change_group(visit, lambda known: patched(known, operations))


async def delete_group(visit: Visit) -> Answer:
    """``DELETE /scim/v2/Groups/{id}``."""
    return await _gone(visit, provision.remove_group)


def answer(visit: Visit, value: Json, status: int = 200) -> Answer:
    """Answer with a resource, as far as its attributes were asked for."""
    query = visit.query
    shown = scim_forms.chosen(value, query.get("attributes", ""), query.get("excludedAttributes", ""))
    location = value.get("meta", {}).get("location")
    headers = [(b"location", location.encode())] if location and status == 201 else []
    return Answer(status, msgspec.json.encode(shown), headers, content_type=TYPE)


def base_of(visit: Visit) -> str:
    """Give the address of SCIM's doors here, as its caller reaches them."""
    host = visit.headers.get(b"host", b"").decode("latin-1")
    return f"{visit.house.place.public_url or f'https://{host}'}/scim/v2"


def _body(visit: Visit) -> Json:
    return read_json(visit.body, dict[str, Any])


def _operations(visit: Visit) -> Any:
    return next((value for name, value in _body(visit).items() if name.lower() == "operations"), None)


async def _change_user(visit: Visit, make: Callable[[Json], Json]) -> Answer:
    def work(tx: Tx) -> Json:
        said = make(_user(tx, visit, visit.params["id"]))
        provision.write_person(tx, visit.house, visit.caller, said, visit.params["id"])
        return _user(tx, visit, visit.params["id"])

    return await _written(visit, work, 200)


async def _change_group(visit: Visit, make: Callable[[Json], Json]) -> Answer:
    def work(tx: Tx) -> Json:
        said = make(_group(tx, visit, visit.params["id"]))
        provision.write_group(tx, visit.house, visit.caller, said, visit.params["id"])
        return _group(tx, visit, visit.params["id"])

    return await _written(visit, work, 200)


async def _gone(visit: Visit, remove: Callable[..., None]) -> Answer:
    await visit.house.store.transact(lambda tx: remove(tx, visit.house, visit.caller, visit.params["id"]))
    await catch_up(visit.house)
    return Answer(204, content_type=TYPE)


async def _written(visit: Visit, work: Callable[[Tx], Json], status: int) -> Answer:
    made = await visit.house.store.transact(work)
    await catch_up(visit.house)
    return answer(visit, made, status)


def _door(method: Any, path: str, handler: Handler, summary: str, tells: str | None = None) -> Door:
    status = {"POST": 201, "DELETE": 204}.get(method, 200)
    return Door(method, f"/scim/v2/{path}", handler, summary, "scim", tells=tells, face="scim", status=status)


DOORS = (
    _door("GET", "Users", list_users, "List users"),
    _door("POST", "Users", post_user, "Add a user", "MemberInvited"),
    _door("GET", "Users/{id}", get_user, "Show a user"),
    _door("PUT", "Users/{id}", put_user, "Replace a user", "MemberChanged"),
    _door("PATCH", "Users/{id}", patch_user, "Change a user", "MemberChanged"),
    _door("DELETE", "Users/{id}", delete_user, "Remove a user", "MemberChanged"),
    _door("GET", "Groups", list_all_groups, "List groups"),
    _door("POST", "Groups", post_group, "Add a group", "GroupSet"),
    _door("GET", "Groups/{id}", get_group, "Show a group"),
    _door("PUT", "Groups/{id}", put_group, "Replace a group", "GroupSet"),
    _door("PATCH", "Groups/{id}", patch_group, "Change a group", "GroupSet"),
    _door("DELETE", "Groups/{id}", delete_group, "Remove a group", "GroupRemoved"),
)
