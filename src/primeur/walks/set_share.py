"""Give a partner a part of revenue, from a moment on."""

from typing import Annotated

import msgspec

from primeur.billing.rules.stating import PARTNER
from primeur.core.caller import Caller
from primeur.core.errors import BadRequest
from primeur.core.events import ShareSet
from primeur.core.ids import make_id
from primeur.ledger.rules.tiers import read_share
from primeur.metering import rate_rows
from primeur.metering.rates import Share
from primeur.store.database import Tx, tell
from primeur.walks.add_customer import Name
from primeur.walks.check_deployments import real_deployment
from primeur.walks.choose_project import actor_of
from primeur.walks.house import House
from primeur.walks.keep_final import check_stated
from primeur.walks.set_price import Begins, begins
from primeur.walks.set_rate import sellers


class NewShare(Begins, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A partner's part of revenue; zero ends it.

    Attributes:
        part: ``20%``, ``0.2`` or ``1/5``; of each request it is rounded down to a nano.
        provider, deployment: only of what they serve; of everything when not given.
    """

    partner: Name
    part: Annotated[str, msgspec.Meta(max_length=60)]
    provider: Annotated[str, msgspec.Meta(max_length=200)] = ""
    deployment: Annotated[str, msgspec.Meta(max_length=200)] = ""


async def set_share(house: House, caller: Caller, ask: NewShare) -> Share:
    """Set a share; raises as `write_share`."""
    return await house.store.transact(lambda tx: write_share(tx, house, caller, ask))


def write_share(tx: Tx, house: House, caller: Caller, ask: NewShare) -> Share:
    """Set a share in a transaction that is open.

    Raises:
        BadRequest: no share, or a provider that is none.
        Conflict: it would begin before a statement of this partner that is final ends.
        NotFound: there is no such deployment.
    """
    now_ms = house.clock.now_ms()
    if ask.provider and ask.provider not in sellers(tx):
        raise BadRequest(f"nothing is bought of {ask.provider!r}; there are {', '.join(sorted(sellers(tx)))}")
    share = Share(
        id=make_id("share", now_ms, house.entropy),
        provider=ask.provider,
        deployment=real_deployment(tx, ask.deployment).name if ask.deployment else "",
        partner=ask.partner,
        part=read_share("part", ask.part),
        from_ms=begins(ask, now_ms),
        created_ms=now_ms,
    )
    check_stated(tx, PARTNER, share.partner, share.from_ms)
    rate_rows.add_share(tx, share)
    tell(tx, ShareSet(share.id, share.partner), actor=actor_of(caller), at_ms=now_ms)
    return share
