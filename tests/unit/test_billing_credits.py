"""Credits: burned by priority, then by what expires first; granted = used + expired + left."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from primeur.billing.rules.credits import Balance, Charge, Grant, Wallet, after, burn, check_grant, expire
from primeur.billing.rules.periods import DAY_MS
from primeur.core.errors import BadRequest

DAYS = st.integers(0, 40)


@st.composite
def wallets(draw):
    """Up to six grants of all kinds and times."""
    grants = []
    for number in range(draw(st.integers(0, 6))):
        first = draw(DAYS)
        expires = draw(st.none() | st.integers(first + 1, 60))
        grants.append(
            Grant(
                f"crd_{number}", "cus_1", f"g{number}", "prepaid", "EUR", draw(st.integers(1, 10**6)),
                draw(st.integers(0, 2)), first * DAY_MS, 0, None if expires is None else expires * DAY_MS,
            )
        )  # fmt: skip
    return Wallet(grants, {one.id: one.nanos for one in grants})


charge_lists = st.lists(st.builds(lambda day, nanos: Charge(day * DAY_MS, nanos), DAYS, st.integers(0, 10**6)))


@given(wallets(), charge_lists, st.integers(0, 70))
def test_granted_is_used_and_expired_and_left_and_no_grant_falls_below_zero(wallet, charges, day):
    """Whatever was charged, whenever one looks."""
    burns = burn(wallet, charges)
    lost = expire(after(wallet, burns), day * DAY_MS)
    for grant in wallet.grants:
        used = sum(one.nanos for one in burns if one.grant_id == grant.id)
        gone = sum(one.nanos for one in lost if one.grant_id == grant.id)
        balance = Balance(grant.nanos, used, gone)
        assert balance.left >= 0
        assert balance.granted == balance.used + balance.expired + balance.left
        assert gone == 0 or balance.left == 0


@given(wallets(), charge_lists, st.randoms())
def test_the_order_in_which_charges_arrive_changes_nothing(wallet, charges, dice):
    """Days are put in their order first."""
    shuffled = list(charges)
    dice.shuffle(shuffled)
    assert burn(wallet, shuffled) == burn(wallet, charges)


@given(wallets(), charge_lists)
def test_nothing_pays_before_its_time_or_after_and_no_charge_is_paid_twice(wallet, charges):
    """And nothing good is left where a charge stays unpaid."""
    grants = {one.id: one for one in wallet.grants}
    burns = burn(wallet, charges)
    assert all(grants[one.grant_id].is_good(one.day_ms) for one in burns)
    left = dict(wallet.left)
    for day in sorted({one.day_ms for one in charges}):
        charged = sum(one.nanos for one in charges if one.day_ms == day)
        paid = [one for one in burns if one.day_ms == day]
        for one in paid:
            left[one.grant_id] -= one.nanos
        assert sum(one.nanos for one in paid) <= charged
        if sum(one.nanos for one in paid) < charged:
            assert all(left[one.id] == 0 for one in wallet.grants if one.is_good(day))


def test_priority_comes_first_then_what_expires_earliest():
    """A grant without an end is burned last among its like."""

    def grant(name, priority, expires):
        return Grant(name, "cus_1", name, "prepaid", "EUR", 10, priority, 0, 0, expires and expires * DAY_MS)

    grants = [grant("forever", 1, None), grant("late", 1, 9), grant("soon", 1, 5), grant("first", 0, None)]
    wallet = Wallet(grants, {one.id: 10 for one in grants})
    assert [one.grant_id for one in burn(wallet, [Charge(0, 40)])] == ["first", "soon", "late", "forever"]
    assert [one.grant_id for one in burn(wallet, [Charge(6 * DAY_MS, 40)])] == ["first", "late", "forever"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"nanos": 0}, "more than zero"),
        ({"kind": "gift"}, "choose prepaid, promotion, compute"),
        ({"expires_ms": DAY_MS}, "before it is good"),
        ({"expires_ms": 3 * DAY_MS + 1}, "with a UTC day"),
    ],
)
def test_a_grant_that_cannot_be_is_refused(change, words):
    """By its fault."""
    fields = {"nanos": 5, "kind": "prepaid", "expires_ms": None} | change
    with pytest.raises(BadRequest, match=words):
        check_grant(
            Grant(id="g", holder="cus_1", name="g", currency="EUR", priority=0, from_ms=DAY_MS, created_ms=0, **fields)
        )
