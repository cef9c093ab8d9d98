"""Usage by hour and by day: whatever span is asked for, the sums are those of the requests in it."""

import random

import pytest
from sqlalchemy import func, select

from primeur.core.usage import Usage, UsageEvent
from primeur.metering.rows import keep_usage
from primeur.store.schema.metering import SUMS
from primeur.store.usage_sums import DAY_MS, HOUR_MS, used, used_step_by_step

FIRST = 20_000 * DAY_MS


def events(dice: random.Random) -> list[UsageEvent]:
    """A few days of requests of all kinds."""
    made = []
    for number in range(300):
        cost, currency = dice.choice([(None, None), (7, "EUR"), (9, "USD"), (0, "EUR")])
        usage = Usage(*(dice.randint(0, 9) for _ in range(4)))
        outcome = dice.choice(["completed", "cancelled", "failed", "refused"])
        if outcome == "refused":
            usage, cost, currency = Usage(), None, None
        made.append(
            UsageEvent(
                id=f"req_{number}", at_ms=FIRST + dice.randrange(4 * DAY_MS), route="chat", outcome=outcome, status=200,
                project_id=dice.choice("ab"), key_id=dice.choice("kl"), deployment=dice.choice("mn"), usage=usage,
                cost_nanos=cost, currency=currency, images=dice.randint(0, 2), duration_us=dice.randint(0, 5),
            )
        )  # fmt: skip
    return made


def moment(dice: random.Random) -> int:
    """A moment within the four days, as often as not a whole hour."""
    return dice.choice([dice.randrange(96) * HOUR_MS, dice.randrange(4 * DAY_MS)])


def summed(store, source) -> dict[str, int]:
    query = select(*(func.coalesce(func.sum(source.c[name]), 0) for name in SUMS))
    return dict(zip(SUMS, map(int, store.read_now(lambda tx: tx.execute(query).one())), strict=True))


def expected(made: list[UsageEvent]) -> dict[str, int]:
    unpriced = [one for one in made if one.cost_nanos is None and one.usage.total_tokens]
    names = ("input_tokens", "output_tokens", "reasoning_tokens")
    return {
        "requests": len(made),
        "failed": sum(one.outcome == "failed" for one in made),
        "refused": sum(one.outcome == "refused" for one in made),
        **{name: sum(getattr(one.usage, name) for one in made) for name in names},
        "images": sum(one.images for one in made),
        "duration_us": sum(one.duration_us for one in made),
        "cached_tokens": sum(min(one.usage.cached_tokens, one.usage.input_tokens) for one in made),
        "cost_nanos": sum(one.cost_nanos or 0 for one in made),
        "unpriced": len(unpriced),
        "unpriced_tokens": sum(one.usage.total_tokens for one in unpriced),
    }


@pytest.mark.parametrize("seed", [1, 2])
def test_sums_are_those_of_the_requests_whatever_the_span_and_the_order(store, seed):
    """In batches of any size, in any order, with some told twice; spans of any length, of one project or of all."""
    dice = random.Random(seed)
    made = events(dice)
    told = [*made, *made[:50]]
    dice.shuffle(told)
    while told:
        batch, told = told[: (size := dice.randint(1, 90))], told[size:]
        store.transact_now(lambda tx, batch=batch: keep_usage(tx, batch))
    for _ in range(25):
        begin, end = sorted(FIRST + moment(dice) for _ in "ab")
        wanted = dice.choice([None, ["a"], ["a", "b"]])
        within = [one for one in made if begin <= one.at_ms < end and one.project_id in (wanted or "ab")]
        assert summed(store, used(begin, end, wanted)) == expected(within)
        for step_ms in (60_000, HOUR_MS, 6 * HOUR_MS, DAY_MS):
            assert summed(store, used_step_by_step((begin, end), step_ms, wanted)) == expected(within)
