"""A notice on its way: the holder's clock starts when it was taken, and the link in it answers without a key."""

from contextlib import asynccontextmanager
from dataclasses import replace

import httpx2
import msgspec

from primeur.core.egress import Egress, Listing
from primeur.core.ports import Fetched
from primeur.gateway.asgi import Gateway
from primeur.governance import rules
from primeur.walks.send_webhook import deliver_once
from primeur.walks.watch_capacity import move_on

HOUR_MS = 3_600_000
TERMS = {"units": 10, "unit_price_nanos": 600_000_000, "start_ms": 1_790_100_000_000, "term_ms": 24 * HOUR_MS}
HOOK = "http://partner.test/offers"


class Messenger:
    """Remembers what it was sent out with, and brings back what it is told to."""

    def __init__(self):
        self.status, self.sent = 503, []

    async def run(self, _method, _url, body, *_, **__):
        self.sent.append(msgspec.json.decode(body)["data"])
        return Fetched(self.status, {}, b"")


@asynccontextmanager
async def operator(house):
    key = rules.operator_key(house.place.pepper)
    transport = httpx2.ASGITransport(Gateway(house))
    async with httpx2.AsyncClient(
        transport=transport, base_url="http://primeur.test", headers={"authorization": f"Bearer {key}"}
    ) as made:
        yield made


async def noticed(client):
    """Grant a right to a holder that is told by webhook, and offer it what a request wants; gives the offer."""
    arranged = {"webhook": HOOK, "reply_at": "http://primeur.test"}
    right = {"name": "first", "holder": "partner", "arrangements": arranged}
    assert (await client.post("/api/v1/rights", json=right)).status_code == 201
    request = (await client.post("/api/v1/capacity/requests", json={"ceiling": TERMS})).json()
    return (await client.post(f"/api/v1/capacity/requests/{request['id']}/offers", json={})).json()


async def test_the_clock_starts_when_the_notice_was_taken_and_its_link_answers(founded, clock):
    """Not when it was sent: a holder that cannot be reached loses no time. The link needs no key and works once."""
    messenger = Messenger()
    place = replace(founded.place, egress=Egress((Listing(host="partner.test"),)))
    house = replace(founded, errands=messenger, place=place)
    async with operator(house) as client:
        offer = await noticed(client)
        assert (offer["state"], offer["due_ms"]) == ("noticed", None)
        await deliver_once(house)
        await move_on(house)
        path = f"/api/v1/capacity/offers/{offer['id']}"
        assert (await client.get(path)).json()["state"] == "noticed"
        clock.ms += 5 * HOUR_MS
        messenger.status = 200
        await deliver_once(house)
        await move_on(house)
        opened = (await client.get(path)).json()
        assert (opened["state"], opened["due_ms"]) == ("open", clock.ms + 72 * HOUR_MS)
        notice = messenger.sent[-1]
        assert (notice["hash"], "bid" in notice) == (opened["paper"]["hash"], False)
        client.headers.pop("authorization")
        answered = await client.post(notice["answer_at"], json={"answer": "accept", "units": 4})
        assert (answered.json()["state"], answered.json()["paper"]["accepted"]) == ("closed", 4)
        assert (await client.post(notice["answer_at"], json={"answer": "accept"})).status_code == 409


async def test_an_answer_proves_that_the_notice_has_arrived(founded):
    """A holder may be quicker than the note that its notice was taken: its answer counts, and starts its clock."""
    messenger = Messenger()
    messenger.status = 200
    place = replace(founded.place, egress=Egress((Listing(host="partner.test"),)))
    house = replace(founded, errands=messenger, place=place)
    async with operator(house) as client:
        offer = await noticed(client)
        await deliver_once(house)
        other = {"answer": "accept", "hash": "0" * 64}
        assert (await client.post(f"/api/v1/capacity/offers/{offer['id']}/answer", json=other)).status_code == 409
        answered = await client.post(messenger.sent[-1]["answer_at"], json={"answer": "accept", "units": 4})
        assert (answered.json()["state"], answered.json()["paper"]["accepted"]) == ("closed", 4)
        assert await move_on(house) == 0
