"""Make a provider known, or take it out."""

from typing import Any

import msgspec

from primeur.core.caller import Caller
from primeur.core.egress import check_place
from primeur.core.errors import BadRequest, EgressRefused, SetupError
from primeur.core.events import ProviderAdded, ProviderRemoved
from primeur.core.ids import make_id
from primeur.core.ports import ProviderFace, ProviderOrder
from primeur.governance.vault_rules import shown
from primeur.registry import rows
from primeur.registry.rules import check_name
from primeur.store.database import Tx, tell
from primeur.walks.choose_project import actor_of
from primeur.walks.house import House
from primeur.walks.seal_secrets import open_settings, seal_settings

_ANY_MODEL = "any"


class NewProvider(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a provider is.

    Attributes:
        kind: an installed kind, such as ``openai_compatible``.
        settings: of that kind; secrets as ``env:NAME`` or ``file:PATH``, or as texts, which are sealed before they
            are kept.
    """

    kind: str
    settings: dict[str, Any] = msgspec.field(default_factory=dict)


async def add_provider(house: House, caller: Caller, name: str, ask: NewProvider) -> rows.Provider:
    """Make a provider known, or replace the settings of a known one; raises as `write_provider`."""
    return await house.store.transact(lambda tx: write_provider(tx, house, caller, name, ask))


async def remove_provider(house: House, caller: Caller, name: str) -> rows.Provider:
    """Take a provider out.

    Raises:
        NotFound: there is none.
        Conflict: a deployment runs on it.
    """

    def work(tx: Tx) -> rows.Provider:
        provider = rows.find_provider(tx, name)
        rows.remove_provider(tx, provider)
        now_ms = house.clock.now_ms()
        tell(tx, ProviderRemoved(provider.name), actor=actor_of(caller), at_ms=now_ms, before=_facts(provider))
        return provider

    return await house.store.transact(work)


def write_provider(tx: Tx, house: House, caller: Caller, name: str, ask: NewProvider) -> rows.Provider:
    """Keep a provider in a transaction that is open.

    Raises:
        BadRequest: a name that cannot be used, an unknown kind.
        SetupError: a setting is unknown, missing or wrong, a secret is not to be found, or the address may not be
            reached from here.
    """
    now_ms = house.clock.now_ms()
    check_name(name, "provider")
    kind = house.providers.get(ask.kind)
    if kind is None:
        known = ", ".join(sorted(house.providers)) or "none"
        raise BadRequest(f"there is no provider kind {ask.kind!r}; installed: {known}", param="kind")
    before = next((one for one in rows.list_providers(tx) if one.name == name), None)
    owner_id = make_id("provider", now_ms, house.entropy) if before is None else before.id
    kept = {} if before is None else before.settings
    settings = seal_settings(house, owner_id, ask.settings, kind.secret_settings, kept)
    opened = open_settings(house, owner_id, settings, kind.secret_settings)
    _check_place(house, kind.face(ProviderOrder(opened, {}, _ANY_MODEL)))
    provider = rows.keep_provider(tx, rows.Provider(owner_id, name, ask.kind, settings, now_ms))
    tell(
        tx,
        ProviderAdded(provider.name, provider.kind),
        actor=actor_of(caller),
        at_ms=now_ms,
        before=_facts(before),
        after=_facts(provider),
    )
    return provider


def _facts(provider: rows.Provider | None) -> dict[str, Any] | None:
    if provider is None:
        return None
    return {"kind": provider.kind, "settings": {name: shown(value) for name, value in provider.settings.items()}}


def _check_place(house: House, face: ProviderFace) -> None:
    """Judge what can be judged without resolving a name; the relay judges every address when it connects."""
    try:
        check_place(house.place.egress, face.endpoint)
    except EgressRefused as refused:
        raise SetupError(refused.message, code=refused.code) from None
