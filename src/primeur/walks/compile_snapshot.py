"""Compile everything the hot path reads: rows of one transaction, joined with how the engines are doing."""

import asyncio

from primeur.core.chat import Deployment
from primeur.walks.compile_callers import compile_callers, compile_sessions, with_masks
from primeur.walks.compile_placing import with_placing
from primeur.walks.compile_plans import entitle
from primeur.walks.compile_prices import with_prices
from primeur.walks.house import House, Snapshot
from primeur.walks.join_deployment import Joiner, Wanted
from primeur.walks.read_facts import Facts, read_facts


async def compile_snapshot(house: House) -> Snapshot:
    """Give the snapshot of this moment; nothing that is wrong with one revision keeps the others from serving."""
    now_ms = house.clock.now_ms()
    facts = await house.store.read(lambda tx: read_facts(tx, house, now_ms))
    # Planning reads the heads of weights from disk, which must not stop the event loop.
    return await asyncio.to_thread(_compile, house, facts)


def _compile(house: House, facts: Facts) -> Snapshot:
    names = {one.id: one.name for one in facts.deployments}
    aliases = {alias: names[target] for alias, target in facts.aliases.items()}
    wanted = Wanted()
    deployments: dict[str, Deployment] = {}
    for row in facts.deployments:
        joined = Joiner(house, facts, row, wanted).deployment()
        deployments[row.name] = with_placing(house, joined, facts.supply, facts.providers.values())
    deployments |= {alias: deployments[name] for alias, name in aliases.items()}
    callers = with_prices(compile_callers(facts.people, house.place.pepper, aliases, facts.gates), facts.negotiated)
    sessions = with_prices(compile_sessions(facts.people, facts.gates), facts.negotiated)
    return Snapshot(
        sequence=facts.sequence,
        callers=entitle(with_masks(callers, facts.policies), facts.plans, aliases),
        sessions=entitle(with_masks(sessions, facts.policies), facts.plans, aliases),
        deployments=deployments,
        launches=wanted.launches,
        plans=wanted.plans,
        holdings=wanted.holdings,
        scaled=tuple(wanted.scaled),
    )
