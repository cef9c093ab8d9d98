"""What SCIM can do here, said in its own form.

Source: RFC 7643, sections 5 to 8.
"""

from typing import Any

from primeur.core.errors import NotFound
from primeur.gateway.doors import Door
from primeur.gateway.scim import answer, base_of
from primeur.gateway.scim_lists import COUNT_LIMIT
from primeur.gateway.visit import Answer, Handler, Visit
from primeur.governance.scim_filters import ENTERPRISE, Json
from primeur.governance.scim_forms import GROUP, SINGLE, USER, page

_CONFIG = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"
_RESOURCE_TYPE = "urn:ietf:params:scim:schemas:core:2.0:ResourceType"
_SCHEMA = "urn:ietf:params:scim:schemas:core:2.0:Schema"


def _attribute(name: str, kind: str = "string", **more: Any) -> Json:
    said = {
        "name": name,
        "type": kind,
        "multiValued": False,
        "description": name,
        "required": False,
        "caseExact": False,
        "mutability": "readWrite",
        "returned": "default",
        "uniqueness": "none",
    }
    return said | more


def _many(name: str, *parts: str, **more: Any) -> Json:
    inner = [_attribute(one, "boolean" if one == "primary" else "string") for one in parts]
    return _attribute(name, "complex", multiValued=True, subAttributes=inner, **more)


_VALUED = ("value", "display", "type", "primary")
_NAME = ("formatted", "familyName", "givenName", "middleName", "honorificPrefix", "honorificSuffix")
_ADDRESS = ("formatted", "streetAddress", "locality", "region", "postalCode", "country", "type", "primary")
_ATTRIBUTES: dict[str, tuple[str, list[Json]]] = {
    USER: (
        "User",
        [
            _attribute("userName", required=True, uniqueness="server"),
            _attribute("externalId", caseExact=True),
            _attribute("name", "complex", subAttributes=[_attribute(one) for one in _NAME]),
            _attribute("displayName"),
            *(_attribute(one) for one in SINGLE),
            _attribute("active", "boolean"),
            *(_many(one, *_VALUED) for one in ("emails", "phoneNumbers", "ims", "photos", "entitlements", "roles")),
            _many("addresses", *_ADDRESS),
            _many("groups", "value", "$ref", "display", "type", mutability="readOnly"),
        ],
    ),
    GROUP: (
        "Group",
        [
            _attribute("displayName", required=True, uniqueness="server"),
            _attribute("externalId", caseExact=True),
            _many("members", "value", "$ref", "display", "type"),
        ],
    ),
    ENTERPRISE: (
        "EnterpriseUser",
        [
            *(_attribute(one) for one in ("employeeNumber", "costCenter", "organization", "division", "department")),
            _attribute(
                "manager", "complex", subAttributes=[_attribute(one) for one in ("value", "$ref", "displayName")]
            ),
        ],
    ),
}


async def get_config(visit: Visit) -> Answer:
    """``GET /scim/v2/ServiceProviderConfig``."""
    no = {"supported": False}
    bearer = {
        "type": "oauthbearertoken",
        "name": "Key",
        "description": "Authorization: Bearer and a key with the permission scim",
        "primary": True,
    }
    config: Json = {
        "schemas": [_CONFIG],
        "patch": {"supported": True},
        "bulk": no | {"maxOperations": 0, "maxPayloadSize": 0},
        "filter": {"supported": True, "maxResults": COUNT_LIMIT},
        "changePassword": no,
        "sort": no,
        "etag": no,
        "authenticationSchemes": [bearer],
        "meta": {"resourceType": "ServiceProviderConfig", "location": f"{base_of(visit)}/ServiceProviderConfig"},
    }
    return answer(visit, config)


async def list_resource_types(visit: Visit) -> Answer:
    """``GET /scim/v2/ResourceTypes``."""
    found = [_resource_type(visit, schema) for schema in (USER, GROUP)]
    return answer(visit, page(found, 1, len(found)))


async def get_resource_type(visit: Visit) -> Answer:
    """``GET /scim/v2/ResourceTypes/{id}``."""
    schema = {"User": USER, "Group": GROUP}.get(visit.params["id"])
    if schema is None:
        raise NotFound("there are the resource types User and Group")
    return answer(visit, _resource_type(visit, schema))


async def list_schemas(visit: Visit) -> Answer:
    """``GET /scim/v2/Schemas``."""
    found = [_schema(visit, schema) for schema in _ATTRIBUTES]
    return answer(visit, page(found, 1, len(found)))


async def get_schema(visit: Visit) -> Answer:
    """``GET /scim/v2/Schemas/{id}``."""
    if visit.params["id"] not in _ATTRIBUTES:
        raise NotFound(f"there are the schemas {', '.join(_ATTRIBUTES)}")
    return answer(visit, _schema(visit, visit.params["id"]))


def _resource_type(visit: Visit, schema: str) -> Json:
    name = _ATTRIBUTES[schema][0]
    more = {"schemaExtensions": [{"schema": ENTERPRISE, "required": False}]} if schema == USER else {}
    return {
        "schemas": [_RESOURCE_TYPE],
        "id": name,
        "name": name,
        "endpoint": f"/{name}s",
        "schema": schema,
        **more,
        "meta": {"resourceType": "ResourceType", "location": f"{base_of(visit)}/ResourceTypes/{name}"},
    }


def _schema(visit: Visit, schema: str) -> Json:
    name, attributes = _ATTRIBUTES[schema]
    return {
        "schemas": [_SCHEMA],
        "id": schema,
        "name": name,
        "attributes": attributes,
        "meta": {"resourceType": "Schema", "location": f"{base_of(visit)}/Schemas/{schema}"},
    }


def _door(path: str, handler: Handler, summary: str) -> Door:
    return Door("GET", f"/scim/v2/{path}", handler, summary, "scim", face="scim")


DOORS = (
    _door("ServiceProviderConfig", get_config, "Say what SCIM can do here"),
    _door("ResourceTypes", list_resource_types, "List SCIM's resource types"),
    _door("ResourceTypes/{id}", get_resource_type, "Show one of SCIM's resource types"),
    _door("Schemas", list_schemas, "List SCIM's schemas"),
    _door("Schemas/{id}", get_schema, "Show one of SCIM's schemas"),
)
