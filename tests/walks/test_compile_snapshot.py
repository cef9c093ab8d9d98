"""From rows and engine states to what the hot path reads."""

import dataclasses

import pytest

from primeur.core.caller import Limits
from primeur.core.ports import EngineState
from primeur.core.price import Price
from primeur.governance import rows as governance
from primeur.governance import rules
from primeur.governance.member_rows import list_members
from primeur.governance.sign_in_rows import Session, add_session
from primeur.metering.rows import PriceRow, add_price
from primeur.registry import deployment_rows
from primeur.registry.rows import Provider, keep_provider
from primeur.walks.compile_snapshot import compile_snapshot
from primeur.walks.point_deployment import Pointer, point_deployment
from primeur.walks.run_engines import want_engines


async def deploy(house, name, **pointer):
    """Point *name* at something new; gives the revision's id."""
    made = Pointer(name, **pointer)
    work = lambda tx: point_deployment(tx, made, entropy=house.entropy, actor="test", now_ms=house.clock.now_ms())  # noqa: E731
    return (await house.store.transact(work)).id


async def deployment(house, name):
    return (await compile_snapshot(house)).deployments[name]


async def test_a_deployment_says_why_it_is_pending(founded):
    """Until its engine is ready it has no target."""
    await deploy(founded, "echo", engine="echo")
    found = await deployment(founded, "echo")
    assert (found.targets, found.pending) == ((), "waits for its turn")


@pytest.mark.parametrize("detail", ["", "the service is not running"])
async def test_an_engine_that_the_host_has_not_heard_of_is_about_to_start(founded, host, detail):
    """Unless the host says why it stands still."""
    revision = await deploy(founded, "echo", engine="echo")
    host.states[revision] = EngineState("stopped", detail)
    assert (await deployment(founded, "echo")).pending == (detail or "about to start")


async def test_a_ready_engine_is_a_target(founded, host):
    """With the context that the running engine tells."""
    revision = await deploy(founded, "echo", engine="echo")
    host.ready(revision)
    (target,) = (await deployment(founded, "echo")).targets
    assert (target.revision_id, target.provider, target.context_tokens) == (revision, "echo", 256)


async def test_settings_may_give_an_engine_another_face(founded, host):
    """What a launch says of its dialect is so for its revision alone."""
    for name, settings in (("echo", {}), ("far", {"other": True})):
        host.ready(await deploy(founded, name, engine="echo", settings=settings))
    (own,), (other,) = [(await deployment(founded, name)).targets for name in ("echo", "far")]
    assert other.dialect.name == "other"
    assert own.dialect.name != "other"


async def test_a_bad_revision_takes_no_other_down(founded, host):
    """Its reason is shown, the earlier one goes on, the neighbour is not touched."""
    good = await deploy(founded, "echo", engine="echo")
    neighbour = await deploy(founded, "neighbour", engine="echo")
    host.ready(good)
    bad = await deploy(founded, "echo", engine="echo", settings={"bad": 1})
    await want_engines(founded)
    assert set(host.wanted) == {good, neighbour}
    assert bad not in host.wanted
    (target,) = (await deployment(founded, "echo")).targets
    assert (target.revision_id, target.share) == (good, 0)


async def test_the_reason_of_a_bad_revision_is_shown(founded):
    """A setting, an engine and a provider kind that nobody knows."""
    await deploy(founded, "one", engine="echo", settings={"bad": 1})
    await deploy(founded, "two", engine="steam")
    snapshot = await compile_snapshot(founded)
    assert snapshot.deployments["one"].pending == "failed: unknown setting 'bad'; remove it"
    assert "no engine 'steam'" in snapshot.deployments["two"].pending


async def test_the_old_revision_stops_when_the_new_one_is_ready(founded, host):
    """Not a moment earlier."""
    old = await deploy(founded, "echo", engine="echo")
    new = await deploy(founded, "echo", engine="echo")
    await want_engines(founded)
    assert set(host.wanted) == {old, new}
    host.ready(new)
    await want_engines(founded)
    assert set(host.wanted) == {new}


async def test_a_revision_is_planned_once(founded):
    """Its weights are not read again for each snapshot."""
    await deploy(founded, "echo", engine="echo")
    for _ in range(3):
        founded.board.now = await compile_snapshot(founded)
    assert len(founded.engines["echo"].planned) == 1


async def test_an_alias_leads_to_the_same_deployment(founded, host):
    """Under its own name the real one is told."""
    host.ready(await deploy(founded, "echo", engine="echo"))
    (row,) = await founded.store.read(deployment_rows.list_deployments)
    await founded.store.transact(lambda tx: deployment_rows.set_alias(tx, "latest", row.id))
    snapshot = await compile_snapshot(founded)
    assert snapshot.deployments["latest"] is snapshot.deployments["echo"]


async def provider(house, **settings):
    row = Provider("prv_1", "cloud", "paper", settings, 1)
    await house.store.transact(lambda tx: keep_provider(tx, row))
    return await deploy(house, "gpt", provider_id="prv_1", upstream_model="gpt-4.1")


async def test_a_provider_is_a_target_at_once(founded, monkeypatch):
    """Its secret is read where the declaration points."""
    monkeypatch.setenv("CLOUD_KEY", "s3cret")
    await provider(founded, url="https://api.example.org", api_key="env:CLOUD_KEY")
    (target,) = (await deployment(founded, "gpt")).targets
    assert (target.provider, target.upstream_model) == ("cloud", "gpt-4.1")
    assert target.endpoint.headers == ((b"authorization", b"Bearer s3cret"),)


async def test_a_missing_secret_is_named_and_not_shown(founded):
    """The deployment says which variable to set."""
    await provider(founded, url="https://api.example.org", api_key="env:PRIMEUR_TEST_NOT_SET")
    assert "PRIMEUR_TEST_NOT_SET, which is not set" in (await deployment(founded, "gpt")).pending


async def test_a_secret_in_clear_is_refused(founded):
    """And not repeated in the reason."""
    await provider(founded, url="https://api.example.org", api_key="s3cret")
    reason = (await deployment(founded, "gpt")).pending
    assert "write env:NAME or file:PATH" in reason
    assert "s3cret" not in reason


async def test_the_price_in_force_is_on_the_deployment(founded, clock):
    """An alias has it too."""
    await deploy(founded, "echo", engine="echo")
    price = Price("price_1", "EUR", 1, 2, 3)
    await founded.store.transact(lambda tx: add_price(tx, PriceRow("echo", price, clock.ms, clock.ms)))
    assert (await deployment(founded, "echo")).price == price


async def test_a_revoked_key_is_nobody(founded):
    """And one with limits passes through its gate and its project's."""
    (key,) = await founded.store.read(governance.list_keys)
    limited = dataclasses.replace(key, limits=Limits(rpm=3))
    await founded.store.transact(lambda tx: governance.change_key(tx, limited))
    caller = (await compile_snapshot(founded)).callers[key.digest]
    assert [(gate.scope, gate.limits.rpm) for gate in caller.gates] == [(f"key:{key.id}", 3)]
    await founded.store.transact(lambda tx: governance.change_key(tx, dataclasses.replace(limited, revoked_ms=1)))
    assert key.digest not in (await compile_snapshot(founded)).callers


async def test_the_operator_may_do_everything(founded):
    """Whoever can read the data folder holds its key."""
    digest = rules.digest_key(rules.operator_key(founded.place.pepper), founded.place.pepper)
    caller = (await compile_snapshot(founded)).callers[digest]
    assert caller.permissions == frozenset(rules.PERMISSIONS)


async def test_a_session_is_its_member(founded, clock):
    """With the member's role, until it ends."""
    (owner,) = await founded.store.read(list_members)
    session = Session(b"s" * 32, owner.id, clock.ms, clock.ms + 10)
    await founded.store.transact(lambda tx: add_session(tx, session))
    caller = (await compile_snapshot(founded)).sessions[b"s" * 32]
    assert (caller.member_id, caller.expires_ms) == (owner.id, clock.ms + 10)
    clock.ms += 10
    assert (await compile_snapshot(founded)).sessions == {}
