"""Sign in at an OpenID Connect provider: authorization code with PKCE, bound to the browser that began it."""

import hmac
from dataclasses import dataclass
from urllib.parse import urlencode

import msgspec

from primeur.core.errors import NotAuthenticated, NotFound
from primeur.governance import rules
from primeur.governance.challenge_rows import Challenge, add_challenge, take_challenge
from primeur.governance.openid_rules import (
    Expected,
    Person,
    authorization_url,
    challenge_of,
    check_claims,
    read_person,
)
from primeur.governance.rows import first_organisation
from primeur.governance.sign_in_rows import read_settings
from primeur.governance.sign_in_settings import OpenIdConnect, read_document
from primeur.store.database import Tx
from primeur.walks.admit_person import admit_person
from primeur.walks.house import House
from primeur.walks.reach_issuer import believed_claims, reach_issuer, redeem_code, user_claims
from primeur.walks.seal_secrets import open_settings
from primeur.walks.sign_in import Opened, Visitor, open_session

_KIND = "openid"


class _Asked(msgspec.Struct, frozen=True):
    """What the answer of a provider is checked against."""

    organisation_id: str
    issuer: str
    redirect_uri: str
    nonce: str
    verifier: str
    browser: str


@dataclass(frozen=True, slots=True)
class Begun:
    """A sign-in that is under way: where the browser goes, and what it keeps as a cookie until it comes back."""

    url: str
    browser: str


@dataclass(frozen=True, slots=True)
class Choice:
    """An organisation whose people may sign in at a provider."""

    organisation_id: str
    settings: OpenIdConnect


@dataclass(frozen=True, slots=True)
class ProviderAnswer:
    """What a browser brings back from a provider."""

    state: str
    code: str = ""
    issuer: str = ""
    error: str = ""


async def choose_provider(house: House, organisation_id: str = "") -> Choice | None:
    """Give the provider of an organisation, or of the one that runs the house; None: it has none."""

    def read(tx: Tx) -> Choice | None:
        first = first_organisation(tx)
        wanted = organisation_id or (first.id if first else "")
        found = read_document(read_settings(tx).get(wanted)).openid_connect
        return Choice(wanted, found) if found else None

    return await house.store.read(read)


async def begin_openid(house: House, organisation_id: str, redirect_uri: str, visitor: Visitor) -> Begun:
    """Begin a sign-in.

    Args:
        redirect_uri: where the provider sends the browser back to; an address of ours.

    Raises:
        NotFound: the organisation has no provider.
        SetupError, EgressRefused, TargetFailed, TargetTimedOut: the provider cannot be asked.
    """
    choice = await choose_provider(house, organisation_id)
    if choice is None:
        raise NotFound("there is no provider to sign in at")
    about = (await reach_issuer(house, choice.settings.issuer)).about
    state, nonce, verifier, browser = (rules.spell("", house.entropy) for _ in range(4))
    asked = _Asked(choice.organisation_id, about.issuer, redirect_uri, nonce, verifier, _digest(house, browser).hex())
    challenge = Challenge(
        _digest(house, state), _KIND, visitor.address[:64], msgspec.json.encode(asked).decode(), house.clock.now_ms()
    )
    await house.store.transact(lambda tx: add_challenge(tx, challenge))
    url = authorization_url(
        about,
        choice.settings,
        redirect_uri=redirect_uri,
        state=state,
        nonce=nonce,
        code_challenge=challenge_of(verifier),
    )
    return Begun(url, browser)


async def finish_openid(house: House, answer: ProviderAnswer, browser: str, visitor: Visitor) -> Opened:
    """Open a session for whoever the provider says has signed in.

    Args:
        browser: the cookie of the browser that began.

    Raises:
        NotAuthenticated: the answer is not to be believed, was used before, or the person is not let in.
    """
    taken = await house.store.transact(
        lambda tx: take_challenge(tx, _digest(house, answer.state), _KIND, house.clock.now_ms())
    )
    asked = msgspec.json.decode(taken.document, type=_Asked)
    if not hmac.compare_digest(_digest(house, browser).hex(), asked.browser):
        raise NotAuthenticated("this sign-in was begun in another browser", code="openid_refused")
    choice = await choose_provider(house, asked.organisation_id)
    if choice is None or choice.settings.issuer != asked.issuer:
        raise NotAuthenticated("the provider was changed meanwhile; begin again", code="openid_refused")
    person = await _person(house, choice, asked, answer)

    def work(tx: Tx) -> Opened:
        member = admit_person(tx, house, choice.organisation_id, choice.settings, person)
        return open_session(tx, house, member.id, _KIND, visitor)

    return await house.store.transact(work)


async def leave_provider(house: House, organisation_id: str, back: str) -> str | None:
    """Give where a browser signs out at the provider too; None: it does not offer that.

    Args:
        back: where it returns to; an address of ours that the provider knows.
    """
    choice = await choose_provider(house, organisation_id)
    if choice is None:
        return None
    endpoint = (await reach_issuer(house, choice.settings.issuer)).about.end_session_endpoint
    query = urlencode({"client_id": choice.settings.client_id, "post_logout_redirect_uri": back})
    return f"{endpoint}{'&' if '?' in endpoint else '?'}{query}" if endpoint else None


async def _person(house: House, choice: Choice, asked: _Asked, answer: ProviderAnswer) -> Person:
    settings = choice.settings
    about = (await reach_issuer(house, settings.issuer)).about
    named = answer.issuer or (about.issuer if not about.authorization_response_iss_parameter_supported else "")
    if named != about.issuer:
        raise NotAuthenticated("the answer comes from another provider", code="openid_refused")
    if answer.error or not answer.code:
        raise NotAuthenticated("the provider did not let this person sign in", code="openid_refused")
    secret = open_settings(
        house, f"sign-in/{choice.organisation_id}", {"client_secret": settings.client_secret or None}, ["client_secret"]
    )["client_secret"]
    brought = {"code": answer.code, "redirect_uri": asked.redirect_uri, "code_verifier": asked.verifier}
    id_token, access_token = await redeem_code(house, about, settings, secret or "", brought)
    claims = dict(await believed_claims(house, settings.issuer, id_token))
    expected = Expected(about.issuer, settings.client_id, asked.nonce, house.clock.now_ms() / 1000)
    subject = check_claims(claims, expected)
    if not {settings.name_claim, settings.groups_claim, "name"} <= set(claims):
        more = await user_claims(house, about, access_token)
        if more.get("sub") == subject:
            claims = {**more, **claims}
    return read_person(claims, settings)


def _digest(house: House, text: str) -> bytes:
    return rules.digest_key(text, house.place.pepper)
