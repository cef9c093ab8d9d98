"""Sign in with a password, and change it."""

import asyncio
from typing import Annotated

import msgspec

from primeur.core.caller import Caller
from primeur.core.errors import BadRequest, NotAuthenticated, NotPermitted, OverLimit
from primeur.core.events import PasswordChanged, SignInBanned
from primeur.governance import member_rows, sign_in_rows, try_rows
from primeur.governance.passwords import NOBODY, check_password, hash_password, is_password
from primeur.governance.rules import digest_key
from primeur.governance.sign_in_settings import read_document
from primeur.store.database import Tx, tell
from primeur.walks.house import House
from primeur.walks.sign_in import Opened, Visitor, open_session

_FRESH_LINK_MS = 30 * 60_000
_ALIKE_LIMIT = 4
Password = Annotated[str, msgspec.Meta(max_length=1000)]


class NewPassword(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A new password.

    Attributes:
        old: the present one; not needed within half an hour of signing in by a one-time link.
    """

    new: Password
    old: Password = ""


async def sign_in_by_password(house: House, user_name: str, password: str, visitor: Visitor) -> Opened:
    """Open a session for whoever knows the password; one argon2id at a time, so that guessing starves nobody.

    Raises:
        NotAuthenticated: name or password is wrong, in the same words and time.
        OverLimit: too many wrong attempts from this address or for this name.
    """
    name = user_name.strip()[:254]
    whose = (f"name:{name.lower()}", f"address:{visitor.address}")
    await _check_wait(house, whose)
    found = await house.store.read(lambda tx: _with_passwords(tx, name))
    async with house.board.hashing:
        kept = [one.password or NOBODY for one in found] or [NOBODY]
        right = [await asyncio.to_thread(is_password, one, password[:1000]) for one in kept]
    known = [member for member, fits in zip(found, right, strict=False) if fits]
    if not known:
        await _note_wrong(house, whose)
        raise NotAuthenticated("the name or the password is wrong")

    def work(tx: Tx) -> Opened:
        # Who owns one account does not free their address for guessing others.
        try_rows.forget_tries(tx, _digest(house, whose[0]))
        return open_session(tx, house, known[0].id, "password", visitor)

    return await house.store.transact(work)


async def change_password(house: House, caller: Caller, ask: NewPassword) -> None:
    """Set the password of the member who is signed in; their other sessions end.

    Raises:
        BadRequest: the caller is no session, or the new password may not be one.
        NotPermitted: the old one is wrong, or the organisation wants no passwords.
        OverLimit: too many wrong attempts.
    """
    if caller.member_id is None or caller.session_id is None:
        raise BadRequest("only a member who is signed in has a password; a key has none")
    member_id, session_id, now_ms = caller.member_id, caller.session_id, house.clock.now_ms()
    whose = (f"name:{member_id}",)
    await _check_wait(house, whose)
    member, session, allowed = await house.store.read(lambda tx: _standing(tx, member_id, session_id, now_ms))
    if not allowed:
        raise NotPermitted("this organisation wants no passwords; ask an administrator for a sign-in link")
    check_password(ask.new, member.name, member.user_name)
    by_link = session is not None and session.method == "link" and now_ms - session.created_ms < _FRESH_LINK_MS
    async with house.board.hashing:
        if member.password and not by_link and not await asyncio.to_thread(is_password, member.password, ask.old):
            await _note_wrong(house, whose)
            raise NotPermitted("the present password is wrong")
        kept = await asyncio.to_thread(hash_password, ask.new)

    def work(tx: Tx) -> None:
        member_rows.set_password(tx, member_id, kept)
        sign_in_rows.remove_sessions_of(tx, member_id, but=session_id)
        tell(tx, PasswordChanged(member_id), actor=member_id, at_ms=now_ms)

    await house.store.transact(work)


def _with_passwords(tx: Tx, user_name: str) -> list[member_rows.Member]:
    """Give those who may mean to sign in so; organisations may have members of the same name."""
    settings = sign_in_rows.read_settings(tx)
    return [
        one
        for one in member_rows.list_members(tx)
        if one.user_name is not None
        and one.user_name.lower() == user_name.lower()
        and one.password is not None
        and one.is_here
        and read_document(settings.get(one.organisation_id)).passwords
    ][:_ALIKE_LIMIT]


def _standing(
    tx: Tx, member_id: str, session_id: str, now_ms: int
) -> tuple[member_rows.Member, sign_in_rows.Session | None, bool]:
    member = member_rows.find_member(tx, member_id)
    session = next((one for one in sign_in_rows.list_sessions(tx, now_ms) if one.id == session_id), None)
    settings = read_document(sign_in_rows.read_settings(tx).get(member.organisation_id))
    return member, session, settings.passwords


async def _check_wait(house: House, whose: tuple[str, ...]) -> None:
    digests, now_ms = [_digest(house, one) for one in whose], house.clock.now_ms()
    wait_ms = await house.store.read(lambda tx: try_rows.wait_ms(tx, digests, now_ms))
    if wait_ms:
        raise OverLimit("too many wrong attempts; try again later", retry_after_ms=wait_ms, code="sign_in_banned")


async def _note_wrong(house: House, whose: tuple[str, ...]) -> None:
    now_ms = house.clock.now_ms()

    def work(tx: Tx) -> None:
        for one in whose:
            tries = try_rows.count_wrong(tx, _digest(house, one), one, now_ms)
            if tries.until_ms > now_ms:
                tell(tx, SignInBanned(one, tries.until_ms - now_ms), actor="unknown", at_ms=now_ms)

    await house.store.transact(work)


def _digest(house: House, whose: str) -> bytes:
    return digest_key(whose, house.place.pepper)
