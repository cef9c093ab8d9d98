"""A node of a Ray cluster is lost in a step of a roll-out: every request is told its fate, and it goes on."""

import asyncio
import random
import time

import pytest
from tests.e2e.ray_cluster import running_cluster
from tests.e2e.roll_outs import POLICY, Crowd, deploy, move, newest, shares, wait_for

pytest.importorskip("ray", reason="needs the extra 'ray'")

pytestmark = [pytest.mark.e2e, pytest.mark.crash, pytest.mark.xdist_group("ray")]

STEPS = ("deploy", "canary", "step", "promote", "roll_back")
TOLD = {"completed", "broken off in words"}


async def test_a_node_is_lost_in_a_step_of_a_roll_out(house_of_its_own, seed):
    """Two revisions share two nodes, and one is lost at a random moment of a random step; the other serves them all."""
    dice, house = random.Random(seed), house_of_its_own
    fatal = dice.choice(STEPS)
    await asyncio.to_thread(house.start)
    for name in ("starter", "minilm"):
        await asyncio.to_thread(house.manage, "DELETE", f"/deployments/{name}")
    with running_cluster() as cluster:
        await asyncio.to_thread(house.deploy, "chat", engine="ray", settings=settings_of(cluster, token_ms=9))
        crowd = Crowd(house, house.make_key("clients"))
        load = asyncio.create_task(crowd.run())
        lost = await asyncio.to_thread(roll_out, house, cluster, dice, fatal)
        before = crowd.fates["completed"]
        while crowd.fates["completed"] < before + 20:
            await asyncio.sleep(0.1)
        crowd.stop.set()
        await load
    assert lost > 0, (seed, fatal)
    told = {fate for fate in crowd.fates if not fate.startswith("refused ")}
    assert told <= TOLD, (seed, fatal, crowd.fates)
    assert len(crowd.revisions) == 2, (seed, fatal, crowd.fates)


def settings_of(cluster, **echo):
    """Two replicas, one for each node; one node has room for all."""
    room = {"min_replicas": 2, "max_replicas": 2, "replica_cpus": 0.4}
    return cluster.settings | room | {"engine": "echo", "engine_settings": echo}


def roll_out(house, cluster, dice, fatal):
    """Through every step and back; gives how many replicas were lost with their nodes."""
    # Cut streams are told to callers and not to the judge, who would take it back before its last step.
    policy = POLICY | {"promote": "by_hand", "watch": ["cost"]}
    deploy(house, engine="ray", settings=settings_of(cluster, token_ms=10), roll_out=policy)
    lost = 0
    for step in STEPS:
        if step in {"promote", "roll_back"}:
            move(house, step)
        elif step != "deploy":
            wait_for(house, "canary")
            share = policy["steps"][step == "step"]
            house.wait_until(lambda share=share: newest(house)["share"] >= share, f"at {share} percent")
        if step == fatal:
            time.sleep(dice.uniform(0, 1))
            lost += cluster.lose_worker()
        assert sum(shares(house).values()) == 100
    wait_for(house, "rolled_back")
    assert shares(house)[newest(house)["baseline"]] == 100
    house.wait_until(lambda: house.manage("GET", "/deployments/chat")["state"] == "ready", "serving chat")
    return lost
