"""Which providers may serve a deployment, and what providers supply."""

from typing import Annotated

import msgspec

from primeur.broker.source_rows import SheetRow, list_sheets, list_sources
from primeur.broker.supply import Product, Sheet, Source
from primeur.gateway.admin.page import Gone, Page, in_force
from primeur.gateway.doors import Door
from primeur.gateway.visit import Answer, Visit, json_answer
from primeur.walks.set_source import drop_source, set_sheet, set_source


class SourceTerms(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """From what a provider serves a deployment; see `primeur.broker.supply.Source`."""

    upstream_model: str | None = None
    sku: str = ""
    zone: str = ""
    tokens_per_minute: int | None = None
    data_policy: str | None = None
    patience_ms: int | None = None


class NewSheet(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a provider supplies from a moment on; now when none is given."""

    products: list[Product] = []
    data_terms: list[str] = []
    from_ms: Annotated[int, msgspec.Meta(ge=0)] | None = None


class SheetView(msgspec.Struct, frozen=True, kw_only=True):
    """A version of a provider's sheet."""

    provider: str
    version: int
    from_ms: int
    sheet: Sheet


def _show(row: SheetRow) -> SheetView:
    return SheetView(provider=row.provider, version=row.version, from_ms=row.from_ms, sheet=row.sheet)


async def get_sources(visit: Visit) -> Answer:
    """``GET /api/v1/sources``."""
    return json_answer(Page(await visit.house.store.read(list_sources)))


async def put_source(visit: Visit) -> Answer:
    """``PUT /api/v1/sources/{deployment}/{provider}``."""
    terms = msgspec.structs.asdict(visit.read(SourceTerms))
    source = Source(visit.params["deployment"], visit.params["provider"], **terms)
    return await in_force(visit, await set_source(visit.house, visit.caller, source))


async def delete_source(visit: Visit) -> Answer:
    """``DELETE /api/v1/sources/{deployment}/{provider}``."""
    deployment, provider = visit.params["deployment"], visit.params["provider"]
    await drop_source(visit.house, visit.caller, deployment, provider)
    return await in_force(visit, Gone(f"{deployment}/{provider}", provider))


async def get_sheets(visit: Visit) -> Answer:
    """``GET /api/v1/providers/{provider}/sheets``: the newest version first."""
    name = visit.params["provider"]
    found = await visit.house.store.read(lambda tx: list_sheets(tx, name))
    return json_answer(Page([_show(row) for row in found]))


async def post_sheet(visit: Visit) -> Answer:
    """``POST /api/v1/providers/{provider}/sheets``: the next version."""
    said = visit.read(NewSheet)
    sheet = Sheet(tuple(said.products), frozenset(said.data_terms))
    made = await set_sheet(visit.house, visit.caller, visit.params["provider"], sheet, said.from_ms)
    return await in_force(visit, _show(made), 201)


_ONE, _SHEETS = "/api/v1/sources/{deployment}/{provider}", "/api/v1/providers/{provider}/sheets"
DOORS = (
    Door("GET", "/api/v1/sources", get_sources, "List sources", "capacity:read", face="admin", gives=Page[Source]),
    Door(
        "PUT", _ONE, put_source, "Let a provider serve a deployment", "deployments:write", tells="SourceSet",
        face="admin", takes=SourceTerms, gives=Source,
    ),
    Door(
        "DELETE", _ONE, delete_source, "Let a provider serve a deployment no more", "deployments:write",
        tells="SourceRemoved", face="admin", gives=Gone,
    ),
    Door("GET", _SHEETS, get_sheets, "Show what a provider supplies", "providers:read", face="admin",
         gives=Page[SheetView]),
    Door(
        "POST", _SHEETS, post_sheet, "Write the next version of what a provider supplies", "providers:write",
        tells="SheetSet", face="admin", takes=NewSheet, gives=SheetView, status=201,
    ),
)  # fmt: skip
