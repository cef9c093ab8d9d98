"""Secrets that are given as text: sealed before they are kept, opened when they are needed, sealed anew on rotation.

What a secret belongs to (the owner's id and the setting's name) is bound into it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import msgspec

from primeur.core.caller import Caller
from primeur.core.errors import BadRequest
from primeur.core.events import MasterKeyRotated
from primeur.core.ports import MasterKey, Settings
from primeur.governance.sign_in_rows import put_settings, read_settings
from primeur.governance.vault_rules import is_sealed, key_id_of, seal, shown, unseal
from primeur.registry import rows
from primeur.store.database import Tx, tell
from primeur.walks.choose_project import actor_of
from primeur.walks.house import House
from primeur.walks.read_secrets import is_pointer, read_secrets

_MOST = 8192


class Rotated(msgspec.Struct, frozen=True):
    """What was sealed anew."""

    key_id: str
    secrets: int


def seal_settings(
    house: House, owner_id: str, settings: Settings, secret: Iterable[str], known: Mapping[str, Any]
) -> dict[str, Any]:
    """Give settings that can be kept: what points elsewhere stays, a text is sealed.

    Args:
        known: the settings that are kept now; what is shown of a sealed secret stands for that secret.

    Raises:
        BadRequest: a secret is no text, too long, or looks sealed and is not the one that is kept.
    """
    found = dict(settings)
    for name in secret:
        value = found.get(name)
        if value is None or is_pointer(value):
            continue
        if is_sealed(value):
            if value not in {known.get(name), shown(known.get(name))}:
                raise BadRequest(
                    f"{name} is sealed elsewhere; give the secret itself, env:NAME or file:PATH", param=name
                )
            found[name] = known[name]
            continue
        if not isinstance(value, str) or not 0 < len(value) <= _MOST:
            raise BadRequest(f"{name} is a secret: a text of at most {_MOST} characters", param=name)
        found[name] = seal(value, _place(owner_id, name), house.key_service.current(), house.entropy)
    return found


def open_settings(house: House, owner_id: str, settings: Settings, secret: Iterable[str]) -> dict[str, Any]:
    """Give settings with every secret in its place, whether it is sealed or stands elsewhere.

    Raises:
        SetupError: a secret stands there in clear, is not to be found, or does not open.
    """
    names, found = frozenset(secret), dict(settings)
    for name in names:
        value = found.get(name)
        if is_sealed(value):
            text = str(value)
            found[name] = unseal(text, _place(owner_id, name), house.key_service.find(key_id_of(text)))
    return found | read_secrets({name: value for name, value in settings.items() if not is_sealed(value)}, names)


async def rotate_master_key(house: House, caller: Caller) -> Rotated:
    """Make a new master key and seal every secret with it, all in one transaction.

    Raises:
        SetupError: a secret does not open; nothing is changed.
    """

    def work(tx: Tx) -> Rotated:
        key, count = house.key_service.rotate(), 0
        for provider in rows.list_providers(tx):
            anew = _anew(house, key, provider.id, provider.settings)
            if anew:
                rows.keep_provider(tx, replace(provider, settings=provider.settings | anew))
                count += len(anew)
        for organisation_id, document in read_settings(tx).items():
            settings = msgspec.json.decode(document, type=dict[str, Any])
            anew = _anew(house, key, f"sign-in/{organisation_id}", settings.get("openid_connect") or {})
            if anew:
                settings["openid_connect"] |= anew
                put_settings(tx, organisation_id, msgspec.json.encode(settings).decode())
                count += len(anew)
        tell(tx, MasterKeyRotated(key.id, count), actor=actor_of(caller), at_ms=house.clock.now_ms())
        return Rotated(key.id, count)

    return await house.store.transact(work)


def _anew(house: House, key: MasterKey, owner_id: str, settings: Settings) -> dict[str, str]:
    """Give the sealed ones of these settings, sealed with another key."""
    found = {}
    for name, value in settings.items():
        if is_sealed(value):
            place = _place(owner_id, name)
            found[name] = seal(
                unseal(value, place, house.key_service.find(key_id_of(value))), place, key, house.entropy
            )
    return found


def _place(owner_id: str, name: str) -> str:
    return f"{owner_id}/{name}"
