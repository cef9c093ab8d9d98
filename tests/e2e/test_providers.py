"""Providers declared to the whole service, which reaches the simulated resource through each."""

import asyncio
import threading
from collections.abc import Iterator

import httpx2
import openai
import pytest

from primeur.machine import SystemClock
from primeur.providers.sim_behaviour import SimSettings
from primeur.providers.sim_server import serve

SECRET = "sim-secret-1"
ASKED = {"max_tokens": 8, "messages": [{"role": "user", "content": "Which way is north?"}]}
KINDS = {
    "sim": {"endpoint": "{url}"},
    "azure_openai": {"endpoint": "{url}", "api_version": "2024-10-21"},
    "openai_compatible": {"base_url": "{url}/openai/v1"},
}


@pytest.fixture(scope="module")
def simulated() -> Iterator[str]:
    """The address of a simulated resource that asks for a key."""
    loop, address, ready = asyncio.new_event_loop(), [], threading.Event()

    def listening(port: int) -> None:
        address.append(f"http://127.0.0.1:{port}")
        ready.set()

    task = loop.create_task(serve(SimSettings(key=SECRET), SystemClock(), listening))
    thread = threading.Thread(target=lambda: loop.run_until_complete(task))
    thread.start()
    assert ready.wait(10)
    yield address[0]
    loop.call_soon_threadsafe(task.cancel)
    thread.join(10)
    loop.close()


@pytest.fixture(params=KINDS)
def north(request, service, simulated, tmp_path) -> str:
    """A deployment on a provider of each kind; its secret stands in a file."""
    secret = tmp_path / "key"
    secret.write_text(SECRET + "\n")
    settings = {name: value.replace("{url}", simulated) for name, value in KINDS[request.param].items()}
    provider = f"cloud-{request.param.replace('_', '-')}"
    body = {"kind": request.param, "settings": settings | {"key": f"file:{secret}"}}
    service.manage("PUT", f"/providers/{provider}", body)
    name = f"north-{provider}"
    service.deploy(name, provider=provider, upstream_model="gpt-sim")
    return name


@pytest.fixture
def client(service) -> Iterator[openai.OpenAI]:
    """The official client."""
    with openai.OpenAI(api_key=service.key, base_url=f"{service.url}/v1", max_retries=0) as made:
        yield made


def test_a_declared_provider_answers(client, service, north):
    """The answer says who served it, and the log has what it used."""
    raw = client.chat.completions.with_raw_response.create(model=north, **ASKED)
    logged = service.logged(raw.headers["x-request-id"])
    assert raw.parse().usage.completion_tokens == 8
    assert raw.headers["x-primeur-deployment"] == north
    assert (logged["outcome"], logged["output_tokens"]) == ("completed", 8)


def test_an_unknown_setting_is_refused_by_name(service):
    """A declaration with a misspelt setting changes nothing."""
    body = {"kind": "openai_compatible", "settings": {"base_url": "http://127.0.0.1:1/v1", "colour": "red"}}
    headers = {"authorization": f"Bearer {service.operator}"}
    answer = httpx2.put(f"{service.url}/api/v1/providers/crooked", json=body, headers=headers)
    assert answer.status_code == 400
    assert "colour" in answer.text


def test_a_hang_up_reaches_the_provider(client, service, simulated, north):
    """Who goes away in the middle is not worked for any longer, and pays for what was made."""
    with httpx2.Client(base_url=simulated, headers={"api-key": SECRET}) as control:
        before = control.get("/sim/counters").json()["cancelled"]
        control.put("/sim/behaviour", json={"tokens_per_s": 2}).raise_for_status()
        try:
            raw = client.chat.completions.with_raw_response.create(model=north, stream=True, **ASKED)
            stream = raw.parse()
            next(iter(stream))
            stream.close()
            service.wait_until(lambda: control.get("/sim/counters").json()["cancelled"] > before, "cancelled")
        finally:
            control.put("/sim/behaviour", json={})
    assert service.logged(raw.headers["x-request-id"])["outcome"] == "cancelled"
