"""What an entry must be, and who gets what of a profit."""

import csv
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from primeur.core.errors import BadRequest
from primeur.ledger.rules.entries import Account, Entry, account_name, chained, check_entry, reversal, settlement
from primeur.ledger.rules.tiers import read_cents, read_share, read_tiers
from primeur.ledger.rules.waterfall import Tier, Waterfall, distribute
from primeur.walks.distribute_profit import distribute_profit, rows_of, write_csv

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "docs" / "examples" / "tiers.toml"
GOLDEN = ROOT / ".." / "shared" / "golden" / "waterfall.csv"
GOOD = {
    "currency": "EUR",
    "parties": ["a", "b", "c"],
    "caps": {"a": {"most": "50.00", "then": "c"}},
    "tiers": [{"shares": {"a": "75%", "b": "1/4"}, "until": {"party": "a", "has": "10"}}, {"shares": {"b": "1"}}],
}


@st.composite
def waterfalls(draw) -> Waterfall:
    """Two tiers over three parties, with caps, in cents so few that rounding shows."""

    def shares():
        weights = draw(st.lists(st.integers(0, 9), min_size=3, max_size=3).filter(any))
        return {party: Fraction(weight, sum(weights)) for party, weight in zip("abc", weights, strict=True)}

    first = shares()
    party = draw(st.sampled_from([one for one in "abc" if first[one]]))
    caps = {one: draw(st.integers(20, 300)) for one in draw(st.sets(st.sampled_from("ab")))}
    until = (party, draw(st.integers(1, 20)))
    minimum = draw(st.integers(0, 5))
    return Waterfall("abc", [Tier(first, until), Tier(shares())], caps, dict.fromkeys(caps, "c"), minimum=minimum)


profits = st.lists(st.integers(-200, 400), min_size=1, max_size=12)


@given(waterfalls(), profits)
def test_payments_add_up_never_fall_and_never_pass_a_cap(waterfall, amounts):
    """Whatever the tiers and the years."""
    got = dict.fromkeys("abc", 0)
    for each in distribute(waterfall, [("y", amount) for amount in amounts]):
        assert sum(each.paid.values()) == each.distributed >= 0
        for party, cents in each.paid.items():
            assert cents >= 0
            got[party] += cents
        assert all(got[party] <= cap for party, cap in waterfall.caps.items())
        assert sum(got.values()) == each.cumulative


@given(waterfalls(), st.lists(st.integers(0, 300), min_size=1, max_size=12))
def test_one_payment_is_any_split_of_it(waterfall, amounts):
    """What was distributed so far decides, not in how many pieces."""
    payments = distribute(waterfall, [("y", amount) for amount in amounts])
    got = {party: sum(each.paid[party] for each in payments) for party in "abc"}
    assert got == waterfall.in_cents(payments[-1].cumulative)


@given(waterfalls(), st.integers(0, 10**30))
def test_entitlements_are_exact(waterfall, total):
    """They sum to what was distributed, to the last fraction."""
    assert sum(waterfall.entitled(Fraction(total)).values()) == total


def test_the_ten_years_worked_by_hand_come_out_to_the_cent():
    """Recoupment, split, caps, and losses carried forward."""
    if not GOLDEN.is_file():
        pytest.skip("the golden case is not here")
    assert write_csv(rows_of(distribute_profit(EXAMPLE, GOLDEN))) == GOLDEN.read_text()


def test_the_example_is_distributed():
    """As the documentation shows it: the recoupment ends within the fifth year."""
    rows = rows_of(distribute_profit(EXAMPLE, EXAMPLE.with_name("profits.csv")))
    assert rows[4]["to_investor"] == "6746666666.67"
    assert list(csv.DictReader(write_csv(rows).splitlines())) == rows


def test_what_is_too_small_waits_and_losses_may_be_forgotten():
    """Two switches of the document."""
    small = read_tiers("t", GOOD | {"minimum_distribution": "5.00"})[1]
    assert [one.distributed for one in distribute(small, [("1", 300), ("2", 100), ("3", 100)])] == [0, 0, 500]
    forgetful = read_tiers("t", GOOD | {"carry_losses": False})[1]
    assert [one.distributed for one in distribute(forgetful, [("1", -300), ("2", 100)])] == [0, 100]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"extra": 1}, "extra"),
        ({"parties": ["a", "a", "b", "c"]}, "twice"),
        ({"parties": ["a", "b"]}, "not among"),
        ({"tiers": [{"shares": {"a": "50%"}}]}, "sum to 1/2"),
        ({"tiers": [GOOD["tiers"][0]]}, "must not end"),
        ({"tiers": [{"shares": {"a": "1"}}, {"shares": {"b": "1"}}]}, "never ends"),
        ({"caps": {"a": {"most": "5", "then": "c"}}}, "never ends"),
        ({"caps": {"a": {"most": "50", "then": "b"}, "b": {"most": "1", "then": "a"}}}, "circle"),
        ({"caps": {"a": {"most": "5.001", "then": "c"}}}, "finer"),
        ({"minimum_distribution": "-1"}, "zero or more"),
    ],
)
def test_tiers_that_cannot_be_are_refused(change, words):
    """One error that says where."""
    with pytest.raises(BadRequest, match=words):
        read_tiers("tiers.toml", GOOD | change)


@pytest.mark.parametrize("text", ["", "x", "nan", "inf", "1e99", "1_0", "0.001"])
def test_an_amount_that_is_none_is_refused(text):
    """Exact decimals only."""
    with pytest.raises(BadRequest):
        read_cents("here", text)


@pytest.mark.parametrize("text", ["", "x", "101%", "-1", "1/0", "1e-9999999"])
def test_a_share_that_is_none_is_refused(text):
    """From nothing to all."""
    with pytest.raises(BadRequest):
        read_share("--share", text)


@given(st.lists(st.text(min_size=1, max_size=30), min_size=2, max_size=2, unique=True))
def test_no_two_names_are_the_same_account(names):
    """Whatever they are called, and each is one that Beancount can read."""
    spelled = [account_name("Income", "inference", name) for name in names]
    assert spelled[0] != spelled[1]
    for name in spelled:
        check_entry(Entry("k", "usage", 1, ((Account(name, "EUR"), 1), (Account("Assets:Bank", "EUR"), -1))))


@given(st.integers(-(10**17), 10**17), st.integers(-(10**9), 10**9))
def test_a_move_to_cents_and_its_reversal_balance(nanos, cents):
    """In both books, with the remainder."""
    entry = Entry("k", "invoice", 1, settlement("Assets:Receivable:Acme", "EUR", nanos, cents))
    check_entry(entry)
    check_entry(reversal(entry, key="r", at_ms=2))


def test_the_hash_covers_everything():
    """A change of any part changes it, and so does another place in the chain."""
    legs = ((Account("Assets:Bank", "EUR"), 1), (Account("Income:Sales", "EUR"), -1))
    plain = Entry("k", "usage", 1, legs)
    others = [
        Entry("l", "usage", 1, legs), Entry("k", "fee", 1, legs), Entry("k", "usage", 2, legs),
        Entry("k", "usage", 1, legs[::-1]), Entry("k", "usage", 1, legs, "t"), Entry("k", "usage", 1, legs, "", "j"),
    ]  # fmt: skip
    hashes = {chained(bytes(32), 1, one) for one in (plain, *others)}
    assert len(hashes | {chained(bytes(32), 2, plain), chained(b"x" * 32, 1, plain)}) == 9
