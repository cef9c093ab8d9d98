"""Usage, prices and the request log on both databases."""

import pytest
from sqlalchemy import text

from primeur.core.errors import BadRequest
from primeur.core.price import Price
from primeur.core.usage import Usage, UsageEvent
from primeur.metering import rows
from primeur.metering.log_rows import Search, find_request, search_requests
from primeur.metering.revision_rows import SAMPLES_MOST, newest_answers, read_metrics
from primeur.metering.series_rows import Wait, read_series
from primeur.metering.usage_rows import DAY_MS, sum_usage
from primeur.registry.deployment_rows import DeploymentRow, Revision, add_revision, keep_deployment
from primeur.store.usage_sums import HOUR_MS


def event(number: int, **changes) -> UsageEvent:
    made = {
        "id": f"req_{number:04d}", "at_ms": number * 1000, "route": "chat", "outcome": "completed", "status": 200,
        "project_id": "prj_1", "key_id": "key_1", "deployment": "starter", "revision_id": "rev_1",
        "usage": Usage(input_tokens=10, cached_tokens=2, output_tokens=5), "cost_nanos": 7, "currency": "EUR",
    }  # fmt: skip
    return UsageEvent(**made | changes)


def test_reading_a_journal_twice_counts_nothing_twice(store):
    """Events known by their id are left as they are, within one batch too."""
    batch = [event(1), event(2), event(2)]
    assert store.transact_now(lambda tx: rows.keep_usage(tx, batch, rows.Cursor("main", 1, 90))) == batch[:2]
    assert store.transact_now(lambda tx: rows.keep_usage(tx, [*batch, event(3)], rows.Cursor("main", 1, 120))) == [
        event(3)
    ]
    assert store.read_now(lambda tx: rows.find_cursor(tx, "main")) == rows.Cursor("main", 1, 120)
    found, _ = store.read_now(lambda tx: search_requests(tx, Search()))
    assert [one.id for one in found] == ["req_0003", "req_0002", "req_0001"]


def test_rows_and_cursor_are_kept_together_or_not_at_all(store):
    """A batch that breaks off leaves the journal unread."""

    def broken(tx):
        rows.keep_usage(tx, [event(1)], rows.Cursor("main", 1, 90))
        raise KeyError

    with pytest.raises(KeyError):
        store.transact_now(broken)
    assert store.read_now(lambda tx: rows.find_cursor(tx, "main")) == rows.Cursor("main", 0, 0)
    assert store.read_now(lambda tx: find_request(tx, "req_0001")) is None


def test_a_request_comes_back_as_it_was(store):
    """Every field of the event, unknown costs included."""
    one = event(1, cost_nanos=None, currency=None, error_message="50% of_it", first_token_us=3, prompt="Bonjour é")
    store.transact_now(lambda tx: rows.keep_usage(tx, [one]))
    assert store.read_now(lambda tx: find_request(tx, one.id)) == one
    assert store.read_now(lambda tx: find_request(tx, one.id, "prj_2")) is None


def test_many_events_go_in_at_once(store):
    """More than one page of them."""
    events = [event(number) for number in range(1203)]
    assert store.transact_now(lambda tx: len(rows.keep_usage(tx, events))) == 1203


def test_the_log_is_read_page_by_page(store):
    """Each request once, newest first, also when many share a millisecond."""
    events = [event(number, at_ms=number // 4) for number in range(23)]
    store.transact_now(lambda tx: rows.keep_usage(tx, events))
    seen, cursor = [], None
    for _ in range(6):
        search = Search(before=cursor, limit=5)
        page, cursor = store.read_now(lambda tx, search=search: search_requests(tx, search))
        seen += [one.id for one in page]
        if cursor is None:
            break
    assert seen == [one.id for one in reversed(events)]


@pytest.mark.parametrize(
    ("search", "found"),
    [
        (Search(text="0_o"), ["req_0002"]),
        (Search(text="OVER"), ["req_0002"]),
        (Search(text="%"), []),
        (Search(status=429), ["req_0002"]),
        (Search(outcome="completed", deployment="starter"), ["req_0001"]),
        (Search(key_id="key_2"), ["req_0003"]),
        (Search(from_ms=2000, to_ms=3000), ["req_0002"]),
        (Search(project_id="prj_2"), []),
    ],
)
def test_the_log_is_searched(store, search, found):
    """By text (taken literally) and by each field."""
    events = [
        event(1),
        event(2, status=429, outcome="refused", error_message="over 10_or more"),
        event(3, key_id="key_2", deployment="other"),
    ]
    store.transact_now(lambda tx: rows.keep_usage(tx, events))
    assert [one.id for one in store.read_now(lambda tx: search_requests(tx, search))[0]] == found


@pytest.mark.parametrize("search", [Search(before="x"), Search(before="12"), Search(limit=0), Search(limit=501)])
def test_a_foreign_cursor_is_refused(store, search):
    """And so is a page without end."""
    with pytest.raises(BadRequest):
        store.read_now(lambda tx: search_requests(tx, search))


def test_usage_is_summed_by_deployment(store):
    """Costs by currency; what has no price is counted as unknown and not as zero."""
    events = [
        event(1),
        event(2, cost_nanos=3, currency="USD"),
        event(3, cost_nanos=None, currency=None),
        event(4, outcome="refused", usage=Usage(), cost_nanos=None, currency=None),
        event(5, deployment="other"),
    ]
    store.transact_now(lambda tx: rows.keep_usage(tx, events))
    first, second = store.read_now(lambda tx: sum_usage(tx, "deployment", from_ms=0, to_ms=10**6))
    assert (first.name, first.requests, first.failed, first.unpriced) == ("starter", 4, 1, 1)
    assert (first.input_tokens, first.cached_tokens, first.output_tokens) == (30, 6, 15)
    assert first.costs == {"EUR": 7, "USD": 3}
    assert second.name == "other"


@pytest.mark.parametrize("by", ["key", "project", "model", "deployment"])
def test_usage_is_summed_by_each_name(store, by):
    """Names that are gone are shown by what the request remembers."""
    store.transact_now(lambda tx: rows.keep_usage(tx, [event(1), event(2)]))
    (line,) = store.read_now(lambda tx: sum_usage(tx, by, from_ms=0, to_ms=10**6, project_id="prj_1"))
    assert (line.requests, line.costs) == (2, {"EUR": 14})


def test_usage_is_summed_by_day(store):
    """In UTC, in order, the end of the time span not included."""
    events = [event(n, at_ms=at) for n, at in enumerate((DAY_MS - 1, DAY_MS, 2 * DAY_MS - 1, 2 * DAY_MS))]
    store.transact_now(lambda tx: rows.keep_usage(tx, events))
    lines = store.read_now(lambda tx: sum_usage(tx, "day", from_ms=0, to_ms=2 * DAY_MS))
    assert [(line.name, line.requests) for line in lines] == [("0", 1), (str(DAY_MS), 2)]


def test_the_price_in_force_is_the_newest_that_has_begun(store):
    """Later ones wait for their moment."""

    def price(number: int, from_ms: int) -> rows.PriceRow:
        return rows.PriceRow("starter", Price(f"price_{number}", "EUR", number, 0, 0), from_ms, 1)

    for row in (price(1, 10), price(2, 20), price(3, 30)):
        store.transact_now(lambda tx, row=row: rows.add_price(tx, row))
    assert store.read_now(lambda tx: rows.prices_in_force(tx, 9)) == {}
    assert store.read_now(lambda tx: rows.prices_in_force(tx, 20))["starter"].id == "price_2"
    assert len(store.read_now(lambda tx: rows.list_prices(tx, "starter"))) == 3


def test_usage_over_time_has_the_busiest_groups_and_how_long_callers_waited(store):
    """Steps begin at multiples of their length; an unpriced request makes its step's cost unknown."""
    events = [event(n, at_ms=n * 10_000, duration_us=n * 100, first_token_us=n * 10) for n in range(1, 13)]
    events += [event(20, at_ms=70_000, deployment="other", cost_nanos=None, currency=None)]
    store.transact_now(lambda tx: rows.keep_usage(tx, events))
    found = store.read_now(lambda tx: read_series(tx, "deployment", span=(0, 180_000), step_ms=60_000))
    assert list(found.labels) == ["starter", "other"]
    assert {at: (one.requests, one.tokens, one.cost_nanos) for at, one in found.steps["starter"].items()} == {
        0: (5, 75, 35), 60_000: (6, 90, 42), 120_000: (1, 15, 7),
    }  # fmt: skip
    assert found.steps["other"][60_000].cost_nanos is None
    assert found.waits[0] == Wait(30, 50, 300, 500)


def test_two_currencies_in_one_step_have_no_common_cost(store):
    """Euros and dollars are not added."""
    store.transact_now(lambda tx: rows.keep_usage(tx, [event(1), event(2, currency="USD"), event(3, outcome="failed")]))
    found = store.read_now(lambda tx: read_series(tx, "key", span=(0, 60_000), step_ms=60_000, project_id="prj_1"))
    (step,) = found.steps["key_1"].values()
    assert (step.cost_nanos, step.currencies, step.failed) == (None, {"EUR", "USD"}, 1)


def _two_revisions(tx):
    keep_deployment(tx, DeploymentRow("dep_1", "starter", 1))
    for number in (1, 2):
        add_revision(tx, Revision(f"rev_{number}", "dep_1", number, {}, 1, 1, engine="echo"))


def test_each_revision_has_its_percentiles_errors_and_cost(store):
    """Hours from their sums and single requests agree; another deployment, project or span is not in it."""
    streams = [
        event(n, at_ms=HOUR_MS + n, streamed=True, first_token_us=n * 10, duration_us=n * 14, revision_id="rev_2")
        for n in range(1, 101)
    ]
    others = [
        event(200, at_ms=HOUR_MS * 2 + 1, outcome="failed", cost_nanos=None, currency=None, revision_id="rev_2"),
        event(201, at_ms=HOUR_MS * 2 + 2, currency="USD", revision_id="rev_2", first_token_us=100_000),
        event(202, at_ms=HOUR_MS * 2 + 3, revision_id="rev_1", usage=Usage(input_tokens=10, output_tokens=1)),
        event(203, at_ms=HOUR_MS + 3, deployment="other", revision_id="rev_3"),
        event(204, at_ms=HOUR_MS * 3, revision_id="rev_2"),
        event(205, at_ms=HOUR_MS + 4, project_id="prj_2", revision_id="rev_1"),
    ]
    store.transact_now(_two_revisions)
    store.transact_now(lambda tx: rows.keep_usage(tx, [*streams, *others]))
    span = (HOUR_MS, HOUR_MS * 3)
    new, old = store.read_now(lambda tx: read_metrics(tx, "starter", span=span, project_id="prj_1"))
    assert (new.revision_id, new.number, new.requests, new.failed, new.unpriced) == ("rev_2", 2, 102, 1, 1)
    assert (new.costs, new.output_tokens, new.sampled) == ({"EUR": 700, "USD": 7}, 510, 101)
    assert (new.first_us, new.between_us) == ((510, 960), (50, 95))
    assert (old.number, old.requests, old.sampled, old.first_us, old.between_us) == (1, 1, 1, None, None)
    both = store.read_now(lambda tx: read_metrics(tx, "starter", span=span))
    assert [one.requests for one in both] == [102, 2]


def test_percentiles_of_a_revision_are_of_its_newest_answers(store):
    """However many there are, so many are looked at."""
    events = [event(n, first_token_us=9 if n < 500 else 1) for n in range(SAMPLES_MOST + 500)]
    store.transact_now(_two_revisions)
    store.transact_now(lambda tx: rows.keep_usage(tx, events))
    (one,) = store.read_now(lambda tx: read_metrics(tx, "starter", span=(0, HOUR_MS)))
    assert (one.requests, one.sampled, one.first_us) == (SAMPLES_MOST + 500, SAMPLES_MOST, (1, 1))


def test_a_revision_that_answered_rarely_is_found_without_reading_the_others(store):
    """By an index that has its answers in the order in which they are wanted: nothing is sorted."""
    query = newest_answers("rev_1", (0, HOUR_MS)).limit(SAMPLES_MOST)

    def plan(tx):
        if tx.dialect.name != "sqlite":
            pytest.skip("PostgreSQL chooses by what is in the table, and there is nothing in it")
        told = query.compile(tx, compile_kwargs={"literal_binds": True})
        return [row.detail for row in tx.execute(text(f"EXPLAIN QUERY PLAN {told}"))]

    (step,) = store.read_now(plan)
    assert "USING INDEX ix_requests_revision_at (revision_id=? AND outcome=? AND at_ms>? AND at_ms<?)" in step
