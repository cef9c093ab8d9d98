"""How SCIM writes users, groups and lists of them, and what is read from what it says.

Source: RFC 7643 (schema), RFC 7644 (protocol).
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from primeur.core.errors import BadRequest
from primeur.governance.group_rows import Group, Said
from primeur.governance.member_rows import Member
from primeur.governance.scim_filters import ENTERPRISE, Json

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
LIST = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
COMPLEX = ("name", "emails", "phoneNumbers", "addresses", "ims", "photos", "entitlements", "roles")
SINGLE = ("nickName", "profileUrl", "title", "userType", "preferredLanguage", "locale", "timezone")
_KEPT = {one.lower(): one for one in (*COMPLEX, *SINGLE, ENTERPRISE)}
_KEPT_BYTES_MOST = 16_384


def show_user(member: Member, groups: Iterable[Group], said: Said | None, base: str) -> Json:
    """Write a member as SCIM's user.

    Args:
        groups: those that the member is in.
        said: what their identity provider said beyond what a member has.
        base: address of SCIM's doors here.
    """
    is_mail = member.user_name is not None and "@" in member.user_name
    derived: Json = {"name": {"formatted": member.name}}
    if is_mail:
        derived["emails"] = [{"value": member.user_name, "type": "work", "primary": True}]
    kept = msgspec.json.decode(said.document, type=Json) if said else {}
    return {
        "schemas": [USER, *([ENTERPRISE] if ENTERPRISE in kept else ())],
        "id": member.id,
        **({"externalId": member.external_id} if member.external_id else {}),
        "userName": member.user_name or member.name,
        "displayName": member.name,
        **derived,
        **kept,
        "active": member.is_here,
        "groups": [
            {"value": one.id, "display": one.name, "type": "direct", "$ref": f"{base}/Groups/{one.id}"}
            for one in groups
        ],
        "meta": _meta("User", member.id, member.created_ms, said.changed_ms if said else member.created_ms, base),
    }


def show_group(group: Group, names: Mapping[str, str], base: str) -> Json:
    """Write a group; *names* of its members by id."""
    return {
        "schemas": [GROUP],
        "id": group.id,
        **({"externalId": group.external_id} if group.external_id else {}),
        "displayName": group.name,
        "members": [
            {"value": one, "display": names.get(one, one), "type": "User", "$ref": f"{base}/Users/{one}"}
            for one in sorted(group.members)
        ],
        "meta": _meta("Group", group.id, group.created_ms, group.changed_ms, base),
    }


def page(found: list[Json], start: int, count: int) -> Json:
    """Give one page of a list; *start* counts from 1."""
    shown = found[max(start, 1) - 1 :][: max(0, count)]
    return {
        "schemas": [LIST],
        "totalResults": len(found),
        "startIndex": max(start, 1),
        "itemsPerPage": len(shown),
        "Resources": shown,
    }


def chosen(resource: Json, wanted: str, unwanted: str) -> Json:
    """Give a resource with the attributes that were asked for; its id and schemas always.

    Args:
        wanted, unwanted: names parted by commas, as ``attributes`` and ``excludedAttributes`` have them.
    """
    only, never = _names(wanted), _names(unwanted)
    always = {"schemas", "id"}
    return {
        name: value
        for name, value in resource.items()
        if name in always or ((not only or name.lower() in only) and name.lower() not in never)
    }


def kept_of(said: Json) -> str:
    """Give what is kept of a user beyond what a member has, as JSON.

    Raises:
        BadRequest: it is too much, or of the wrong form.
    """
    kept = {_KEPT[name.lower()]: value for name, value in said.items() if name.lower() in _KEPT and value is not None}
    for name, value in kept.items():
        kind: Any = str if name in SINGLE else dict if name in {"name", ENTERPRISE} else list
        if not isinstance(value, kind):
            raise BadRequest(f"{name} has the wrong form", param=name, code="invalidValue")
    document = msgspec.json.encode(kept).decode()
    if len(document) > _KEPT_BYTES_MOST:
        raise BadRequest(f"a user has at most {_KEPT_BYTES_MOST} bytes of attributes", code="invalidValue")
    return document


def name_of(said: Json, user_name: str) -> str:
    """Give what a user is called: displayName, else the formatted name, else its parts, else the user name."""
    named = _attribute(said, "name")
    parts = named if isinstance(named, dict) else {}
    whole = " ".join(filter(None, (text_of(parts, "givenName", 200), text_of(parts, "familyName", 200))))
    return (text_of(said, "displayName", 200) or text_of(parts, "formatted", 200) or whole or user_name)[:200]


def text_of(resource: Json, name: str, most: int = 254) -> str | None:
    """Give a text attribute; None when it is not there.

    Raises:
        BadRequest: it is no text, or a longer one.
    """
    value = _attribute(resource, name)
    if value is None or value == "":
        return None
    if not isinstance(value, str) or len(value) > most or not value.isprintable():
        raise BadRequest(f"{name} is a text of at most {most} characters", param=name, code="invalidValue")
    return value


def is_active(resource: Json) -> bool:
    """Whether a user is said to be active, which is so where nothing is said; some providers write it as a text.

    Raises:
        BadRequest: it is no truth value.
    """
    value = _attribute(resource, "active")
    found = {"none": True, "true": True, "false": False}.get(str(value).lower())
    if found is None:
        raise BadRequest("active is true or false", param="active", code="invalidValue")
    return found


def member_ids(resource: Json) -> frozenset[str]:
    """Give the ids of a group's members.

    Raises:
        BadRequest: it is no list of them.
    """
    found = _attribute(resource, "members") or []
    if not isinstance(found, list) or not all(isinstance(one, dict) and "value" in one for one in found):
        raise BadRequest('members is a list of {"value": id}', param="members", code="invalidValue")
    return frozenset(str(one["value"]) for one in found)


def _attribute(resource: Json, name: str) -> Any:
    return next((value for each, value in resource.items() if each.lower() == name.lower()), None)


def _names(text: str) -> set[str]:
    # Of a part of an attribute the whole is given, which RFC 7644 lets a service do.
    last = (one.strip().rpartition(":")[2] for one in text.split(",") if one.strip())
    return {one.partition(".")[0].lower() for one in last}


def _meta(kind: str, identity: str, created_ms: int, changed_ms: int, base: str) -> Json:
    return {
        "resourceType": kind,
        "created": _iso(created_ms),
        "lastModified": _iso(changed_ms),
        "location": f"{base}/{kind}s/{identity}",
    }


def _iso(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
