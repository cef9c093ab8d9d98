"""Benchmarks run: each with a handful of calls, and no time asserted."""

import asyncio
import os
import threading
import uuid

import pytest
from bench import audit, ledger, limits
from bench.broker import candidates
from bench.gateway.evenness import find_phases, look


def test_limits_are_measured_in_a_house_as_the_product_makes_it():
    """Every step is gone through, admission among them."""
    costs = limits.measure_costs(keys=4, calls=8)
    assert {"key check", "admission: key, five limits, budget hold"} < set(costs)


@pytest.mark.parametrize(("kind", "most"), [("requests", limits.LIMIT), ("money", 1250)])
def test_one_process_asks_of_the_shared_limits(kind, most):
    """Alone it is let in as often as the limit says."""
    url = os.environ.get("PRIMEUR_TEST_VALKEY")
    if not url:
        pytest.skip("PRIMEUR_TEST_VALKEY is not set; run tests/services/with_services.sh")
    limits.meet(threading.Barrier(1))
    admitted, spent, _ = asyncio.run(limits.one_process(0, url, f"{{test-{uuid.uuid4().hex}}}", kind))
    assert 0 < admitted <= most
    assert kind == "requests" or spent <= limits.BUDGET_NANOS
    assert kind == "money" or admitted == limits.LIMIT


def test_the_log_is_verified_and_each_hurt_named(capsys):
    """The entry that was hurt, or the first behind it."""
    audit.measure(20)
    said = capsys.readouterr().out.splitlines()
    assert said[1].startswith("verified 20 entries")
    assert said[1].endswith(": []")
    assert [line.split(":")[0].split(" ", 2)[2] for line in said[2:]] == list(audit._HURTS)
    assert all(line.split(": ")[1][:2] in {"10", "11"} for line in said[2:])


def test_the_journal_is_measured(tmp_path):
    """What the journal takes."""
    assert asyncio.run(ledger.measure_journal(tmp_path / "journal", 20))


def test_there_are_candidates_to_decide_between():
    """As many as the figure says."""
    assert len(candidates(1.0, 1.0)) == 32


def test_slow_moments_that_lie_close_together_are_one_phase():
    """Two phases of 15 and 30 ms; a moment by itself is none."""
    slow = [1.0, 1.010, 1.015, 2.0, 3.000, 3.015, 3.030]
    assert find_phases(slow) == [15, 30]
    assert 0 <= look(0.02).slow_share <= 1
