"""Sign-in at an OpenID Connect provider that is handed in: who is let in as what, and what is refused."""

import dataclasses
import json
from urllib.parse import parse_qsl, urlsplit

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from primeur.core.caller import Caller
from primeur.core.errors import NotAuthenticated, NotPermitted, PrimeurError
from primeur.core.ports import Fetched
from primeur.governance import member_rows, sign_in_rows
from primeur.governance.rows import list_organisations
from primeur.governance.sign_in_settings import OpenIdConnect, SignInSettings
from primeur.walks.apply import apply
from primeur.walks.seal_secrets import rotate_master_key
from primeur.walks.set_sign_in import set_sign_in
from primeur.walks.sign_in import Visitor
from primeur.walks.sign_in_openid import ProviderAnswer, begin_openid, finish_openid

ISSUER = "https://id.example.org"
BACK = "https://ai.example.org/sign-in/openid"
PROVIDER = {"issuer": ISSUER, "client_id": "primeur", "client_secret": "hush-hush"}
HERE = Visitor("192.0.2.7", "Firefox")
ADA = {"sub": "42", "email": "ada@example.org", "email_verified": True, "name": "Ada"}
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


class PaperIssuer:
    """Answers as a provider does; tests say which claims, and may change the token."""

    def __init__(self, clock):
        self.clock, self.claims, self.asked, self.nonce, self.kid = clock, dict(ADA), [], "", "1"
        self.sign = lambda claims: jwt.encode(claims, KEY, "RS256", headers={"kid": self.kid})

    async def run(self, method, url, body=b"", headers=(), **_):
        self.asked.append((method, url, dict(parse_qsl(body.decode())), dict(headers)))
        return Fetched(200, {}, json.dumps(self._answer(urlsplit(url).path)).encode())

    def _answer(self, path):
        if path == "/.well-known/openid-configuration":
            ends = {"authorization_endpoint": "/auth", "token_endpoint": "/token", "jwks_uri": "/keys"}
            return {"issuer": ISSUER} | {name: ISSUER + end for name, end in ends.items()}
        if path == "/keys":
            return {"keys": [json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(KEY.public_key())) | {"kid": self.kid}]}
        now_s = self.clock.now_ms() // 1000
        fixed = {"iss": ISSUER, "aud": "primeur", "iat": now_s, "exp": now_s + 60, "nonce": self.nonce}
        return {"id_token": self.sign(fixed | self.claims), "access_token": "a"}


@pytest.fixture
def issuer(clock):
    return PaperIssuer(clock)


@pytest.fixture
def at(founded, issuer):
    return dataclasses.replace(founded, errands=issuer)


async def begin(house, issuer):
    begun = await begin_openid(house, "", BACK, HERE)
    asked = dict(parse_qsl(urlsplit(begun.url).query))
    issuer.nonce = asked["nonce"]
    return begun, asked


async def come_in(house, issuer):
    begun, asked = await begin(house, issuer)
    return await finish_openid(house, ProviderAnswer(asked["state"], "code"), begun.browser, HERE)


async def test_a_person_becomes_a_member_and_keeps_being_that_one(at, client, issuer):
    """Made when they first come, known by the provider's subject later, whatever they are called then."""
    settings = {"openid_connect": PROVIDER | {"role": "member"}}
    shown = (await client.put("/api/v1/sign-in", json=settings)).json()["openid_connect"]
    assert shown["client_secret"].startswith("sealed:")
    kept = str(await at.store.read(sign_in_rows.read_settings))
    assert "hush-hush" not in kept + json.dumps((await client.get("/api/v1/audit/events")).json())
    assert (await client.put("/api/v1/sign-in", json={"openid_connect": shown})).status_code == 200
    first = await come_in(at, issuer)
    issuer.claims["email"] = "ada.king@example.org"
    second = await come_in(at, issuer)
    assert (first.member.user_name, first.member.role) == ("ada@example.org", "member")
    assert second.member.id == first.member.id
    _, url, form, headers = next(one for one in reversed(issuer.asked) if one[0] == "POST")
    assert (url, form["redirect_uri"], len(form["code_verifier"]) >= 43) == (f"{ISSUER}/token", BACK, True)
    assert headers[b"authorization"].startswith(b"Basic ")


async def test_groups_decide_who_is_let_in_and_as_what(at, client, issuer):
    """In each sign-in anew."""
    lines = [{"group": "ai-audit", "role": "auditor"}, {"group": "ai", "role": "member"}]
    await client.put("/api/v1/sign-in", json={"openid_connect": PROVIDER, "groups": lines})
    issuer.claims["groups"] = ["choir"]
    with pytest.raises(NotAuthenticated):
        await come_in(at, issuer)
    issuer.claims["groups"] = ["ai", "ai-audit"]
    assert (await come_in(at, issuer)).member.role == "auditor"
    issuer.claims["groups"] = ["ai"]
    assert (await come_in(at, issuer)).member.role == "member"
    issuer.claims["groups"] = []
    with pytest.raises(NotAuthenticated):
        await come_in(at, issuer)


async def test_invited_members_come_in_and_others_do_not(at, client, issuer):
    """Known by a verified address; never by one that has been given to somebody else."""
    await client.put("/api/v1/sign-in", json={"openid_connect": PROVIDER})
    with pytest.raises(NotAuthenticated):
        await come_in(at, issuer)
    made = await client.post("/api/v1/members", json={"name": "Ada", "user_name": "ADA@example.org"})
    issuer.claims["email_verified"] = False
    with pytest.raises(NotAuthenticated):
        await come_in(at, issuer)
    issuer.claims["email_verified"] = True
    assert (await come_in(at, issuer)).member.id == made.json()["id"]
    issuer.claims["sub"] = "43"
    with pytest.raises(NotAuthenticated):
        await come_in(at, issuer)
    issuer.claims["sub"] = "42"
    await client.patch(f"/api/v1/members/{made.json()['id']}", json={"state": "disabled"})
    with pytest.raises(NotAuthenticated):
        await come_in(at, issuer)


@pytest.mark.parametrize(
    "change", [{"nonce": "n"}, {"aud": "another"}, {"iss": "https://evil.example.org"}, {"exp": 1}], ids=str
)
async def test_wrong_tokens_open_nothing(at, client, issuer, change):
    """Though the provider has signed them."""
    await client.put("/api/v1/sign-in", json={"openid_connect": PROVIDER | {"role": "member"}})
    issuer.claims |= change
    with pytest.raises(NotAuthenticated):
        await come_in(at, issuer)
    issuer.claims, issuer.sign = dict(ADA), lambda claims: jwt.encode(claims, None, "none")
    with pytest.raises(NotAuthenticated):
        await come_in(at, issuer)
    assert "42" not in {one.external_id for one in await at.store.read(member_rows.list_members)}


async def test_an_answer_is_used_once_by_the_browser_that_began(at, client, issuer, clock):
    """Replayed, guessed, brought by somebody else, late, or from another provider: refused."""
    await client.put("/api/v1/sign-in", json={"openid_connect": PROVIDER | {"role": "member"}})
    begun, asked = await begin(at, issuer)
    answer = ProviderAnswer(asked["state"], "code")
    assert await finish_openid(at, answer, begun.browser, HERE)
    for wrong in (answer, ProviderAnswer("guessed", "code"), ProviderAnswer("", "code")):
        with pytest.raises(NotAuthenticated):
            await finish_openid(at, wrong, begun.browser, HERE)
    begun, asked = await begin(at, issuer)
    with pytest.raises(NotAuthenticated):
        await finish_openid(at, ProviderAnswer(asked["state"], "code"), "another browser", HERE)
    begun, asked = await begin(at, issuer)
    with pytest.raises(NotAuthenticated):
        await finish_openid(at, ProviderAnswer(asked["state"], "code", "https://evil.example.org"), begun.browser, HERE)
    begun, asked = await begin(at, issuer)
    clock.ms += 11 * 60_000
    with pytest.raises(NotAuthenticated):
        await finish_openid(at, ProviderAnswer(asked["state"], "code"), begun.browser, HERE)


async def test_keys_are_asked_for_anew_when_the_provider_changes_them(at, client, issuer, clock):
    """But not more than once a minute."""
    await client.put("/api/v1/sign-in", json={"openid_connect": PROVIDER | {"role": "member"}})
    await come_in(at, issuer)
    issuer.kid = "2"
    with pytest.raises(NotAuthenticated):
        await come_in(at, issuer)
    clock.us += 61_000_000
    assert await come_in(at, issuer)
    assert sum(url.endswith("/keys") for _, url, _, _ in issuer.asked) == 2


async def test_whoever_names_the_provider_could_be_an_owner(caller_as, founded):
    """For the provider says who the owners are; and no tenant reads the house's files."""
    settings = SignInSettings(openid_connect=OpenIdConnect(**PROVIDER))
    with pytest.raises(NotPermitted):
        await set_sign_in(founded, await caller_as("operator"), settings)
    owner = await caller_as("owner")
    tenant = dataclasses.replace(owner, permissions=owner.permissions - {"house"})
    pointing = SignInSettings(openid_connect=OpenIdConnect(**(PROVIDER | {"client_secret": "file:/etc/hostname"})))
    with pytest.raises(PrimeurError):
        await set_sign_in(founded, tenant, pointing)


async def test_the_secret_is_sealed_anew_with_every_other(at, client, issuer):
    """And opens with the new key."""
    await client.put("/api/v1/sign-in", json={"openid_connect": PROVIDER | {"role": "member"}})
    before = str(await at.store.read(sign_in_rows.read_settings))
    rotated = await rotate_master_key(at, Caller("k", "p", "o", "owner", frozenset()))
    assert rotated.secrets == 1
    assert str(await at.store.read(sign_in_rows.read_settings)) != before
    assert await come_in(at, issuer)


async def test_a_file_declares_how_people_sign_in(founded, owner, monkeypatch):
    """The same twice changes nothing; a secret in clear, or another organisation, is refused."""
    monkeypatch.setenv("OPENID_SECRET", "hush")
    declared = {"openid_connect": PROVIDER | {"client_secret": "env:OPENID_SECRET"}, "passwords": False}
    name = (await founded.store.read(list_organisations))[0].name
    applied = await apply(founded, owner, {"sign_in": {name: declared}}, dry_run=False)
    assert [(one.noun, one.name) for one in applied.changes] == [("sign_in", name)]
    assert (await apply(founded, owner, {"sign_in": {name: declared}}, dry_run=False)).changes == []
    for wrong in ({name: {"openid_connect": PROVIDER}}, {"nobody": {}}, {name: {"idle": 1}}):
        with pytest.raises(PrimeurError):
            await apply(founded, owner, {"sign_in": wrong}, dry_run=False)
