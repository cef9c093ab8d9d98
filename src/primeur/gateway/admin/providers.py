"""Providers: made known, taken out; of a secret, answers say where it is or with which key it is sealed."""

from typing import Any

import msgspec

from primeur.gateway.admin.page import Gone, Page, in_force
from primeur.gateway.doors import Door
from primeur.gateway.visit import Answer, Visit, json_answer
from primeur.governance.vault_rules import shown
from primeur.registry import rows
from primeur.walks.add_provider import NewProvider, add_provider, remove_provider
from primeur.walks.seal_secrets import Rotated, rotate_master_key


class ProviderView(msgspec.Struct, frozen=True, kw_only=True):
    """A party that supplies capacity."""

    id: str
    name: str
    kind: str
    settings: dict[str, Any]
    created_ms: int


def _show(provider: rows.Provider) -> ProviderView:
    same = {name: getattr(provider, name) for name in ProviderView.__struct_fields__ if name != "settings"}
    return ProviderView(**same, settings={name: shown(value) for name, value in provider.settings.items()})


async def list_providers(visit: Visit) -> Answer:
    """``GET /api/v1/providers``."""
    return json_answer(Page([_show(one) for one in await visit.house.store.read(rows.list_providers)]))


async def get_provider(visit: Visit) -> Answer:
    """``GET /api/v1/providers/{provider}``: by id or name."""
    name = visit.params["provider"]
    return json_answer(_show(await visit.house.store.read(lambda tx: rows.find_provider(tx, name))))


async def put_provider(visit: Visit) -> Answer:
    """``PUT /api/v1/providers/{provider}``."""
    made = await add_provider(visit.house, visit.caller, visit.params["provider"], visit.read(NewProvider))
    return await in_force(visit, _show(made))


async def post_rotation(visit: Visit) -> Answer:
    """``POST /api/v1/master-key/rotate``."""
    return await in_force(visit, await rotate_master_key(visit.house, visit.caller))


async def delete_provider(visit: Visit) -> Answer:
    """``DELETE /api/v1/providers/{provider}``."""
    gone = await remove_provider(visit.house, visit.caller, visit.params["provider"])
    return await in_force(visit, Gone(gone.id, gone.name))


_ONE = "/api/v1/providers/{provider}"
DOORS = (
    Door(
        "GET", "/api/v1/providers", list_providers, "List providers", "providers:read", face="admin",
        gives=Page[ProviderView],
    ),
    Door("GET", _ONE, get_provider, "Show a provider", "providers:read", face="admin", gives=ProviderView),
    Door(
        "PUT", _ONE, put_provider, "Add a provider or replace its settings", "providers:write", tells="ProviderAdded",
        face="admin", takes=NewProvider, gives=ProviderView,
    ),
    Door(
        "DELETE", _ONE, delete_provider, "Remove a provider", "providers:write", tells="ProviderRemoved",
        face="admin", gives=Gone,
    ),
    Door(
        "POST", "/api/v1/master-key/rotate", post_rotation, "Make a new master key and seal every secret with it",
        "providers:write", tells="MasterKeyRotated", face="admin", gives=Rotated,
    ),
)  # fmt: skip
