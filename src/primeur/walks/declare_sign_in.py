"""How an organisation's people sign in, as a ``primeur.toml`` declares it: ``[sign_in.ORGANISATION]``."""

from typing import Any

import msgspec

from primeur.core.caller import Caller
from primeur.core.errors import BadRequest
from primeur.governance.sign_in_rows import read_settings
from primeur.governance.sign_in_settings import read_document
from primeur.store.database import Tx
from primeur.walks.choose_project import choose_organisation
from primeur.walks.house import House
from primeur.walks.read_document import Declared
from primeur.walks.read_secrets import check_secrets
from primeur.walks.set_sign_in import shown_settings, write_sign_in


def sign_in_there(tx: Tx, caller: Caller, entry: Declared) -> dict[str, Any] | None:
    """Give how they sign in now; None: nobody has said.

    Raises:
        NotFound: there is no such organisation for this caller.
    """
    document = read_settings(tx).get(choose_organisation(tx, caller, entry.name).id)
    return None if document is None else dict(msgspec.to_builtins(shown_settings(read_document(document))))


def make_sign_in(tx: Tx, house: House, caller: Caller, entry: Declared, _change: object) -> None:
    """Set it.

    Raises:
        NotFound, NotPermitted, BadRequest: as `primeur.walks.set_sign_in`; it is another organisation's.
        SetupError: the client secret stands there in clear.
    """
    if choose_organisation(tx, caller, entry.name).id != caller.organisation_id:
        raise BadRequest("only an organisation itself says how its people sign in", param=f"sign_in.{entry.name}")
    provider = entry.what.openid_connect
    if provider is not None and provider.client_secret:
        # A file is copied and committed; a secret in it would be everywhere.
        check_secrets({"client_secret": provider.client_secret}, ["client_secret"])
    write_sign_in(tx, house, caller, entry.what)
