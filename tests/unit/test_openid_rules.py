"""Which id tokens are believed."""

import base64
import json

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from primeur.core.errors import NotAuthenticated, SetupError
from primeur.governance.openid_rules import (
    Expected,
    challenge_of,
    check_claims,
    fitting_keys,
    read_metadata,
    read_person,
    verified_claims,
)
from primeur.governance.sign_in_settings import OpenIdConnect

ISSUER, NOW_S = "https://id.example.org", 1_800_000_000
SETTINGS = OpenIdConnect(issuer=ISSUER, client_id="primeur")
EXPECTED = Expected(ISSUER, "primeur", "n-1", NOW_S)
CLAIMS = {"iss": ISSUER, "aud": "primeur", "sub": "42", "exp": NOW_S + 60, "iat": NOW_S - 1, "nonce": "n-1"}
PEOPLE = {"sub": "42", "email": "ada@example.org", "email_verified": True, "name": "Ada", "groups": ["audit", 7]}
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
SHORT = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 (it is there to be refused)
EC = ec.generate_private_key(ec.SECP256R1())


def jwk(key, kid, maker=jwt.algorithms.RSAAlgorithm):
    return json.loads(maker.to_jwk(key.public_key())) | {"kid": kid, "use": "sig"}


KEYS = [jwk(RSA, "r"), jwk(EC, "e", jwt.algorithms.ECAlgorithm), jwk(SHORT, "s")]


def believed(token, keys=KEYS):
    return verified_claims(token, *fitting_keys(token, keys))


@pytest.mark.parametrize(("key", "algorithm", "kid"), [(RSA, "RS256", "r"), (EC, "ES256", "e")])
def test_what_the_provider_signed_is_believed(key, algorithm, kid):
    """With either algorithm."""
    assert believed(jwt.encode(CLAIMS, key, algorithm, headers={"kid": kid})) == CLAIMS
    assert check_claims(CLAIMS, EXPECTED) == "42"


def test_no_other_signature_is_believed():
    """None, the public key as a shared secret, another algorithm, another key, a short key, a changed claim."""
    good = jwt.encode(CLAIMS, RSA, "RS256", headers={"kid": "r"})
    head, _, seal = good.split(".")
    changed = base64.urlsafe_b64encode(json.dumps(CLAIMS | {"sub": "43"}).encode()).decode().rstrip("=")
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    with pytest.warns(jwt.InsecureKeyLengthWarning):
        short = jwt.encode(CLAIMS, SHORT, "RS256", headers={"kid": "s"})
    forged = [
        jwt.encode(CLAIMS, None, "none"),
        jwt.encode(CLAIMS, "x" * 32, "HS256", headers={"kid": "r"}),
        jwt.encode(CLAIMS, RSA, "RS512", headers={"kid": "r"}),
        jwt.encode(CLAIMS, other, "RS256", headers={"kid": "r"}),
        short,
        jwt.encode(CLAIMS, RSA, "RS256", headers={"kid": "unknown"}),
        f"{head}.{changed}.{seal}",
        f"{head}.{changed}.",
        "",
        "a.b.c",
    ]
    for token in forged:
        with pytest.raises(NotAuthenticated):
            believed(token)


@pytest.mark.parametrize(
    "change",
    [
        {"iss": "https://evil.example.org"},
        {"iss": f"{ISSUER}/"},
        {"aud": "another"},
        {"aud": ["primeur", "another"]},
        {"azp": "another"},
        {"aud": None},
        {"exp": NOW_S - 61},
        {"exp": None},
        {"exp": "9999999999"},
        {"iat": NOW_S + 61},
        {"iat": None},
        {"nbf": NOW_S + 61},
        {"nonce": "n-2"},
        {"nonce": None},
        {"sub": ""},
        {"sub": 42},
    ],
    ids=str,
)
def test_a_token_for_another_time_place_or_sign_in_is_refused(change):
    """Whoever signed it."""
    with pytest.raises(NotAuthenticated):
        check_claims(CLAIMS | change, EXPECTED)


def test_a_person_has_a_verified_address_and_the_groups_that_are_named():
    """Unless the settings trust the provider's addresses."""
    person = read_person(PEOPLE, SETTINGS)
    assert (person.user_name, person.name, person.groups) == ("ada@example.org", "Ada", frozenset({"audit"}))
    for change in ({"email_verified": False}, {"email": ""}, {"email": 7}):
        with pytest.raises(NotAuthenticated):
            read_person(PEOPLE | change, SETTINGS)
    trusting = OpenIdConnect(issuer=ISSUER, client_id="primeur", trusts_addresses=True)
    unsaid = {name: value for name, value in PEOPLE.items() if name not in {"email_verified", "groups"}}
    assert read_person(unsaid, trusting).groups is None


def test_a_configuration_of_somebody_else_is_refused():
    """And one that sends browsers to where none may go."""
    about = {"issuer": ISSUER, "authorization_endpoint": f"{ISSUER}/a", "token_endpoint": "t", "jwks_uri": "j"}
    assert read_metadata(json.dumps(about).encode(), ISSUER).authorization_endpoint == f"{ISSUER}/a"
    for change in ({"issuer": "https://evil.example.org"}, {"authorization_endpoint": "javascript:alert(1)"}):
        with pytest.raises(SetupError):
            read_metadata(json.dumps(about | change).encode(), ISSUER)
    with pytest.raises(SetupError):
        read_metadata(b"<html>", ISSUER)


def test_the_challenge_is_that_of_the_standard():
    """RFC 7636, appendix B."""
    assert challenge_of("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk") == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
