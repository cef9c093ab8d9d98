"""The simulated provider says to an offer what its settings say, once, and to nobody who is not the house."""

import asyncio
import base64

import msgspec
import pytest

from primeur.governance.webhook_rules import sign
from primeur.providers.sim_behaviour import Behaviour
from primeur.providers.sim_offers import OfferDesk, answer_to
from primeur.providers.sim_wire import SimRefusal

TERMS = {"units": 10, "unit_price_nanos": 500}
SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()
NOTICE = {"type": "capacity.offer", "data": {"offer": "o", "hash": "h", "terms": TERMS, "answer_at": "http://x.test"}}


@pytest.mark.parametrize(
    ("behaviour", "said"),
    [
        ({}, {"answer": "accept"}),
        ({"offer_units": 4}, {"answer": "accept", "units": 4}),
        ({"offer_units": 10}, {"answer": "accept"}),
        ({"offer": "decline"}, {"answer": "decline"}),
        ({"offer": "waive"}, {"answer": "waive"}),
        ({"offer": "silence"}, None),
        ({"offer_least_price_nanos": 600}, {"answer": "counter", "counter": TERMS | {"unit_price_nanos": 600}}),
        ({"offer": "counter"}, {"answer": "counter", "counter": TERMS}),
    ],
)
def test_an_answer_follows_from_the_settings(behaviour, said):
    """Accept, a part, no, a price, or nothing."""
    assert answer_to(TERMS, Behaviour(**behaviour)) == said


def signed(clock, body, secret=SECRET, delivery="d1"):
    at_s = clock.now_ms() // 1000
    return {
        b"webhook-id": delivery.encode(),
        b"webhook-timestamp": b"%d" % at_s,
        b"webhook-signature": sign(secret, delivery, at_s, body).encode(),
    }


def test_only_what_the_house_has_signed_is_taken_and_once(clock):
    """A second delivery of the same notice is the same notice; forged, old or unreadable ones are refused."""
    desk, silent = OfferDesk(clock, SECRET, asyncio.sleep), Behaviour(offer="silence")
    body = msgspec.json.encode(NOTICE)
    for _ in range(2):
        desk.take(signed(clock, body), body, silent)
    assert [(one.offer, one.said) for one in desk.told] == [("o", None)]
    other = "whsec_" + base64.b64encode(b"x" * 32).decode()
    old = signed(clock, body, delivery="d2") | {b"webhook-timestamp": b"1"}
    for headers in ({}, signed(clock, body, other, "d3"), old):
        with pytest.raises(SimRefusal):
            desk.take(headers, body, silent)
    with pytest.raises(SimRefusal, match="no notice of an offer"):
        desk.take(signed(clock, b"{}", delivery="d4"), b"{}", silent)
    assert len(desk.told) == 1
