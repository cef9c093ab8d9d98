"""Models: listed, sent as files, named at a provider, described, retired."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any

import msgspec

from primeur.core.errors import NotFound
from primeur.gateway.admin.page import Page, asked, in_force
from primeur.gateway.admin.receiving import draft_path, receive
from primeur.gateway.doors import Door
from primeur.gateway.visit import Answer, Visit, json_answer
from primeur.registry import rows
from primeur.store.database import Tx
from primeur.walks.add_model import NewVersion, add_model, retire_model
from primeur.walks.add_upstream import NewUpstream, add_upstream
from primeur.walks.change_model import ModelChange, VersionChange, change_model, change_version

_TIB = 1 << 40
_NOBODY: Mapping[str, str] = MappingProxyType({})


class VersionView(msgspec.Struct, frozen=True, kw_only=True):
    """Fixed weights of a model, or a provider's model; the card says what else is known.

    Attributes:
        digest: ``sha256:...`` of weights; ``upstream:...`` names a provider's model.
        provider, upstream_model: who holds it, and what it is called there; null for weights of ours.
        retires_ms: it ends then; null: nobody said that it does.
    """

    id: str
    number: int
    digest: str
    format: str
    size_bytes: int | None
    licence: str | None
    origin: str | None
    context_tokens: int | None
    parameters: int | None
    quantisation: str | None
    architecture: str | None
    memory_bytes: int | None
    languages: list[str]
    provider: str | None
    upstream_model: str | None
    retires_ms: int | None
    card: dict[str, Any] | None
    created_ms: int


class ModelView(msgspec.Struct, frozen=True, kw_only=True):
    """A model with its versions, oldest first.

    Attributes:
        default_version: which is meant when none is named; null is the newest.
    """

    id: str
    name: str
    created_ms: int
    retired_ms: int | None
    default_version: int | None
    versions: list[VersionView]


class FileQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is told of weights that are sent.

    Attributes:
        licence: SPDX expression.
        sha256: what they must be; of a folder: the SHA-256 of what ``sha256sum`` prints of its files, sorted by name.
    """

    licence: str = ""
    origin: str = ""
    sha256: Annotated[str, msgspec.Meta(pattern="^([0-9a-fA-F]{64})?$")] = ""


def show_model(tx: Tx, model: rows.Model, versions: list[rows.Version]) -> ModelView:
    """Write a model for the API, with those of *versions* that are its own."""
    holders = names_of_providers(tx)
    return ModelView(
        id=model.id,
        name=model.name,
        created_ms=model.created_ms,
        retired_ms=model.retired_ms,
        default_version=model.default_version,
        versions=[show_version(one, holders) for one in versions if one.model_id == model.id],
    )


def names_of_providers(tx: Tx) -> dict[str, str]:
    """Give what providers are called, by id."""
    return {one.id: one.name for one in rows.list_providers(tx)}


def show_version(version: rows.Version, holders: Mapping[str, str] = _NOBODY) -> VersionView:
    """Write a version for the API; *holders* are the names of providers by id."""
    same = set(VersionView.__struct_fields__) - {"card", "languages", "provider"}
    card = None if version.card is None else msgspec.json.decode(version.card)
    return VersionView(
        **{name: getattr(version, name) for name in same},
        card=card,
        languages=(version.languages or "").split(),
        provider=holders.get(version.provider_id or ""),
    )


async def _shown(visit: Visit, version: rows.Version, status: int = 200) -> Answer:
    holders = await visit.house.store.read(names_of_providers)
    return await in_force(visit, show_version(version, holders), status)


async def list_models(visit: Visit) -> Answer:
    """``GET /api/v1/models``."""

    def read(tx: Tx) -> list[ModelView]:
        versions = rows.list_versions(tx)
        return [show_model(tx, model, versions) for model in rows.list_models(tx)]

    return json_answer(Page(await visit.house.store.read(read)))


async def get_model(visit: Visit) -> Answer:
    """``GET /api/v1/models/{model}``: by id or name."""
    return json_answer(await _whole(visit, visit.params["model"]))


async def put_file(visit: Visit) -> Answer:
    """``PUT /api/v1/models/{model}/file``: the body is a GGUF file, kept under its digest as the next version."""
    query = asked(visit, FileQuery)
    partial = draft_path(visit, "gguf")
    try:
        await receive(visit, partial)
        ask = NewVersion(
            visit.params["model"], query.licence or None, query.origin or None, query.sha256 or None, link=True
        )
        version = await add_model(visit.house, visit.caller, ask, partial)
    finally:
        partial.unlink(missing_ok=True)
    return await in_force(visit, show_version(version), 201)


async def delete_model(visit: Visit) -> Answer:
    """``DELETE /api/v1/models/{model}``: retires it; what runs goes on."""
    model = await retire_model(visit.house, visit.caller, visit.params["model"])
    return await in_force(visit, await _whole(visit, model.name))


async def put_upstream(visit: Visit) -> Answer:
    """``PUT /api/v1/models/{model}/upstream``: a provider's model becomes the next version."""
    name, asked_for = visit.params["model"], visit.read(NewUpstream)
    return await _shown(visit, await add_upstream(visit.house, visit.caller, name, asked_for), 201)


async def patch_model(visit: Visit) -> Answer:
    """``PATCH /api/v1/models/{model}``: another version becomes the default."""
    model = await change_model(visit.house, visit.caller, visit.params["model"], visit.read(ModelChange))
    return await in_force(visit, await _whole(visit, model.name))


async def patch_version(visit: Visit) -> Answer:
    """``PATCH /api/v1/models/{model}/versions/{version}``: something else is said of a version."""
    name, number = visit.params["model"], visit.params["version"]
    if not number.isdecimal():
        raise NotFound(f"the model {name!r} has no version {number!r}; versions are numbers")
    changed = await change_version(visit.house, visit.caller, name, int(number), visit.read(VersionChange))
    return await _shown(visit, changed)


async def _whole(visit: Visit, name: str) -> ModelView:
    def read(tx: Tx) -> ModelView:
        model = rows.find_model(tx, name)
        return show_model(tx, model, rows.list_versions(tx, model.id))

    return await visit.house.store.read(read)


_ONE = "/api/v1/models/{model}"
DOORS = (
    Door("GET", "/api/v1/models", list_models, "List models", "models:read", face="admin", gives=Page[ModelView]),
    Door("GET", _ONE, get_model, "Show a model", "models:read", face="admin", gives=ModelView),
    Door(
        "PUT", _ONE + "/file", put_file, "Add a GGUF file as the model's next version", "models:write",
        tells="VersionRegistered", face="admin", body_limit=_TIB, streams_body=True, gives=VersionView, status=201,
    ),
    Door("PUT", _ONE + "/upstream", put_upstream, "Register a provider's model as the next version", "models:write",
         tells="VersionRegistered", face="admin", takes=NewUpstream, gives=VersionView, status=201),
    Door("PATCH", _ONE, patch_model, "Choose a model's default version", "models:write", tells="DefaultVersionSet",
         face="admin", takes=ModelChange, gives=ModelView),
    Door("PATCH", _ONE + "/versions/{version}", patch_version, "Change what is said of a version", "models:write",
         tells="VersionChanged", face="admin", takes=VersionChange, gives=VersionView),
    Door("DELETE", _ONE, delete_model, "Retire a model", "models:write", tells="ModelRetired", face="admin",
         gives=ModelView),
)  # fmt: skip
