"""What can be said of any sequence of postings, usage and credits, as the database keeps them."""

from fractions import Fraction

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from primeur.billing import credit_rows
from primeur.billing.rules.credits import Burn, Grant
from primeur.billing.rules.periods import DAY_MS
from primeur.core.errors import Conflict
from primeur.core.usage import Usage, UsageEvent
from primeur.ledger import rows as ledger
from primeur.ledger.audit import prove
from primeur.ledger.rules.entries import Account, Entry, reversal
from primeur.metering.rates import Rate, Share
from primeur.metering.usage_rows import sum_usage
from primeur.walks.book_usage import Terms, book_usage

some = settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
NAMES = [Account("Assets:Bank", "EUR"), Account("Income:Sales", "EUR"), Account("Equity:Opening", "EUR")]
postings = st.lists(
    st.tuples(st.integers(0, 9), st.booleans(), st.permutations(NAMES), st.integers(-(10**15), 10**15)), max_size=20
)
events = st.lists(
    st.builds(
        lambda number, project, day, fresh, out, cost: UsageEvent(
            id=f"req_{number:026d}", at_ms=day * DAY_MS + number, route="chat", outcome="completed", status=200,
            project_id=project, deployment="chat", provider="rack", usage=Usage(fresh, fresh // 2, out, out // 3),
            cost_nanos=cost, currency=None if cost is None else "EUR", duration_us=out,
        ),
        st.integers(0, 10**6), st.sampled_from(["prj_1", "prj_2"]), st.integers(0, 3), st.integers(0, 10**4),
        st.integers(0, 10**4), st.none() | st.integers(0, 10**9),
    ),
    max_size=15, unique_by=lambda event: event.id,
)  # fmt: skip
TERMS = Terms(
    [
        Rate("price_1", "sell", "prj_1", "", "EUR", {"input": ((0, 7), (50, 3)), "output": ((0, 11),)}, DAY_MS, 0),
        Rate("price_2", "sell", "prj_1", "", "EUR", {"gpu_second": ((0, 999_999),)}, 2 * DAY_MS, 0),
        Rate("price_3", "buy", "rack", "", "USD", {"input": ((0, 1),), "output": ((0, 2),), "cached": ((0, 0),)}, 0, 0),
    ],
    [Share("share_1", "rack", "", "partner", Fraction(1, 3), 0, 0)],
)


def undone(store, story) -> None:
    """Run a story and leave no trace: the next example finds an empty database."""

    def work(tx):
        nested = tx.begin_nested()
        try:
            story(tx)
        finally:
            nested.rollback()

    store.transact_now(work)


@some
@given(postings)
def test_balances_are_what_a_replay_gives_and_posting_twice_is_once(store, asked):
    """Whatever is posted, tried again and taken back, in one call or many."""

    def story(tx):
        known, sums = {}, dict.fromkeys(NAMES, 0)
        for number, takes_back, (debit, credit, _), amount in asked:
            entry = known.get(f"k{number}") or Entry(f"k{number}", "fee", number, ((debit, amount), (credit, -amount)))
            if takes_back and entry.key in known:
                entry = known.get(f"r{number}") or reversal(entry, key=f"r{number}", at_ms=number)
            assert ledger.post(tx, entry, entry) == (entry.key not in known)
            assert ledger.post(tx, entry) == 0
            if entry.key not in known:
                for account, moved in entry.legs:
                    sums[account] += moved
            known[entry.key] = entry
        proof = prove(tx)
        assert (proof.ok, proof.transactions) == (True, len(known))
        assert {name: ledger.balance(tx, name) for name in NAMES} == sums
        assert {one.entry.key: one.entry for one in ledger.read(tx)} == known

    undone(store, story)


@some
@given(events, st.randoms(), st.integers(1, 5))
def test_the_order_of_arrival_and_arriving_twice_change_nothing(store, told, dice, batch):
    """Neither in the ledger nor in the sums."""
    seen = []

    def story(tx, arrived, size):
        new = [book_usage(tx, arrived[at : at + size], TERMS) for at in range(0, len(arrived), size)]
        assert sum(new) == len(told)
        assert prove(tx).ok
        days = [sum_usage(tx, by, from_ms=0, to_ms=9 * DAY_MS) for by in ("day", "project")]
        seen.append((ledger.list_balances(tx), days))

    shuffled = told * 2
    dice.shuffle(shuffled)
    undone(store, lambda tx: story(tx, told, len(told) or 1))
    undone(store, lambda tx: story(tx, shuffled, batch))
    assert seen[0] == seen[1]


@given(events)
def test_rating_again_gives_the_same_amount(told):
    """With the same version of every price, however often and whatever was rated before."""
    for event in told:
        rated, entry = TERMS.rate(event)
        assert TERMS.rate(rated) == (rated, entry)
        assert Terms(TERMS.rates[::-1], TERMS.shares).rate(event) == (rated, entry)


grants = st.lists(st.tuples(st.integers(1, 50), st.none() | st.integers(1, 9)), min_size=1, max_size=4)
burns = st.lists(
    st.tuples(st.integers(0, 3), st.sampled_from([credit_rows.USE, credit_rows.EXPIRE]), st.integers(0, 30)),
    max_size=20,
)


@some
@given(grants, burns)
def test_granted_is_used_and_expired_and_left_and_no_grant_falls_below_zero(store, granted, burnt):
    """Whatever is taken in which order; what would go below zero is refused and changes nothing."""

    def story(tx):
        made = [
            Grant(f"crd_{at}", "cus_1", "x", "prepaid", "EUR", nanos, 0, 0, at, last and last * DAY_MS)
            for at, (nanos, last) in enumerate(granted)
        ]
        for one in made:
            credit_rows.add_grant(tx, one)
        taken = {one.id: 0 for one in made}
        for number, (at, kind, nanos) in enumerate(burnt):
            one = made[at % len(made)]
            try:
                with tx.begin_nested():
                    credit_rows.keep_burns(tx, [Burn(one.id, number, nanos)], kind, f"inv_{number}", 0)
            except Conflict:
                assert taken[one.id] + nanos > one.nanos
                continue
            taken[one.id] += nanos
        for name, balance in credit_rows.balances(tx, made).items():
            assert balance.left >= 0
            assert balance.granted == balance.used + balance.expired + balance.left
            assert balance.used + balance.expired == taken[name]

    undone(store, story)
