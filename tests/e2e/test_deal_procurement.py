"""Procurement from the contract to the commitment: a service, a simulated partner over HTTP, and the command line."""

import asyncio
import json
import socket
import subprocess
import sys
import threading
import time

import httpx2
import pytest
from tests.e2e.conftest import Service

from primeur.machine import SystemClock
from primeur.providers.sim_behaviour import SimSettings
from primeur.providers.sim_server import serve

START_MS = 1_999_000_000_000


@pytest.fixture(scope="module")
def port():
    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))
        return made.getsockname()[1]


@pytest.fixture(scope="module")
def house(tmp_path_factory, port):
    """A service that may send notices to the partner."""
    made = Service(tmp_path_factory.mktemp("procurement") / "data", "--egress", f"127.0.0.1:{port}")
    try:
        made.start()
        yield made
    finally:
        made.stop()


@pytest.fixture(scope="module")
def partner(house, port):
    """The simulated partner; it takes only notices that the house has signed."""
    hook = f"http://127.0.0.1:{port}/sim/offers"
    secret = house.manage("GET", f"/webhooks/secret?url={hook}")["secret"]
    loop, ready = asyncio.new_event_loop(), threading.Event()
    settings = SimSettings(port=port, offer_secret=secret)
    task = loop.create_task(serve(settings, SystemClock(), lambda _port: ready.set()))
    thread = threading.Thread(target=lambda: loop.run_until_complete(task))
    thread.start()
    assert ready.wait(10)
    words = ["grant", "first", "--holder", "partner", "--webhook", hook, "--reply-at", house.url]
    assert command(house, "rights", *words, "--respond-within", "6s")["state"] == "active"
    yield f"http://127.0.0.1:{port}"
    loop.call_soon_threadsafe(task.cancel)
    thread.join(10)
    loop.close()


def command(house, *words):
    """Run the command line as its user does, and read what it prints for scripts."""
    line = [sys.executable, "-m", "primeur", *words, "--data-dir", str(house.folder), "--json"]
    done = subprocess.run(line, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def asked(house, partner, **behaviour):
    """Request 10 units while the partner behaves so; gives the request's id and its offer."""
    assert httpx2.put(f"{partner}/sim/behaviour", json=behaviour).status_code == 200
    words = ["--units", "10", "--price", "0.6", "--start-ms", str(START_MS)]
    request = command(house, "capacity", "request", *words)
    (offer,) = [one for one in papers(house, "offers") if one["request"] == request["id"]]
    return request["id"], offer


def papers(house, kind):
    return house.manage("GET", f"/capacity/{kind}")["data"]


def until(house, kind, name, *states):
    """Wait until a paper is in one of the states."""
    for _ in range(300):
        (found,) = [one for one in papers(house, kind) if one["id"] == name]
        if found["state"] in states:
            return found
        time.sleep(0.1)
    raise AssertionError(found)


def test_a_part_is_accepted_and_a_third_party_cites_what_was_let_go(house, partner):
    """Right, request, signed notice, answer by its link, release window, commitments: each says what it is from."""
    request, offer = asked(house, partner, offer="accept", offer_units=4)
    closed = until(house, "offers", offer["id"], "closed")
    assert closed["paper"]["accepted"] == 4
    (window,) = [one for one in papers(house, "windows") if one["request"] == request]
    assert (window["state"], window["paper"]["units"]) == ("open", 6)
    words = ["--units", "6", "--price", "0.6", "--start-ms", str(START_MS), "--window", window["id"]]
    third = command(house, "capacity", "commit", request, "--provider", "other", *words)
    assert third["paper"]["release"] == window["id"]
    assert until(house, "requests", request, "committed")["paper"]["committed"] == 10
    (told,) = [one for one in httpx2.get(f"{partner}/sim/offers").json()["data"] if one["offer"] == offer["id"]]
    assert (told["said"], told["status"]) == ({"answer": "accept", "units": 4}, 200)


def test_a_counter_and_silence_accept_nothing(house, partner):
    """The counter is kept beside the offer; silence lapses by the clock; both let everything go."""
    _, countered = asked(house, partner, offer="counter", offer_least_price_nanos=700_000_000)
    found = until(house, "offers", countered["id"], "countered")
    assert (found["paper"]["accepted"], found["paper"]["counter"]["unit_price_nanos"]) == (0, 700_000_000)
    _, silent = asked(house, partner, offer="silence")
    assert until(house, "offers", silent["id"], "lapsed")["paper"]["accepted"] == 0


def test_a_late_answer_changes_nothing(house, partner):
    """It comes after the deadline, is told so, and the offer stays lapsed."""
    _, offer = asked(house, partner, offer="accept", offer_after_s=8)
    lapsed = until(house, "offers", offer["id"], "lapsed")
    for _ in range(300):
        (told,) = [one for one in httpx2.get(f"{partner}/sim/offers").json()["data"] if one["offer"] == offer["id"]]
        if told["status"] is not None:
            break
        time.sleep(0.1)
    assert told["status"] == 409
    (after,) = [one for one in papers(house, "offers") if one["id"] == offer["id"]]
    assert (after["state"], after["paper"]) == ("lapsed", lapsed["paper"])


def test_forged_links_and_unsigned_notices_change_nothing(house, partner):
    """Neither the house nor the partner believes what is not signed."""
    before = papers(house, "offers")
    refused = httpx2.post(f"{house.url}/api/v1/capacity/answers/Zm9yZ2Vk.Zm9yZ2Vk", json={"answer": "accept"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (401, "forged_link")
    assert papers(house, "offers") == before
    count = len(httpx2.get(f"{partner}/sim/offers").json()["data"])
    assert httpx2.post(f"{partner}/sim/offers", json={"type": "capacity.offer"}).status_code == 401
    assert len(httpx2.get(f"{partner}/sim/offers").json()["data"]) == count
