"""Set how an organisation's people sign in."""

from typing import Any

import msgspec

from primeur.core.caller import Caller
from primeur.core.errors import BadRequest, NotPermitted
from primeur.core.events import SignInSet
from primeur.governance import sign_in_rows
from primeur.governance.sign_in_settings import SignInSettings, check_settings, read_document
from primeur.governance.vault_rules import shown
from primeur.store.database import Tx, tell
from primeur.walks.choose_project import actor_of, check_giving, choose_project
from primeur.walks.house import House
from primeur.walks.read_secrets import is_pointer
from primeur.walks.seal_secrets import seal_settings

_SECRETS = ("client_secret",)


async def set_sign_in(house: House, caller: Caller, settings: SignInSettings) -> SignInSettings:
    """Set it for the caller's organisation, and tell it with what was before; raises as `write_sign_in`."""
    return await house.store.transact(lambda tx: write_sign_in(tx, house, caller, settings))


def write_sign_in(tx: Tx, house: House, caller: Caller, settings: SignInSettings) -> SignInSettings:
    """Set it in a transaction that is open; gives what may be shown of it.

    Raises:
        BadRequest, NotFound: something in it is none, or there is no such role or project.
        NotPermitted: somebody would get a role that may do more than the caller, or the caller sees one project alone.
    """
    check_settings(settings)
    if not {"organisation", "house"} & caller.permissions:
        raise NotPermitted("how people sign in holds for the whole organisation; only who acts on it may set it")
    before = read_document(sign_in_rows.read_settings(tx).get(caller.organisation_id))
    _check_roles(tx, caller, before, settings)
    kept = _sealed(house, caller, before, settings)
    sign_in_rows.put_settings(tx, caller.organisation_id, msgspec.json.encode(kept).decode())
    what, after = SignInSet(caller.organisation_id), shown_settings(kept)
    now_ms = house.clock.now_ms()
    tell(tx, what, actor=actor_of(caller), at_ms=now_ms, before=shown_settings(before), after=after)
    return after


def shown_settings(settings: SignInSettings) -> SignInSettings:
    """Give settings as they may be shown: of a secret, only which key it is sealed with."""
    provider = settings.openid_connect
    if provider is None:
        return settings
    seen = msgspec.structs.replace(provider, client_secret=str(shown(provider.client_secret)))
    return msgspec.structs.replace(settings, openid_connect=seen)


def _check_roles(tx: Tx, caller: Caller, before: SignInSettings, settings: SignInSettings) -> None:
    for line in settings.groups:
        check_giving(tx, caller, caller.organisation_id, line.role)
        if line.project:
            choose_project(tx, caller, line.project)
    provider = settings.openid_connect
    if provider is not None and provider != shown_settings(before).openid_connect:
        # Whoever names the provider names who the owners are.
        check_giving(tx, caller, caller.organisation_id, "owner")
        if provider.role:
            check_giving(tx, caller, caller.organisation_id, provider.role)


def _sealed(house: House, caller: Caller, before: SignInSettings, settings: SignInSettings) -> SignInSettings:
    provider, known = settings.openid_connect, before.openid_connect
    if provider is None or not provider.client_secret:
        return settings
    if is_pointer(provider.client_secret) and "house" not in caller.permissions:
        # What it points at is the house's, and would be sent to an address that this caller chose.
        words = "give the secret itself; only who runs the house may point at its files and variables"
        raise BadRequest(words, param="openid_connect.client_secret")
    given: dict[str, Any] = {"client_secret": provider.client_secret}
    had = {"client_secret": known.client_secret} if known else {}
    kept = seal_settings(house, f"sign-in/{caller.organisation_id}", given, _SECRETS, had)["client_secret"]
    return msgspec.structs.replace(settings, openid_connect=msgspec.structs.replace(provider, client_secret=kept))
