"""A right on the request path: two simulated clouds behind one deployment, the partner asked first."""

import asyncio
import threading
import time
from collections.abc import Iterator

import httpx2
import pytest

from primeur.machine import SystemClock
from primeur.providers.sim_behaviour import SimSettings
from primeur.providers.sim_server import serve

BODY = {"model": "shared", "max_tokens": 8, "messages": [{"role": "user", "content": "Which way is north?"}]}


def _cloud() -> Iterator[str]:
    loop, address, ready = asyncio.new_event_loop(), [], threading.Event()

    def listening(port: int) -> None:
        address.append(f"http://127.0.0.1:{port}")
        ready.set()

    task = loop.create_task(serve(SimSettings(), SystemClock(), listening))
    thread = threading.Thread(target=lambda: loop.run_until_complete(task))
    thread.start()
    assert ready.wait(10)
    yield address[0]
    loop.call_soon_threadsafe(task.cancel)
    thread.join(10)
    loop.close()


partner = pytest.fixture(scope="module")(_cloud)
other = pytest.fixture(scope="module")(_cloud)


@pytest.fixture(scope="module")
def shared(service, partner, other):
    """The deployment `shared` at the partner, with another cloud as its source, under a right."""
    for name, url in (("partner", partner), ("other", other)):
        service.manage("PUT", f"/providers/{name}", {"kind": "sim", "settings": {"endpoint": url}})
    service.deploy("shared", provider="partner", upstream_model="gpt-sim")
    service.manage("PUT", "/sources/shared/other", {"upstream_model": "gpt-sim"})
    scope = {"workload_classes": ["shared"]}
    right = service.manage("POST", "/rights", {"name": "first", "holder": "partner", "scope": scope})
    yield right
    service.manage("POST", "/rights/first/moves", {"move": "terminate"})


@pytest.fixture
def ask(service, shared, partner, other):  # noqa: ARG001 (it must be there)
    """Asks the gateway; both clouds behave again afterwards and the partner is open again."""

    def asking(path: str = "chat/completions", body: dict | None = None, **headers: str) -> httpx2.Response:
        sent = {"authorization": f"Bearer {service.key}"} | headers
        return httpx2.post(f"{service.url}/v1/{path}", json=body or BODY, headers=sent, timeout=30)

    yield asking
    for url in (partner, other):
        httpx2.put(f"{url}/sim/behaviour", json={})


def behave(url, **how):
    assert httpx2.put(f"{url}/sim/behaviour", json=how).status_code == 200


def settled(ask, provider):
    """Ask until *provider* answers; what was closed is probed again."""
    for _ in range(50):
        answer = ask()
        if answer.headers.get("x-primeur-provider") == provider:
            return answer
        time.sleep(0.1)
    raise AssertionError(answer.text)


def test_the_holder_is_asked_first_and_the_caller_is_told(ask, shared):
    """No reason, because there is none."""
    answer = settled(ask, "partner")
    assert answer.headers["x-primeur-right"] == shared["id"]
    assert answer.headers["x-primeur-sharing"] == "spill"
    assert "x-primeur-refusal" not in answer.headers
    told = answer.json()["primeur"]
    assert (told["provider"], told["refusal"], told["sharing"]) == ("partner", None, "spill")


def test_an_outage_is_one_reason_in_headers_body_and_log(ask, service, partner, shared):
    """Served by somebody else, with evidence; the list of refusals has it."""
    settled(ask, "partner")
    behave(partner, outage="unavailable")
    answer = ask()
    assert (answer.status_code, answer.headers["x-primeur-provider"]) == (200, "other")
    assert answer.headers["x-primeur-refusal"] == "OUTAGE"
    assert answer.headers["x-primeur-sharing"] == "shared"
    assert answer.json()["primeur"]["refusal"] == "OUTAGE"
    for _ in range(50):
        found = service.manage("GET", "/refusals?reason=OUTAGE")["data"]
        if any(one["request_id"] == answer.headers["x-request-id"] for one in found):
            break
        time.sleep(0.1)
    (one,) = [each for each in found if each["request_id"] == answer.headers["x-request-id"]]
    assert (one["provider"], one["right_id"], one["refusal"]) == ("other", shared["id"], "OUTAGE")
    assert "retry_after_ms" in one["evidence"]


def test_a_dedicated_request_never_spills(ask, partner):
    """The holder or nobody: the original fault is told."""
    settled(ask, "partner")
    behave(partner, outage="unavailable")
    answer = ask(**{"x-primeur-sharing": "dedicated"})
    assert answer.status_code in {429, 502, 503}
    assert "x-primeur-provider" not in answer.headers


def test_shared_leaves_the_holder_out_and_nonsense_is_refused(ask):
    """The caller waives the preference; a word that is none changes nothing."""
    settled(ask, "partner")
    answer = ask(**{"x-primeur-sharing": "shared"})
    assert answer.headers["x-primeur-provider"] == "other"
    assert answer.headers["x-primeur-refusal"] == "RIGHT_INACTIVE"
    assert ask(**{"x-primeur-sharing": "mine"}).json()["error"]["param"] == "sharing"


def test_the_body_says_it_as_well_and_so_do_responses(ask):
    """The answer tells what was got; the member does not reach the provider; two words for one thing are refused."""
    settled(ask, "partner")
    wish = {"primeur": {"sharing": "shared"}}
    told = ask(body=BODY | wish)
    assert (told.headers["x-primeur-provider"], told.json()["primeur"]["sharing"]) == ("other", "shared")
    response = ask("responses", {"model": "shared", "input": "Which way is north?"} | wish)
    assert (response.headers["x-primeur-provider"], response.json()["primeur"]["sharing"]) == ("other", "shared")
    held = ask("responses", {"model": "shared", "input": "Which way?", "primeur": {"sharing": "dedicated"}})
    assert (held.headers["x-primeur-provider"], held.json()["primeur"]["sharing"]) == ("partner", "dedicated")
    assert ask(body=BODY | {"primeur": {"sharing": "mine"}}).status_code == 400
    both = ask(body=BODY | wish, **{"x-primeur-sharing": "dedicated"})
    assert (both.status_code, both.json()["error"]["param"]) == (400, "primeur.sharing")


def test_after_a_spill_that_fails_too_the_original_error_is_told(ask, partner, other):
    """It is about the target that should have answered."""
    settled(ask, "partner")
    behave(partner, outage="unavailable")
    behave(other, outage="reset")
    answer = ask()
    assert answer.status_code == 502
    assert "partner failed with status 503" in answer.json()["error"]["message"]
    time.sleep(1.1)
