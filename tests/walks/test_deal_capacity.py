"""Rights and the papers of procurement over the management API: notices, deadlines, links, policies, sealed bids."""

import pytest

from primeur.broker.links import Link, read_link, write_link
from primeur.broker.source_rows import add_sheet
from primeur.broker.supply import Sheet
from primeur.core.errors import NotAuthenticated
from primeur.walks.watch_capacity import move_on, takes_effect

HOUR_MS = 3_600_000
TERMS = {"units": 10, "unit_price_nanos": 600_000_000, "start_ms": 1_790_100_000_000, "term_ms": 24 * HOUR_MS}


async def grant(deal, **more):
    return await deal("rights", {"name": "first", "holder": "partner", "response_ms": 72 * HOUR_MS} | more)


async def offered(deal, **more):
    await grant(deal, **more)
    request = await deal("capacity/requests", {"ceiling": TERMS})
    return request, await deal(f"capacity/requests/{request['id']}/offers", {})


async def answer(deal, offer, word, status=(200,), **more):
    body = {"answer": word, "hash": offer["paper"]["hash"]} | more
    return await deal(f"capacity/offers/{offer['id']}/answer", body, status=status)


async def test_a_holder_takes_a_part_and_a_third_party_the_rest(deal):
    """The acceptance is signed at once; what was let go is cited by the third party's commitment."""
    request, offer = await offered(deal)
    assert (offer["state"], offer["due_ms"]) == ("open", 1_790_000_000_000 + 72 * HOUR_MS)
    assert (await answer(deal, offer, "accept", units=4))["state"] == "closed"
    (window,) = (await deal("capacity/windows", method="GET"))["data"]
    assert window["paper"]["units"] == 6
    third = {"request": request["id"], "provider": "other", "terms": TERMS | {"units": 6}, "window": window["id"]}
    dear = third | {"terms": TERMS | {"units": 6, "unit_price_nanos": 600_000_001}}
    refused = await deal("capacity/commitments", dear, status=(409,))
    assert "better terms than the holder was offered: unit_price_nanos" in refused["error"]["message"]
    await deal("capacity/commitments", third)
    found = await deal(f"capacity/requests/{request['id']}", method="GET")
    assert (found["state"], found["paper"]["committed"]) == ("committed", 10)
    commitments = (await deal("capacity/commitments", method="GET"))["data"]
    assert {one["paper"]["provider"]: one["paper"]["release"] for one in commitments} == {
        "partner": None, "other": window["id"],
    }  # fmt: skip


async def test_deadlines_move_by_the_clock_of_the_worker(deal, founded, clock):
    """Nobody looked; the row says lapsed, and a late answer changes nothing."""
    _, offer = await offered(deal)
    clock.ms += 72 * HOUR_MS - 1
    assert await move_on(founded) == 0
    clock.ms += 1
    assert await move_on(founded) == 1
    (row,) = (await deal("capacity/offers", method="GET"))["data"]
    assert (row["state"], row["due_ms"]) == ("lapsed", None)
    refused = await answer(deal, offer, "accept", status=(409,))
    assert "an answer after that changes nothing" in refused["error"]["message"]
    clock.ms -= 10 * HOUR_MS
    assert (await deal("capacity/offers", method="GET"))["data"] == [row]


async def test_a_command_is_told_once_by_its_key(deal):
    """The same again is the same paper; another body under the key is a conflict."""
    await grant(deal)
    first = await deal("capacity/requests", {"ceiling": TERMS, "key": "monday"})
    assert await deal("capacity/requests", {"ceiling": TERMS, "key": "monday"}) == first
    await deal("capacity/requests", {"ceiling": TERMS | {"units": 11}, "key": "monday"}, status=(409,))
    assert len((await deal("capacity/requests", method="GET"))["data"]) == 1


async def test_an_unknown_word_within_terms_is_refused_by_its_path(deal):
    """Wherever it stands in a body; nothing is made."""
    refused = await deal("capacity/requests", {"ceiling": TERMS | {"unit": 1}}, status=(400,))
    assert (refused["error"]["param"], refused["error"]["code"]) == ("ceiling.unit", "unknown_parameter")
    right = {"name": "first", "holder": "partner", "scope": {"minimum_units": 1, "sku": ["a"]}}
    refused = await deal("rights", right, status=(400,))
    assert refused["error"]["param"] == "scope.sku"
    assert (await deal("rights", method="GET"))["data"] == []


async def test_a_policy_answers_in_the_holders_name(deal):
    """Up to so many units while the price is within bounds; above, the offer waits for the holder."""
    policy = {"policy": {"units": 3, "most_price_nanos": 600_000_000}}
    _, offer = await offered(deal, arrangements=policy)
    assert (offer["state"], offer["paper"]["accepted"]) == ("closed", 3)
    request = await deal("capacity/requests", {"ceiling": TERMS | {"unit_price_nanos": 600_000_001}})
    assert (await deal(f"capacity/requests/{request['id']}/offers", {}))["state"] == "open"


async def test_a_holder_to_match_never_sees_whose_bid_it_is(deal):
    """The best binding bid is mirrored; its bidder is in no answer but the list of bids."""
    await grant(deal, mode="match")
    request = await deal("capacity/requests", {"ceiling": TERMS})
    path = f"capacity/requests/{request['id']}"
    assert "no binding bid" in (await deal(f"{path}/offers", {}, status=(409,)))["error"]["message"]
    for provider, price in (("dear", 590_000_000), ("cheap", 550_000_000)):
        await deal(f"{path}/bids", {"provider": provider, "terms": TERMS | {"unit_price_nanos": price}})
    refused = await deal(f"{path}/bids", {"provider": "partner", "terms": TERMS}, status=(409,))
    assert "holds the right" in refused["error"]["message"]
    offer = await deal(f"{path}/offers", {})
    assert offer["paper"]["terms"]["unit_price_nanos"] == 550_000_000
    history = await deal("rights/first/history", method="GET")
    for seen in (offer, await deal("capacity/offers", method="GET"), history):
        assert "cheap" not in str(seen)
    assert len((await deal("capacity/bids", method="GET"))["data"]) == 2


async def test_a_signed_link_answers_one_offer_and_a_forged_one_nothing(client, deal, founded, clock):
    """Forged, old, or to other terms: one clear error, and nothing is changed."""
    _, offer = await offered(deal)
    secret = founded.place.pepper
    good = write_link(secret, Link(offer["id"], offer["paper"]["hash"], clock.ms + 1000))
    client.headers.pop("authorization")
    seen = await client.get(f"/api/v1/capacity/answers/{good}")
    assert (seen.json()["terms"]["units"], "bid" in seen.text) == (10, False)
    for forged in (good[:-2] + "AA", good.replace(".", "x."), "x", write_link(b"other", read_link(secret, good, 0))):
        refused = await client.post(f"/api/v1/capacity/answers/{forged}", json={"answer": "accept"})
        assert (refused.status_code, refused.json()["error"]["code"]) == (401, "forged_link")
    with pytest.raises(NotAuthenticated, match="ended"):
        read_link(secret, good, clock.ms + 1000)
    taken = await client.post(f"/api/v1/capacity/answers/{good}", json={"answer": "decline"})
    assert taken.json()["state"] == "declined"
    again = await client.post(f"/api/v1/capacity/answers/{good}", json={"answer": "accept"})
    assert again.status_code == 409


async def test_rights_are_amended_moved_and_never_two_for_the_same(deal):
    """The newest version supersedes; an unknown field and a move out of order are named."""
    await grant(deal)
    other = {"name": "second", "holder": "rival"}
    assert "covers some of this" in (await deal("rights", other, status=(409,)))["error"]["message"]
    amended = await deal("rights/first/amendments", {"changes": {"response_ms": 1000}})
    assert (amended["version"], amended["terms"]["response_ms"], len(amended["versions"])) == (2, 1000, 2)
    wrong = await deal("rights/first/amendments", {"changes": {"colour": 1}}, status=(400,))
    assert "no 'colour' to amend" in wrong["error"]["message"]
    stays = await deal("rights/first/amendments", {"changes": {"holder": "rival"}}, status=(409,))
    assert "not transferable" in stays["error"]["message"]
    assert (await deal("rights/first/moves", {"move": "suspend"}))["state"] == "suspended"
    await deal("rights/first/moves", {"move": "suspend"}, status=(409,))
    await deal("rights/first/moves", {"move": "fly"}, status=(400,))
    free = await deal("capacity/requests", {"ceiling": TERMS})
    assert (free["book"], free["paper"]["right_version"]) == ("open", None)
    await deal("rights/first/moves", {"move": "terminate"})
    assert (await deal("rights", other))["state"] == "active"


async def test_a_later_sheet_takes_effect_by_the_clock(founded, clock):
    """Prices and capacity of a provider change at the sheet's date, and not before; a clock that jumps back: none."""
    founded.store.transact_now(lambda tx: add_sheet(tx, "partner", Sheet(), clock.ms + HOUR_MS, clock.ms))
    assert not await takes_effect(founded, clock.ms, clock.ms + HOUR_MS - 1)
    assert await takes_effect(founded, clock.ms, clock.ms + HOUR_MS)
    assert not await takes_effect(founded, clock.ms + HOUR_MS, clock.ms)


async def test_a_later_version_takes_effect_by_the_clock(deal, founded, clock):
    """Snapshots are compiled anew when it does, and not before."""
    await grant(deal)
    await deal("rights/first/amendments", {"changes": {"effective_ms": clock.ms + HOUR_MS, "response_ms": 1000}})
    assert not await takes_effect(founded, clock.ms, clock.ms + HOUR_MS - 1)
    assert await takes_effect(founded, clock.ms, clock.ms + HOUR_MS)
    request = await deal("capacity/requests", {"ceiling": TERMS})
    clock.ms += HOUR_MS
    later = await deal("capacity/requests", {"ceiling": TERMS})
    assert [one["paper"]["right_version"] for one in (request, later)] == [1, 2]


async def test_a_paper_that_is_not_there_is_said_with_where_to_look(deal):
    """What, which one, and what to do next."""
    refused = await deal("capacity/offers/off_nothing", method="GET", status=(404,))
    assert refused["error"]["message"] == (
        "there is no offer 'off_nothing'; GET /api/v1/capacity/offers lists those there are"
    )
