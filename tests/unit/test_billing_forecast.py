"""Forecasts: right where the pattern is known, and as sure as they say."""

import csv
import gzip
import random
from pathlib import Path

import pytest

from primeur.billing.rules.alerts import BudgetStanding, reached
from primeur.billing.rules.forecast import forecast

TRACES = Path(__file__).parents[3] / "shared" / "traces"


def test_a_weekly_pattern_without_noise_is_forecast_exactly():
    """The month so far, and the coming days by their weekday."""
    week = [100, 100, 100, 100, 100, 10, 10]
    found = forecast(week * 4, so_far=280, ahead=9)
    assert (found.expected, found.low, found.high) == (280 + 520 + 200, 1000, 1000)


def test_with_little_known_there_is_no_interval():
    """Two days say nothing of how sure one can be; none say nothing at all."""
    assert forecast([5, 7], 12, 10).low is None
    assert forecast([], 3, 10).expected == 3
    assert forecast([5], 5, 0).high == 5


def _coverage(draw, dice, rounds=400, past=56, ahead=20):
    hits = 0
    for _ in range(rounds):
        series = draw(dice, past + ahead)
        found = forecast(series[:past], 0, ahead)
        hits += found.low <= sum(series[past:]) <= found.high
    return hits / rounds


def _plain(dice, count):
    return [max(0, round(1000 + 300 * (at % 7 < 5) + dice.gauss(0, 80))) for at in range(count)]


def _alike(dice, count):
    values, error = [], 0.0
    for at in range(count):
        error = 0.5 * error + dice.gauss(0, 80)
        values.append(max(0, round(1000 + 300 * (at % 7 < 5) + error)))
    return values


@pytest.mark.parametrize("draw", [_plain, _alike])
def test_eight_of_ten_periods_end_within_the_interval(draw):
    """Whether errors are independent or like their neighbours."""
    assert 0.72 <= _coverage(draw, random.Random(7)) <= 0.9


def test_a_real_trace_stays_within_the_interval_about_as_often_as_said():
    """Hours of ten days of real demand, from several beginnings."""
    path = TRACES / "servegen_m-small_windows.csv.gz"
    if not path.is_file():
        pytest.skip("the shared traces are not beside this checkout")
    hours: dict[int, float] = {}
    with gzip.open(path, "rt") as file:
        for row in csv.DictReader(file):
            hour = int(row["window_start_s"]) // 3600
            hours[hour] = hours.get(hour, 0.0) + float(row["rate_rps"]) * 600
    series = [round(hours.get(hour, 0.0)) for hour in range(min(hours), max(hours))]
    hits = total = 0
    for start in range(72, len(series) - 24, 5):
        found = forecast(series[:start], 0, 24, season=24)
        hits += found.low <= sum(series[start : start + 24]) <= found.high
        total += 1
    assert total > 20
    assert hits / total >= 0.6, f"{hits} of {total}"


def test_each_threshold_is_told_once_in_a_period():
    """Soft, then hard, then nothing until the next period."""
    standing = BudgetStanding("bud_1", "project:p", "team", "EUR", 0, 90, soft_nanos=80, hard_nanos=100)
    (soft,) = reached(standing, set())
    assert (soft.threshold, soft.limit_nanos) == ("soft", 80)
    assert reached(standing, {soft.key}) == []
    over = BudgetStanding("bud_1", "project:p", "team", "EUR", 0, 100, soft_nanos=80, hard_nanos=100)
    assert [one.threshold for one in reached(over, {soft.key})] == ["hard"]
    assert len(reached(BudgetStanding("bud_1", "project:p", "team", "EUR", 1, 100, 80, 100), {soft.key})) == 2
