"""Making, changing, rotating and revoking keys; projects; sign-in."""

import pytest

from primeur.core.caller import Limits
from primeur.core.errors import BadRequest, Conflict, NotAuthenticated, NotFound, NotPermitted
from primeur.governance import rules
from primeur.governance.rows import list_keys
from primeur.store.database import last_sequence
from primeur.walks.change_key import KeyChange, change_key, revoke_key, rotate_key
from primeur.walks.compile_snapshot import compile_snapshot
from primeur.walks.create_key import NewKey, create_key
from primeur.walks.create_project import NewProject, ProjectChange, change_project, create_project
from primeur.walks.sign_in import make_sign_in_link, sign_in, sign_out


async def caller_of(house, text):
    return (await compile_snapshot(house)).callers.get(rules.digest_key(text, house.place.pepper))


async def test_a_new_key_lets_in_with_its_limits(founded, owner):
    """Its text is not in the database, only its digest."""
    made = await create_key(founded, owner, NewKey(name="app", rpm=3, tpm=400))
    found = await caller_of(founded, made.text)
    assert (found.name, found.gates[0].limits) == ("app", Limits(3, 400))
    assert made.text not in repr(await founded.store.read(list_keys))


async def test_nobody_makes_a_key_that_may_do_more(founded, caller_as):
    """A member is refused, and nothing happened."""
    before = await founded.store.read(last_sequence)
    with pytest.raises(NotPermitted, match="keys:write"):
        await create_key(founded, await caller_as("member"), NewKey(name="app", role="owner"))
    assert await founded.store.read(last_sequence) == before


@pytest.mark.parametrize(
    ("ask", "error"),
    [
        (NewKey(name="a b"), BadRequest),
        (NewKey(name="default"), Conflict),
        (NewKey(name="x", role="king"), BadRequest),
        (NewKey(name="x", project="none"), NotFound),
        (NewKey(name="x", deployments=["none"]), NotFound),
        (NewKey(name="x", expires_ms=5), BadRequest),
    ],
)
async def test_what_cannot_be_is_refused(founded, owner, ask, error):
    """Each by its own word."""
    with pytest.raises(error):
        await create_key(founded, owner, ask)


async def test_a_change_keeps_what_it_does_not_name(founded, owner):
    """Null takes a limit away, silence leaves it."""
    made = await create_key(founded, owner, NewKey(name="app", rpm=3, tpm=400))
    await change_key(founded, owner, "app", KeyChange(rpm=None))
    assert (await caller_of(founded, made.text)).gates[0].limits == Limits(None, 400)


async def test_a_rotated_key_has_a_new_text(founded, owner):
    """The old one is nobody."""
    made = await create_key(founded, owner, NewKey(name="app"))
    again = await rotate_key(founded, owner, made.key.id)
    assert await caller_of(founded, made.text) is None
    assert (await caller_of(founded, again.text)).key_id == made.key.id


async def test_a_revoked_key_is_gone_for_good(founded, owner):
    """It cannot be changed, rotated or revoked again."""
    made = await create_key(founded, owner, NewKey(name="app"))
    await revoke_key(founded, owner, "app")
    assert await caller_of(founded, made.text) is None
    for again in (revoke_key, rotate_key):
        with pytest.raises(Conflict, match="is revoked"):
            await again(founded, owner, "app")


async def test_a_member_does_not_see_the_keys_of_others(founded, owner, caller_as):
    """Not even that they are there."""
    await create_project(founded, owner, NewProject(name="research"))
    made = await create_key(founded, owner, NewKey(name="secret", project="research"))
    with pytest.raises(NotFound):
        await revoke_key(founded, await caller_as("member"), made.key.id)


async def test_a_project_keeps_prompts_when_it_asks(founded, owner):
    """Its keys' callers say so."""
    await create_project(founded, owner, NewProject(name="research"))
    made = await create_key(founded, owner, NewKey(name="app", project="research"))
    assert not (await caller_of(founded, made.text)).keeps_prompts
    await change_project(founded, owner, "research", ProjectChange(keeps_prompts=True, rpm=9))
    found = await caller_of(founded, made.text)
    assert found.keeps_prompts
    assert found.gates[0].limits == Limits(9)


async def test_a_link_opens_a_session_once(founded, owner):
    """And signing out ends it."""
    link = await make_sign_in_link(founded, owner)
    opened = await sign_in(founded, link)
    digest = rules.digest_key(opened.text, founded.place.pepper)
    assert (await compile_snapshot(founded)).sessions[digest].name == "owner"
    with pytest.raises(NotAuthenticated):
        await sign_in(founded, link)
    await sign_out(founded, opened.text)
    await sign_out(founded, opened.text)
    assert (await compile_snapshot(founded)).sessions == {}


async def test_nobody_makes_a_link_for_somebody_who_may_do_more(founded, caller_as):
    """An operator cannot sign in as the owner."""
    with pytest.raises(NotPermitted):
        await make_sign_in_link(founded, await caller_as("operator"), "owner")
