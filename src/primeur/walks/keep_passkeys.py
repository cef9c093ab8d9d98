"""Add a passkey to the member who is signed in, and name and remove passkeys."""

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec

from primeur.core.caller import Caller
from primeur.core.errors import BadRequest, Conflict, NotPermitted
from primeur.core.events import PasskeyAdded, PasskeyRemoved, PasskeyRenamed
from primeur.core.ids import make_id
from primeur.governance import member_rows, passkey_rows
from primeur.governance.challenge_rows import take_challenge
from primeur.governance.passkey_rows import Passkey
from primeur.governance.passkey_rules import Relying, ask_for_new, challenge_in, check_new
from primeur.store.database import Tx, tell
from primeur.walks.change_member import find
from primeur.walks.choose_project import actor_of, check_giving
from primeur.walks.house import House
from primeur.walks.sign_in import Visitor
from primeur.walks.sign_in_passkey import NEW, AskedPasskey, ask_challenge, digest_challenge

_MOST = 20
PasskeyName = Annotated[str, msgspec.Meta(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")]


class NewPasskey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A new passkey.

    Attributes:
        name: what its member calls it.
        credential: what ``navigator.credentials.create`` gave, as its ``toJSON`` writes it.
    """

    name: PasskeyName
    credential: dict[str, Any]


class PasskeyChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a passkey shall be called."""

    name: PasskeyName


async def begin_passkey(house: House, caller: Caller, origin: str, visitor: Visitor) -> Mapping[str, Any]:
    """Give what the browser is asked for a new passkey of the member who is signed in.

    Raises:
        BadRequest: the caller is no session.
        Conflict: they have twenty already.
    """
    member_id, session_id = _session_of(caller)

    def look(tx: Tx) -> tuple[member_rows.Member, list[bytes]]:
        known = passkey_rows.passkeys_of(tx, member_id)
        if len(known) >= _MOST:
            raise Conflict(f"a member has at most {_MOST} passkeys; remove one first")
        return member_rows.find_member(tx, member_id), [one.credential for one in known]

    member, known = await house.store.read(look)
    us = Relying(origin)
    challenge = await ask_challenge(house, NEW, AskedPasskey(origin, member_id, session_id), visitor)
    return ask_for_new(us, challenge, (member.id, member.user_name or member.name, member.name), known)


async def add_passkey(house: House, caller: Caller, ask: NewPasskey) -> Passkey:
    """Keep a passkey that was made for this member in this session.

    Raises:
        NotAuthenticated: it was not, or the challenge was used before.
        Conflict: somebody has it already.
    """
    member_id, session_id = _session_of(caller)
    challenge, now_ms = challenge_in(ask.credential), house.clock.now_ms()
    digest = digest_challenge(house, challenge)
    taken = await house.store.transact(lambda tx: take_challenge(tx, digest, NEW, now_ms))
    asked = msgspec.json.decode(taken.document, type=AskedPasskey)
    if (asked.member_id, asked.session_id) != (member_id, session_id):
        raise NotPermitted("this passkey was begun in another session; begin again")
    made = check_new(Relying(asked.origin), challenge, ask.credential)
    passkey = Passkey(
        id=make_id("passkey", now_ms, house.entropy),
        member_id=member_id,
        name=ask.name,
        credential=made.credential,
        public_key=made.public_key,
        sign_count=made.sign_count,
        created_ms=now_ms,
    )

    def work(tx: Tx) -> Passkey:
        if passkey_rows.find_credential(tx, passkey.credential) is not None:
            raise Conflict("this passkey is kept already")
        passkey_rows.add_passkey(tx, passkey)
        tell(tx, PasskeyAdded(member_id, passkey.id, passkey.name), actor=member_id, at_ms=now_ms)
        return passkey

    return await house.store.transact(work)


async def rename_passkey(house: House, caller: Caller, passkey_id: str, name: str) -> Passkey:
    """Call one of one's own passkeys something else.

    Raises:
        NotFound: they have none of this id.
    """
    member_id, _ = _session_of(caller)

    def work(tx: Tx) -> Passkey:
        before = passkey_rows.find_passkey(tx, member_id, passkey_id)
        passkey_rows.name_passkey(tx, before.id, name)
        what = PasskeyRenamed(member_id, before.id, name)
        tell(tx, what, actor=member_id, at_ms=house.clock.now_ms(), before=before.name, after=name)
        return passkey_rows.find_passkey(tx, member_id, passkey_id)

    return await house.store.transact(work)


async def remove_passkey(house: House, caller: Caller, passkey_id: str, member: str | None = None) -> Passkey:
    """Remove a passkey, one's own or, with the permission to change members, another member's.

    Raises:
        NotFound: there is no such member for this caller, or they have none of this id.
        NotPermitted: the member may do more than the caller.
    """

    def work(tx: Tx) -> Passkey:
        whose = find(tx, caller, member).id if member else _session_of(caller)[0]
        if member:
            found = member_rows.find_member(tx, whose)
            check_giving(tx, caller, found.organisation_id, found.role)
        gone = passkey_rows.find_passkey(tx, whose, passkey_id)
        passkey_rows.drop_passkey(tx, gone.id)
        what = PasskeyRemoved(whose, gone.id, gone.name)
        tell(tx, what, actor=actor_of(caller), at_ms=house.clock.now_ms())
        return gone

    return await house.store.transact(work)


def list_passkeys(tx: Tx, caller: Caller, member: str | None = None) -> list[Passkey]:
    """Give one's own passkeys, or another member's; raises NotFound as `remove_passkey`."""
    return passkey_rows.passkeys_of(tx, find(tx, caller, member).id if member else _session_of(caller)[0])


def _session_of(caller: Caller) -> tuple[str, str]:
    if caller.member_id is None or caller.session_id is None:
        raise BadRequest("only a member who is signed in has passkeys; a key has none")
    return caller.member_id, caller.session_id
