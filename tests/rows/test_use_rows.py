"""What was used of commitments, from the requests that their providers served; on both databases."""

from functools import partial

import pytest

from primeur.broker.arrangements import Arrangements
from primeur.broker.book_rows import add_book, keep_lines, load_book
from primeur.broker.papers import Commitment, CommitmentState
from primeur.broker.register import Kind, Line
from primeur.broker.source_rows import add_sheet, keep_source
from primeur.broker.supply import Product, Sheet, Source
from primeur.broker.terms import Terms
from primeur.broker.use_rows import read_use
from primeur.core.usage import Usage, UsageEvent
from primeur.metering.rows import keep_usage

DAY_MS = 86_400_000
FIRST = 20_000 * DAY_MS


def agreed(name, *, units=1, begins=FIRST, days=1, provider="partner", **terms):
    """A commitment in force: a unit is a token a minute by the sheet below."""
    what = Terms(units, 1, begins, days * DAY_MS, **({"sku": "gpu"} | terms))
    return Commitment(name, "req", provider, what, state=CommitmentState.ACTIVE)


@pytest.fixture
def house(store):
    """A database with a partner whose sheet tells what a unit does."""
    add(store, 1, 0)
    store.transact_now(lambda tx: add_book(tx, "book", "first", Arrangements(), 0))
    return store


def add(house, unit, from_ms):
    sheet = Sheet((Product("gpu", unit_tokens_per_minute=unit),))
    house.transact_now(lambda tx: add_sheet(tx, "partner", sheet, from_ms, 1))


def keep(house, *commitments):
    lines = [Line(one.id, Kind.COMMITMENT, one.request, one.state, None, one) for one in commitments]
    house.transact_now(lambda tx: keep_lines(tx, load_book(tx, "book"), lines, FIRST))


def serve(house, at_ms, tokens, provider="partner", deployment="chat"):
    event = UsageEvent(
        id=f"req_{at_ms}{provider}", at_ms=at_ms, route="chat", outcome="completed", status=200, project_id="prj",
        key_id="key", deployment=deployment, provider=provider, usage=Usage(tokens - 1, 0, 1),
    )  # fmt: skip
    house.transact_now(lambda tx: keep_usage(tx, [event]))


def used(house, *commitments, now_ms=FIRST + 10 * DAY_MS):
    found = house.read_now(lambda tx: read_use(tx, commitments, now_ms))
    return {name: (use.tokens, use.of_tokens) for name, use in found.items()}


def test_only_what_its_provider_served_within_its_term_counts(house):
    """The term's first moment is in it and its end is not; hours and days from sums agree with single requests."""
    one = agreed("one", days=2)
    keep(house, one)
    serve(house, FIRST - 1, 100)
    serve(house, FIRST, 3)
    serve(house, FIRST + DAY_MS + 5, 4)
    serve(house, FIRST + DAY_MS + 5, 100, provider="other")
    serve(house, FIRST + 2 * DAY_MS, 100)
    assert used(house, one) == {"one": (7, 2880)}
    assert used(house, one, now_ms=FIRST + 1) == {"one": (3, 2880)}


def test_what_ends_first_is_drawn_from_first_and_the_next_takes_the_rest(house):
    """Whether one of them is asked for or both."""
    short, long = agreed("short"), agreed("long", days=3)
    keep(house, long, short)
    serve(house, FIRST + 1, 1500)
    serve(house, FIRST + 2 * DAY_MS, 10)
    assert used(house, short, long) == {"short": (1440, 1440), "long": (70, 4320)}
    assert used(house, long) == {"long": (70, 4320)}


def test_a_class_names_a_deployment_and_a_product_those_served_from_it(house):
    """A deployment that has its source elsewhere uses nothing of the product."""
    named, product = agreed("named", workload_class="chat"), agreed("product")
    for deployment, sku in (("images", "gpu"), ("speech", "cpu")):
        source = Source(deployment, "partner", sku=sku)
        house.transact_now(partial(keep_source, source=source, source_id=f"src_{deployment}", now_ms=1))
    keep(house, named, product)
    for number, deployment in enumerate(("chat", "images", "speech"), 1):
        serve(house, FIRST + number, 10 * number, deployment=deployment)
    assert used(house, named, product) == {"named": (10, 1440), "product": (20, 1440)}


def test_the_sheet_in_force_at_its_beginning_says_what_a_unit_does(house):
    """A later sheet changes nothing about it; of an unknown product tokens are counted without an end."""
    add(house, 5, FIRST + 1)
    before, after, unknown = agreed("before"), agreed("after", begins=FIRST + DAY_MS), agreed("unknown", sku="tpu")
    keep(house, before, after, unknown)
    serve(house, FIRST + 1, 1445)
    assert used(house, before, after, unknown) == {"before": (1440, 1440), "after": (0, 7200), "unknown": (5, None)}
