"""What authenticators are asked, and which of their answers are believed; pure.

Source: W3C, Web Authentication Level 3, sections 7.1 and 7.2.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import msgspec

from primeur.core.errors import NotAuthenticated
from primeur.governance.passkey_rows import Passkey

Json = dict[str, Any]
_FAULTS = (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError)
_HOUSE = "Primeur"


class Relying(msgspec.Struct, frozen=True):
    """Whom authenticators know this house as: *origin* is its address, *name* the host in it."""

    origin: str

    @property
    def name(self) -> str:
        """The relying party's id."""
        return urlsplit(self.origin).hostname or ""


@dataclass(frozen=True, slots=True)
class NewCredential:
    """What an authenticator has made."""

    credential: bytes
    public_key: bytes
    sign_count: int


def ask_for_new(us: Relying, challenge: bytes, who: tuple[str, str, str], known: Iterable[bytes]) -> Json:
    """Give what a browser is asked for a new passkey: one that can be found without a name, with its person verified.

    Args:
        who: id, user name and name of the member.
        known: credentials that they have already.
    """
    import webauthn  # noqa: PLC0415 (6 MB that a house without passkeys does without)
    from webauthn.helpers import structs  # noqa: PLC0415 (the same)

    member_id, user_name, name = who
    options = webauthn.generate_registration_options(
        rp_id=us.name,
        rp_name=_HOUSE,
        user_id=member_id.encode(),
        user_name=user_name,
        user_display_name=name,
        challenge=challenge,
        authenticator_selection=structs.AuthenticatorSelectionCriteria(
            resident_key=structs.ResidentKeyRequirement.REQUIRED,
            require_resident_key=True,
            user_verification=structs.UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=[structs.PublicKeyCredentialDescriptor(id=one) for one in known],
    )
    return msgspec.json.decode(webauthn.options_to_json(options), type=Json)


def ask_for_any(us: Relying, challenge: bytes) -> Json:
    """Give what a browser is asked for a passkey that it has, without saying which there are."""
    import webauthn  # noqa: PLC0415 (the same)
    from webauthn.helpers.structs import UserVerificationRequirement  # noqa: PLC0415 (the same)

    options = webauthn.generate_authentication_options(
        rp_id=us.name, challenge=challenge, user_verification=UserVerificationRequirement.REQUIRED
    )
    return msgspec.json.decode(webauthn.options_to_json(options), type=Json)


def challenge_in(credential: Json) -> bytes:
    """Give the challenge that an answer is to.

    Raises:
        NotAuthenticated: it is no answer.
    """
    from webauthn.helpers import base64url_to_bytes  # noqa: PLC0415 (the same)

    try:
        said = msgspec.json.decode(base64url_to_bytes(credential["response"]["clientDataJSON"]), type=Json)
        return base64url_to_bytes(said["challenge"])
    except _FAULTS:
        raise _refused("cannot be read") from None


def credential_in(credential: Json) -> bytes:
    """Give which credential an answer is from; raises as `challenge_in`."""
    from webauthn.helpers import base64url_to_bytes  # noqa: PLC0415 (the same)

    try:
        return base64url_to_bytes(credential["rawId"])[:1024]
    except _FAULTS:
        raise _refused("cannot be read") from None


def check_new(us: Relying, challenge: bytes, credential: Json) -> NewCredential:
    """Give what an authenticator has made.

    Raises:
        NotAuthenticated: it was made for another house or challenge, or without verifying its person.
    """
    import webauthn  # noqa: PLC0415 (the same)
    from webauthn.helpers.exceptions import WebAuthnException  # noqa: PLC0415 (the same)

    try:
        made = webauthn.verify_registration_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=us.name,
            expected_origin=us.origin,
            require_user_verification=True,
        )
    except (WebAuthnException, *_FAULTS) as error:
        raise _refused(f"is not accepted: {error}") from None
    return NewCredential(made.credential_id, made.credential_public_key, made.sign_count)


def check_signed(us: Relying, challenge: bytes, credential: Json, passkey: Passkey) -> int:
    """Let an answer pass; gives the new count of signatures.

    Raises:
        NotAuthenticated: it is for another house or challenge, from another authenticator or person, its person was not
            verified, or the count goes back, as that of a copy does.
    """
    import webauthn  # noqa: PLC0415 (the same)
    from webauthn.helpers import base64url_to_bytes  # noqa: PLC0415 (the same)
    from webauthn.helpers.exceptions import WebAuthnException  # noqa: PLC0415 (the same)

    try:
        handle = credential["response"].get("userHandle")
        signed = webauthn.verify_authentication_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=us.name,
            expected_origin=us.origin,
            credential_public_key=passkey.public_key,
            credential_current_sign_count=passkey.sign_count,
            require_user_verification=True,
        )
        whose = base64url_to_bytes(handle).decode() if handle else passkey.member_id
    except (WebAuthnException, *_FAULTS) as error:
        raise _refused(f"is not accepted: {error}") from None
    if whose != passkey.member_id:
        raise _refused("is somebody else's")
    return signed.new_sign_count


def _refused(why: str) -> NotAuthenticated:
    return NotAuthenticated(f"the passkey's answer {why}", code="passkey_refused")
