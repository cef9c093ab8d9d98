"""Models: listed, sent as files, retired."""

from typing import Annotated, Any

import msgspec

from primeur.gateway.admin.page import Page, asked, in_force
from primeur.gateway.admin.receiving import draft_path, receive
from primeur.gateway.doors import Door
from primeur.gateway.visit import Answer, Visit, json_answer
from primeur.registry import rows
from primeur.store.database import Tx
from primeur.walks.add_model import NewVersion, add_model, retire_model

_TIB = 1 << 40


class VersionView(msgspec.Struct, frozen=True, kw_only=True):
    """Fixed weights of a model; the card says what else is known about them."""

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
    card: dict[str, Any] | None
    created_ms: int


class ModelView(msgspec.Struct, frozen=True, kw_only=True):
    """A model with its versions, oldest first."""

    id: str
    name: str
    created_ms: int
    retired_ms: int | None
    versions: list[VersionView]


class FileQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is told of a file that is sent.

    Attributes:
        licence: SPDX expression.
        sha256: what the file must be.
    """

    licence: str = ""
    origin: str = ""
    sha256: Annotated[str, msgspec.Meta(pattern="^([0-9a-fA-F]{64})?$")] = ""


def _show(model: rows.Model, versions: list[rows.Version]) -> ModelView:
    return ModelView(
        id=model.id,
        name=model.name,
        created_ms=model.created_ms,
        retired_ms=model.retired_ms,
        versions=[show_version(one) for one in versions if one.model_id == model.id],
    )


def show_version(version: rows.Version) -> VersionView:
    """Write a version for the API."""
    values = {name: getattr(version, name) for name in VersionView.__struct_fields__}
    card = None if version.card is None else msgspec.json.decode(version.card)
    return VersionView(**values | {"card": card})


async def list_models(visit: Visit) -> Answer:
    """``GET /api/v1/models``."""

    def read(tx: Tx) -> list[ModelView]:
        versions = rows.list_versions(tx)
        return [_show(model, versions) for model in rows.list_models(tx)]

    return json_answer(Page(await visit.house.store.read(read)))


async def get_model(visit: Visit) -> Answer:
    """``GET /api/v1/models/{model}``: by id or name."""

    def read(tx: Tx) -> ModelView:
        model = rows.find_model(tx, visit.params["model"])
        return _show(model, rows.list_versions(tx, model.id))

    return json_answer(await visit.house.store.read(read))


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
    return await in_force(visit, _show(model, []))


_ONE = "/api/v1/models/{model}"
DOORS = (
    Door("GET", "/api/v1/models", list_models, "List models", "models:read", face="admin", gives=Page[ModelView]),
    Door("GET", _ONE, get_model, "Show a model", "models:read", face="admin", gives=ModelView),
    Door(
        "PUT", _ONE + "/file", put_file, "Add a GGUF file as the model's next version", "models:write",
        tells="VersionRegistered", face="admin", body_limit=_TIB, streams_body=True, gives=VersionView, status=201,
    ),
    Door("DELETE", _ONE, delete_model, "Retire a model", "models:write", tells="ModelRetired", face="admin",
         gives=ModelView),
)  # fmt: skip
