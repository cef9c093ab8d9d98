"""Sign in with a passkey: the browser finds one by itself, so that nobody has to say who they are."""

from collections.abc import Mapping
from typing import Any

import msgspec

from primeur.core.errors import NotAuthenticated
from primeur.governance import passkey_rows, rules
from primeur.governance.challenge_rows import Challenge, add_challenge, take_challenge
from primeur.governance.passkey_rows import Passkey
from primeur.governance.passkey_rules import Relying, ask_for_any, challenge_in, check_signed, credential_in
from primeur.store.database import Tx
from primeur.walks.house import House
from primeur.walks.sign_in import Opened, Visitor, open_session

NEW, USED = "new-passkey", "passkey"
_CHALLENGE_BYTES = 32


class AskedPasskey(msgspec.Struct, frozen=True):
    """What a passkey's answer is checked against; a new one is for a member, in a session of theirs."""

    origin: str
    member_id: str = ""
    session_id: str = ""


async def begin_with_passkey(house: House, origin: str, visitor: Visitor) -> Mapping[str, Any]:
    """Give what the browser is asked; *origin* is this house's own address."""
    challenge = await ask_challenge(house, USED, AskedPasskey(origin), visitor)
    return ask_for_any(Relying(origin), challenge)


async def finish_with_passkey(house: House, credential: dict[str, Any], visitor: Visitor) -> Opened:
    """Open a session for whoever's passkey has signed.

    Args:
        credential: what ``navigator.credentials.get`` gave, as its ``toJSON`` writes it.

    Raises:
        NotAuthenticated: the answer is not to be believed or was used before, or its member is not here any more.
    """
    challenge, named, now_ms = challenge_in(credential), credential_in(credential), house.clock.now_ms()

    def take(tx: Tx) -> tuple[AskedPasskey, Passkey | None]:
        taken = take_challenge(tx, digest_challenge(house, challenge), USED, now_ms)
        return msgspec.json.decode(taken.document, type=AskedPasskey), passkey_rows.find_credential(tx, named)

    asked, passkey = await house.store.transact(take)
    if passkey is None:
        raise NotAuthenticated("this passkey is not known here; sign in another way and add it", code="passkey_refused")
    count = check_signed(Relying(asked.origin), challenge, credential, passkey)

    def work(tx: Tx) -> Opened:
        # Of two who sign with copies at once, the second finds another count.
        if not passkey_rows.note_passkey_use(tx, passkey, count, now_ms):
            raise NotAuthenticated("this passkey was used elsewhere at the same time", code="passkey_refused")
        return open_session(tx, house, passkey.member_id, USED, visitor)

    return await house.store.transact(work)


async def ask_challenge(house: House, kind: str, asked: AskedPasskey, visitor: Visitor) -> bytes:
    """Make a challenge and keep what its answer is checked against; it holds for ten minutes, once."""
    challenge = house.entropy(_CHALLENGE_BYTES)
    kept = Challenge(
        digest_challenge(house, challenge),
        kind,
        visitor.address[:64],
        msgspec.json.encode(asked).decode(),
        house.clock.now_ms(),
    )
    await house.store.transact(lambda tx: add_challenge(tx, kept))
    return challenge


def digest_challenge(house: House, challenge: bytes) -> bytes:
    """Give what is kept of a challenge."""
    return rules.digest_key(challenge.hex(), house.place.pepper)
