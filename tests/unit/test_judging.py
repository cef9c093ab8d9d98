"""The judge: what it holds against a canary, and what it waits for."""

import random

import pytest

from primeur.core.errors import BadRequest
from primeur.registry.judging import Observation, Stage, Trial, judge
from primeur.registry.roll_outs import (
    CANARY,
    PAUSED,
    PROMOTED,
    ROLL_OUT,
    ROLLED_BACK,
    RollOutPolicy,
    check_policy,
    check_shares,
    share_in,
)
from primeur.registry.sequential import TwoRates, least_failures

POLICY = RollOutPolicy(step_requests=50, step_s=10)


def observation(dice, *, failed=0.005, slower=1.0):
    return Observation(dice.random() < failed, round(200_000 * dice.lognormvariate(0, 0.5) * slower), 30_000.0, 1000)


def trial(seed, requests, policy=POLICY, **canary):
    """A trial of *requests* canary answers, one in four."""
    dice = random.Random(seed)
    made = Trial(policy, [observation(dice) for _ in range(300)])
    while made.seen[True] < requests:
        if dice.random() < 0.25:
            made.take(observation(dice, **canary), canary=True)
        else:
            made.take(observation(dice), canary=False)
    return made


@pytest.mark.parametrize("seed", range(5))
def test_equal_revisions_are_seldom_called_worse(seed):
    """Looked at after every block, the evidence stays below its limit: at most one run in twenty may pass it."""
    passed = 0
    for run in range(40):
        dice, rates = random.Random(f"{seed} {run}"), TwoRates()
        for _ in range(1500):
            rates.see(canary=dice.random() < 0.3, bad=dice.random() < 0.1)
        passed += rates.log_peak > 3.0  # e^3 is 20
    assert passed <= 6


def test_a_canary_that_fails_is_taken_back():
    """The reason names the metric and both rates."""
    verdict = judge(trial(1, 300, failed=0.1), Stage(0, 300, 60))
    assert verdict.answer == "roll_back"
    assert verdict.reason.startswith("errors: ")
    assert verdict.findings[0].e_value > verdict.findings[0].limit


def test_a_bad_beginning_that_does_not_go_on_holds_a_canary_for_a_while_only():
    """Evidence is told at its highest, and may take a canary back; the next step waits for what it is now."""
    dice = random.Random(1)
    made = Trial(POLICY, [observation(dice) for _ in range(300)])
    for _ in range(4):
        made.take(Observation(failed=True), canary=True)
        made.take(Observation(failed=False), canary=False)
    worst = made.findings()[0]
    assert worst.metric == "errors"
    assert worst.limit**0.5 < worst.e_value < worst.limit
    held = judge(made, Stage(0, 60, 60))
    assert (held.answer, held.reason[-49:]) == ("wait", "not enough evidence to go back, too much to go on")
    for number in range(1600):
        made.take(observation(dice), canary=number % 4 == 0)
    assert made.findings()[0].e_value == worst.e_value
    assert judge(made, Stage(0, 460, 60)).answer == "widen"


def test_a_slow_canary_is_taken_back():
    """Twenty percent more to the first token."""
    verdict = judge(trial(2, 2000, slower=1.2), Stage(0, 2000, 60))
    assert (verdict.answer, verdict.findings[0].metric) == ("roll_back", "first_token")


def test_what_is_within_the_tolerance_is_not_slower():
    """One percent."""
    assert judge(trial(3, 1000, slower=1.01), Stage(0, 1000, 60)).answer == "widen"


@pytest.mark.parametrize(
    ("stage", "answer", "words"),
    [
        (Stage(0, 49, 60), "wait", "49 of 50 answers"),
        (Stage(0, 50, 9), "wait", "9 of 10 s"),
        (Stage(0, 50, 10), "widen", "nothing is worse"),
        (Stage(2, 50, 10), "promote", "nothing is worse"),
    ],
)
def test_a_good_canary_goes_on_when_it_has_been_seen_enough(stage, answer, words):
    """Too little traffic is waited for."""
    verdict = judge(trial(4, 60), stage)
    assert verdict.answer == answer
    assert words in verdict.reason


def test_promotion_by_hand_is_waited_for():
    """The judge goes on judging meanwhile."""
    policy = RollOutPolicy(step_requests=50, step_s=0, promote="by_hand")
    assert judge(trial(5, 60, policy), Stage(2, 60, 1)).reason.endswith("promoted by hand")


def test_an_evaluation_counts():
    """Scores of the same items, lower by a third."""
    dice = random.Random(6)
    made = trial(6, 60)
    made.take_scores([dice.gauss(0.5, 0.1) for _ in range(400)], [dice.gauss(0.75, 0.1) for _ in range(400)])
    verdict = judge(made, Stage(0, 60, 60))
    assert (verdict.answer, verdict.findings[0].metric) == ("roll_back", "evaluation")
    assert "evaluation below" in verdict.reason


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        (RollOutPolicy(steps=()), "do not grow"),
        (RollOutPolicy(steps=(5, 5)), "do not grow"),
        (RollOutPolicy(watch=()), "watch names nothing"),
        (RollOutPolicy(watch=("errors", "errors")), "watch names nothing"),
        (RollOutPolicy(steps=(50,), step_requests=2), "cannot be met"),
    ],
)
def test_a_policy_that_cannot_be_met_is_refused(policy, words):
    """Before anything is deployed."""
    with pytest.raises(BadRequest, match=words):
        check_policy(policy)


def test_fewer_chances_of_error_need_more_evidence():
    """The figure that a policy is checked with."""
    assert least_failures(0.05) < least_failures(0.001) < 30


def test_the_share_follows_the_state():
    """And goes back to nothing."""
    assert [share_in(CANARY, step, POLICY) for step in range(3)] == [5, 25, 50]
    assert [share_in(state, 1, POLICY) for state in (PAUSED, PROMOTED, ROLLED_BACK, "registered")] == [25, 100, 0, 0]


def test_every_state_can_be_left_for_the_revision_before():
    """But the end itself."""
    assert {
        state for state in ROLL_OUT.states if (state, "roll_back") in ROLL_OUT.moves
    } == ROLL_OUT.states - ROLL_OUT.ends
    assert frozenset({ROLLED_BACK}) == ROLL_OUT.ends


@pytest.mark.parametrize("shares", [{1: 50}, {1: 120, 2: -20}, {}])
def test_shares_add_up(shares):
    """To all of the traffic."""
    with pytest.raises(BadRequest, match="add up to 100"):
        check_shares(shares)
