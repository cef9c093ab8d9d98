"""Set how an organisation's people sign in."""

import msgspec

from primeur.core.caller import Caller
from primeur.core.errors import NotPermitted
from primeur.core.events import SignInSet
from primeur.governance import sign_in_rows
from primeur.governance.sign_in_settings import SignInSettings, check_settings, read_document
from primeur.store.database import Tx, tell
from primeur.walks.choose_project import actor_of, check_giving, choose_project
from primeur.walks.house import House


async def set_sign_in(house: House, caller: Caller, settings: SignInSettings) -> SignInSettings:
    """Set it for the caller's organisation, and tell it with what was before.

    Raises:
        BadRequest, NotFound: limits that contradict each other; there is no such role or project.
        NotPermitted: a group would get a role that may do more than the caller, or the caller sees one project alone.
    """
    check_settings(settings)

    def work(tx: Tx) -> SignInSettings:
        if not {"organisation", "house"} & caller.permissions:
            raise NotPermitted("how people sign in holds for the whole organisation; only who acts on it may set it")
        for line in settings.groups:
            check_giving(tx, caller, caller.organisation_id, line.role)
            if line.project:
                choose_project(tx, caller, line.project)
        before = read_document(sign_in_rows.read_settings(tx).get(caller.organisation_id))
        sign_in_rows.put_settings(tx, caller.organisation_id, msgspec.json.encode(settings).decode())
        what = SignInSet(caller.organisation_id)
        tell(tx, what, actor=actor_of(caller), at_ms=house.clock.now_ms(), before=before, after=settings)
        return settings

    return await house.store.transact(work)
