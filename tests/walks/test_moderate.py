"""Texts are judged by the guards that a caller may use, within the caller's limits."""

from dataclasses import replace

import pytest

from primeur.core.caller import Budget, Gate, Limits
from primeur.core.chat import Deployment
from primeur.core.errors import NotFound, OverLimit, UnknownModel
from primeur.trust.moderation import CATEGORIES
from primeur.trust.rules import GuardPolicy, GuardRule, compile_guard
from primeur.walks.house import Snapshot
from primeur.walks.log_refusal import Arrival
from primeur.walks.moderate import moderate

ANY = "omni-moderation-latest"
ARRIVAL = Arrival("req_1", "/v1/moderations", 5, 7, "192.0.2.1")


def guard(name, word, on="both"):
    return compile_guard(GuardPolicy(rules=[GuardRule(name=name, action="block", words=[word], on=on)]))


@pytest.fixture
def guarded(founded):
    """Two deployments with guards, one with a guard that looks for nothing, one without."""
    chat = Deployment("chat", "m", 0, (), guard=guard("hate_threatening", "wicked"))
    deployments = {
        "chat": chat,
        "alias": chat,
        "mail": Deployment("mail", "m", 0, (), guard=guard("swearing", "damn", "answer")),
        "short": Deployment("short", "m", 0, (), guard=compile_guard(GuardPolicy(characters_most=5))),
        "plain": Deployment("plain", "m", 0, ()),
    }
    founded.board.now = Snapshot(deployments=deployments)
    return founded


async def test_the_guard_of_one_deployment_judges(guarded, owner):
    """By its name or its alias; rules for answers too."""
    for model in ("chat", "alias"):
        wicked, other = await moderate(guarded, owner, ARRIVAL, model, ["how Wicked", "damn"])
        assert wicked.categories["hate/threatening"]
        assert (wicked.flagged, other.flagged) == (True, False)
        assert set(wicked.categories) == set(CATEGORIES)
    (sworn,) = await moderate(guarded, owner, ARRIVAL, "mail", ["damn"])
    assert (sworn.categories["swearing"], sworn.category_scores["swearing"]) == (True, 1.0)


async def test_every_guard_judges_under_openai_s_names(guarded, owner):
    """And no more than those that the caller may use."""
    (found,) = await moderate(guarded, owner, ARRIVAL, ANY, ["damn wicked"])
    assert {name for name, there in found.categories.items() if there} == {"hate/threatening", "swearing"}
    assert {name for name, kinds in found.category_applied_input_types.items() if kinds} == {
        "hate/threatening",
        "swearing",
    }
    fewer = replace(owner, deployments=frozenset({"mail"}))
    (found,) = await moderate(guarded, fewer, ARRIVAL, ANY, ["wicked"])
    assert not found.flagged
    with pytest.raises(UnknownModel):
        await moderate(guarded, fewer, ARRIVAL, "chat", ["wicked"])


@pytest.mark.parametrize("model", ["plain", "short"])
async def test_who_has_no_rule_does_not_judge(guarded, owner, model):
    """An empty verdict would read as harmless."""
    with pytest.raises(NotFound) as caught:
        await moderate(guarded, owner, ARRIVAL, model, ["x"])
    assert caught.value.code == "no_guard_configured"


@pytest.mark.parametrize("model", [ANY, "anything"])
async def test_a_house_without_guards_says_so(founded, owner, model):
    """Whatever the model is called."""
    with pytest.raises(NotFound) as caught:
        await moderate(founded, owner, ARRIVAL, model, ["x"])
    assert caught.value.code == "no_guard_configured"


async def test_a_call_is_one_request(guarded, owner):
    """Of the limits; budgets are not asked, for it costs nothing."""
    budget = Budget("b", "EUR", 1, "month")
    caller = replace(owner, gates=(Gate("key:m", Limits(rpd=2, concurrency=1), (budget,)),))
    for _ in range(2):
        await moderate(guarded, caller, ARRIVAL, ANY, ["x", "y"])
    with pytest.raises(OverLimit):
        await moderate(guarded, caller, ARRIVAL, ANY, ["x"])


async def test_a_call_is_in_the_request_log(guarded, owner):
    """Once, at no cost and of no tokens; under the deployment whose guard judged, where one was named."""
    for model in ("alias", ANY):
        await moderate(guarded, owner, ARRIVAL, model, ["wicked"])
    named, every = guarded.journal.events
    assert (named.id, named.route, named.deployment, named.outcome) == ("req_1", "moderations", "chat", "completed")
    assert (named.cost_nanos, named.usage.total_tokens, named.revision_id, named.key_id) == (0, 0, "", owner.key_id)
    assert not every.deployment
