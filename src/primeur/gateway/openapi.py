"""The API described: OpenAPI 3.1 made from the table of doors, and a page that shows it without any other server.

Source: OpenAPI Specification 3.1.1; JSON Schema 2020-12 as msgspec writes it.
"""

from collections.abc import Iterable
from functools import cache
from html import escape
from typing import Any

import msgspec

from primeur.gateway.doors import Door
from primeur.gateway.visit import Answer, Handler, Visit
from primeur.governance.rules import PERMISSIONS

Json = dict[str, Any]
_REF = "#/components/schemas/{name}"
_READING = ("GET", "DELETE")


class Fault(msgspec.Struct, frozen=True):
    """What is wrong, in words for people; *param* is the path of the fault, *code* a stable name."""

    message: str
    type: str
    code: str | None = None
    param: str | None = None


class Problem(msgspec.Struct, frozen=True):
    """Every refusal's body."""

    error: Fault


class ScimProblem(msgspec.Struct, frozen=True, rename="camel"):
    """A refusal for whoever provisions people (RFC 7644, section 3.12)."""

    schemas: list[str]
    status: str
    detail: str
    scim_type: str | None = None


_REFUSALS = {"scim": ("application/scim+json", "ScimProblem")}


def describe(doors: Iterable[Door]) -> Json:
    """Give the OpenAPI document of *doors*."""
    doors = list(doors)
    kinds = [kind for door in doors for kind in (door.takes, door.gives) if kind is not None]
    schemas, components = msgspec.json.schema_components([*kinds, Problem, ScimProblem], ref_template=_REF)
    found = dict(zip(map(id, kinds), schemas, strict=False))
    paths: Json = {}
    for door in doors:
        paths.setdefault(door.path, {})[door.method.lower()] = _operation(door, found, components)
    return {
        "openapi": "3.1.1",
        "info": {"title": "Primeur", "version": "1", "summary": "The AI service platform an organisation runs itself."},
        "servers": [{"url": "/"}],
        "security": [{"key": []}],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer", "description": "A key: `primeur keys create NAME`."}
            },
        },
    }


def _operation(door: Door, schemas: dict[int, Json], components: Json) -> Json:
    operation: Json = {
        # With its file's name, since two faces may have a handler of the same name.
        "operationId": f"{door.handler.__module__.rpartition('.')[2]}_{door.handler.__name__}",
        "summary": door.summary,
        "tags": [_tag(door.path)],
        "parameters": _parameters(door, components),
        "responses": {
            str(door.status): _response("As asked.", None if door.gives is None else schemas[id(door.gives)]),
            "default": _refusal(door),
        },
        "x-primeur-permission": door.permission,
        "x-primeur-event": door.tells,
    }
    if door.permission is None:
        operation["security"] = []
    else:
        operation["description"] = f"Permission `{door.permission}`: {PERMISSIONS[door.permission]}."
    if door.streams_body and door.takes is not None:
        content = {"multipart/form-data": {"schema": schemas[id(door.takes)]}}
        operation["requestBody"] = {"required": True, "content": content}
    elif door.streams_body:
        operation["requestBody"] = {"required": True, "content": {"application/octet-stream": {}}}
    elif door.takes is not None and door.method not in _READING:
        content = {"application/json": {"schema": schemas[id(door.takes)]}}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _parameters(door: Door, components: Json) -> list[Json]:
    names = [part[1:-1] for part in door.path.split("/") if part[:1] == "{"]
    in_path = [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names]
    if door.takes is None or door.method not in _READING:
        return in_path
    fields = components[door.takes.__name__]["properties"]
    return in_path + [{"name": name, "in": "query", "schema": schema} for name, schema in fields.items()]


def _response(words: str, schema: Json | None) -> Json:
    return {"description": words} | ({} if schema is None else {"content": {"application/json": {"schema": schema}}})


def _refusal(door: Door) -> Json:
    media, name = _REFUSALS.get(door.face, ("application/json", "Problem"))
    words = "Refused; says what, which thing, and what to do."
    return {"description": words, "content": {media: {"schema": {"$ref": _REF.format(name=name)}}}}


def _tag(path: str) -> str:
    parts = path.strip("/").split("/")
    return parts[2] if parts[:2] == ["api", "v1"] else "inference" if parts[0] == "v1" else "probes"


def draw(document: Json) -> str:
    """Give a page that shows *document*: no script, no other server."""
    operations = [(path, method, one) for path, by in document["paths"].items() for method, one in by.items()]
    tags = sorted({one["tags"][0] for _, _, one in operations})
    body = "".join(
        f"<h2>{escape(tag)}</h2>"
        + "".join(_section(path, method, one) for path, method, one in operations if one["tags"][0] == tag)
        for tag in tags
    )
    schemas = "".join(
        f"<details><summary><code>{escape(name)}</code></summary><pre>{_pretty(schema)}</pre></details>"
        for name, schema in sorted(document["components"]["schemas"].items())
    )
    return _PAGE.replace("BODY", f"{body}<h2>Schemas</h2>{schemas}")


def _section(path: str, method: str, one: Json) -> str:
    return (
        f"<details><summary><b>{method.upper()}</b> <code>{escape(path)}</code> {escape(one['summary'])}</summary>"
        f"<p>{escape(one.get('description', 'Open to everybody.'))}</p><pre>"
        + _pretty({name: one[name] for name in ("parameters", "requestBody", "responses") if one.get(name)})
        + "</pre></details>"
    )


def _pretty(value: Json) -> str:
    return escape(msgspec.json.format(msgspec.json.encode(value), indent=2).decode(), quote=False)


_PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Primeur: API</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><style>
:root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
summary{cursor:pointer;padding:.3rem 0}code{overflow-wrap:anywhere}
summary b{display:inline-block;min-width:4.5rem}pre{overflow:auto;padding:1rem;
border:1px solid #8886;border-radius:.5rem;font-size:.85rem}</style></head><body><main><h1>Primeur: API</h1>
<p>The same as a document: <a href="/api/openapi.json">openapi.json</a>. Inference routes follow OpenAI's own
reference.</p>BODY</main></body></html>"""


def make_doors(others: tuple[Door, ...]) -> tuple[Door, ...]:
    """Give the two doors that show *others*."""

    @cache
    def document() -> bytes:
        return msgspec.json.encode(describe(others))

    async def get_document(_visit: Visit) -> Answer:
        return Answer(200, document())

    async def get_page(_visit: Visit) -> Answer:
        page = draw(msgspec.json.decode(document())).encode()
        policy = (b"content-security-policy", b"default-src 'none'; style-src 'unsafe-inline'")
        return Answer(200, page, [policy], content_type=b"text/html; charset=utf-8")

    return (_open("/api/openapi.json", get_document, "Describe the API"), _open("/api/docs", get_page, "Show the API"))


def _open(path: str, handler: Handler, summary: str) -> Door:
    return Door("GET", path, handler, summary, permission=None, face="admin")
