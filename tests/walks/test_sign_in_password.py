"""Signing in with a password: set by a fresh link, guessed in vain, changed with the old one."""

import dataclasses

import httpx2
import pytest

from primeur.core.errors import NotAuthenticated, OverLimit
from primeur.gateway.asgi import Gateway
from primeur.walks.follow_changes import recompile
from primeur.walks.house import Board
from primeur.walks.sign_in import Visitor, sign_in
from primeur.walks.sign_in_password import sign_in_by_password

GOOD, BETTER = "grand pont vert 9 lunes", "sept vagues bleues 41"
HERE = Visitor("192.0.2.7", "Firefox")


@pytest.fixture
async def ada(founded, client):
    """A member with a password, and their browser."""
    ask = {"name": "Ada", "user_name": "ada@example.org", "role": "auditor"}
    made = (await client.post("/api/v1/members", json=ask)).json()
    opened = await sign_in(founded, made["path"].rpartition("/")[2])
    await recompile(founded)
    headers = {"x-primeur-console": "1", "cookie": f"primeur_session={opened.text}"}
    transport = httpx2.ASGITransport(Gateway(founded))
    async with httpx2.AsyncClient(transport=transport, base_url="http://primeur.test", headers=headers) as browser:
        assert (await browser.put("/api/v1/me/password", json={"new": GOOD})).status_code == 200
        yield browser


@pytest.mark.usefixtures("ada")
async def test_whoever_knows_it_is_let_in(founded):
    """Upper and lower case of the name are the same."""
    opened = await sign_in_by_password(founded, "Ada@Example.org", GOOD, HERE)
    assert opened.member.name == "Ada"


@pytest.mark.usefixtures("ada")
@pytest.mark.parametrize("name", ["ada@example.org", "nobody@example.org"])
async def test_guessing_ends_in_waiting(founded, clock, name):
    """The same words for a wrong password and an unknown name; then even the right one has to wait."""
    for _ in range(5):
        with pytest.raises(NotAuthenticated, match="the name or the password is wrong"):
            await sign_in_by_password(founded, name, "wrong", HERE)
    with pytest.raises(OverLimit) as refused:
        await sign_in_by_password(founded, name, GOOD, HERE)
    clock.ms += refused.value.retry_after_ms
    if name.startswith("ada"):
        assert (await sign_in_by_password(founded, name, GOOD, HERE)).member.name == "Ada"


@pytest.mark.usefixtures("ada")
async def test_another_process_knows_of_the_guessing(founded):
    """It looks at the same database."""
    for _ in range(5):
        with pytest.raises(NotAuthenticated):
            await sign_in_by_password(founded, "ada@example.org", "wrong", HERE)
    other = dataclasses.replace(founded, board=Board())
    with pytest.raises(OverLimit):
        await sign_in_by_password(other, "ada@example.org", GOOD, Visitor("192.0.2.8"))


async def test_a_password_is_changed_with_the_old_one(founded, ada, clock):
    """A fresh link needs none; later on it takes the present one, and other sessions end."""
    clock.ms += 31 * 60_000
    assert (await ada.put("/api/v1/me/password", json={"new": BETTER, "old": "x"})).status_code == 403
    assert (await ada.put("/api/v1/me/password", json={"new": "password1234", "old": GOOD})).status_code == 400
    await sign_in_by_password(founded, "ada@example.org", GOOD, HERE)
    assert (await ada.put("/api/v1/me/password", json={"new": BETTER, "old": GOOD})).status_code == 200
    assert len((await ada.get("/api/v1/sessions")).json()["data"]) == 1
    with pytest.raises(NotAuthenticated):
        await sign_in_by_password(founded, "ada@example.org", GOOD, HERE)


async def test_an_organisation_may_want_no_passwords(founded, client, ada):
    """Neither to sign in nor to set."""
    assert (await client.put("/api/v1/sign-in", json={"passwords": False})).status_code == 200
    with pytest.raises(NotAuthenticated):
        await sign_in_by_password(founded, "ada@example.org", GOOD, HERE)
    assert (await ada.put("/api/v1/me/password", json={"new": BETTER, "old": GOOD})).status_code == 403


async def test_a_key_has_no_password(client):
    """And is told so."""
    assert (await client.put("/api/v1/me/password", json={"new": GOOD})).status_code == 400
