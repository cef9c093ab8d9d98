"""Challenges of sign-ins are few, short and used once; nobody else's passkeys are touched."""

import pytest

from primeur.core.errors import NotAuthenticated
from primeur.governance import passkey_rows
from primeur.governance.challenge_rows import Challenge, add_challenge, take_challenge
from primeur.governance.passkey_rows import Passkey
from primeur.walks.sign_in import Visitor
from primeur.walks.sign_in_passkey import begin_with_passkey, finish_with_passkey


def challenge(number, address="192.0.2.7", at_ms=1000):
    return Challenge(number.to_bytes(32, "big"), "passkey", address, "{}", at_ms)


async def test_a_challenge_is_used_once_and_soon(store):
    """By what it was made for."""

    def work(tx):
        for number in range(2):
            add_challenge(tx, challenge(number))
        assert take_challenge(tx, challenge(0).digest, "passkey", 2000).address == "192.0.2.7"
        for digest, kind, now_ms in ((0, "passkey", 2000), (1, "openid", 2000), (1, "passkey", 10**7)):
            with pytest.raises(NotAuthenticated):
                take_challenge(tx, challenge(digest).digest, kind, now_ms)

    await store.transact(work)


async def test_whoever_asks_for_many_challenges_loses_their_own(store):
    """The oldest of the same address; nobody else's."""

    def work(tx):
        add_challenge(tx, challenge(0, "192.0.2.9"))
        for number in range(1, 41):
            add_challenge(tx, challenge(number, at_ms=1000 + number))
        for number in (0, 40):
            take_challenge(tx, challenge(number).digest, "passkey", 2000)
        with pytest.raises(NotAuthenticated):
            take_challenge(tx, challenge(10).digest, "passkey", 2000)

    await store.transact(work)


@pytest.mark.parametrize(
    "credential",
    [{}, {"response": {}}, {"rawId": "AA", "response": {"clientDataJSON": "e30"}}, {"rawId": 7, "response": "x"}],
    ids=str,
)
async def test_what_is_no_answer_is_refused(founded, credential):
    """Whatever it is."""
    asked = await begin_with_passkey(founded, "https://ai.example.org", Visitor())
    assert (asked["rpId"], asked["userVerification"], asked.get("allowCredentials", [])) == (
        "ai.example.org",
        "required",
        [],
    )
    with pytest.raises(NotAuthenticated):
        await finish_with_passkey(founded, credential, Visitor())


async def test_administrators_see_and_remove_passkeys_of_members(founded, client):
    """A key has none of its own."""
    made = (await client.post("/api/v1/members", json={"name": "Ada"})).json()
    passkey = Passkey("psk_1", made["id"], "Laptop", b"c", b"k", 0, 1000)
    await founded.store.transact(lambda tx: passkey_rows.add_passkey(tx, passkey))
    theirs = f"/api/v1/members/{made['id']}/passkeys"
    assert [one["name"] for one in (await client.get(theirs)).json()["data"]] == ["Laptop"]
    assert (await client.delete(f"{theirs}/psk_2")).status_code == 404
    assert (await client.delete(f"{theirs}/psk_1")).status_code == 200
    assert (await client.get(theirs)).json()["data"] == []
    assert (await client.get("/api/v1/me/passkeys")).status_code == 400
    gone = (await client.get("/api/v1/audit/events", params={"kind": "PasskeyRemoved"})).json()
    assert len(gone["data"]) == 1
