"""A guard stands before every inference route of a deployment, and what it decides is in the event log and counted."""

import json

import httpx2
import openai
import pytest

CARD, MAIL = "4111 1111 1111 1111", "ada@example.org"
POLICY = {
    "rules": [
        {"name": "personal", "action": "mask", "finds": ["email", "card"]},
        {"name": "project-x", "action": "block", "words": ["project x"]},
        {"name": "mood", "action": "allow", "on": "prompt", "pattern": "dear|kind"},
    ],
    "characters_most": 2000,
    "images": "refuse",
}
SAID = f"Dear model, write to {MAIL} about {CARD}."


@pytest.fixture(scope="module")
def guarded(service):
    """A client of a deployment with a guard, and of one without."""
    service.deploy("guarded", engine="echo")
    service.manage("PUT", "/deployments/guarded/guard", POLICY)
    headers = {"authorization": f"Bearer {service.make_key('guarded')}"}
    with httpx2.Client(base_url=service.url, headers=headers, timeout=30) as client:
        yield client


def bodies(text):
    """The same on every route that makes an engine work."""
    chat = {"model": "guarded", "messages": [{"role": "user", "content": text}]}
    yield "/v1/chat/completions", chat
    yield "/v1/chat/completions", {**chat, "stream": True}
    yield "/openai/deployments/guarded/chat/completions?api-version=2024-10-21", {"messages": chat["messages"]}
    yield "/v1/completions", {"model": "guarded", "prompt": text}
    yield "/v1/completions", {"model": "guarded", "prompt": text, "stream": True}
    yield "/v1/responses", {"model": "guarded", "input": text, "store": False}
    yield "/v1/messages", {"model": "guarded", "max_tokens": 500, "messages": chat["messages"]}


@pytest.mark.parametrize("number", range(7))
def test_personal_data_passes_on_no_route(guarded, number):
    """The engine repeats what it read: it has not read it."""
    path, body = list(bodies(SAID))[number]
    answer = guarded.post(path, json=body)
    assert answer.status_code == 200, answer.text
    assert MAIL not in answer.text
    assert CARD not in answer.text
    assert "[email]" in answer.text or "[email" in answer.text.replace('"', "")
    assert "prompt personal mask" in answer.headers["x-primeur-guard"]


@pytest.mark.parametrize("number", range(7))
def test_a_blocked_word_is_refused_on_every_route(guarded, number):
    """With the code that content filters have."""
    path, body = list(bodies("tell me of Project X"))[number]
    answer = guarded.post(path, json=body)
    assert answer.status_code == 400, answer.text
    assert "project-x" in answer.text
    assert "Project X" not in answer.text


def test_vectors_are_of_the_masked_text(guarded):
    """And tokens in place of text are refused."""
    one = guarded.post("/v1/embeddings", json={"model": "guarded", "input": MAIL}).json()["data"][0]["embedding"]
    other = guarded.post("/v1/embeddings", json={"model": "guarded", "input": "[email]"}).json()["data"][0]["embedding"]
    assert one == other
    assert guarded.post("/v1/embeddings", json={"model": "guarded", "input": [[1, 2]]}).status_code == 400


def test_long_prompts_and_images_by_url_are_refused(guarded):
    """The guard says so."""
    chat = {"model": "guarded", "messages": [{"role": "user", "content": "x" * 2001}]}
    assert guarded.post("/v1/chat/completions", json=chat).json()["error"]["code"] == "prompt_too_long"
    part = {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}
    chat["messages"][0]["content"] = [part]
    assert guarded.post("/v1/chat/completions", json=chat).json()["error"]["code"] == "image_url_refused"


def test_an_image_leads_nowhere_inside(guarded):
    """Also without a guard."""
    part = {"type": "image_url", "image_url": {"url": "http://169.254.169.254/latest/meta-data/"}}
    chat = {"model": "echo", "messages": [{"role": "user", "content": [part]}]}
    error = guarded.post("/v1/chat/completions", json=chat).json()["error"]
    assert (error["code"], error["param"]) == ("egress_refused", "messages[0].content[0].image_url.url")


def test_decisions_are_in_the_log_and_counted(guarded, service):
    """Who, which rule, in which request; never what was found."""
    answer = guarded.post(
        "/v1/chat/completions", json={"model": "guarded", "messages": [{"role": "user", "content": SAID}]}
    )
    events = service.manage("GET", f"/audit/events?kind=GuardDecided&request_id={answer.headers['x-request-id']}")[
        "data"
    ]
    assert len(events) == 1
    assert events[0]["data"]["rules"] == {"personal": 2, "mood": 1}
    assert (events[0]["data"]["stage"], events[0]["data"]["decision"]) == ("prompt", "mask")
    assert MAIL not in str(events)
    metrics = httpx2.get(f"{service.url}/metrics", headers={"authorization": f"Bearer {service.operator}"}).text
    assert (
        'primeur_guard_findings_total{action="block",deployment="guarded",rule="project-x",stage="prompt"}' in metrics
    )
    assert service.manage("GET", "/audit/verification")["intact"]


@pytest.fixture(scope="module")
def overheard(service):
    """A client of a deployment whose guard looks at answers alone; the engine repeats the prompt."""
    service.deploy("overheard", engine="echo")
    service.manage(
        "PUT",
        "/deployments/overheard/guard",
        {"rules": [{"name": "personal", "action": "mask", "on": "answer", "finds": ["email", "card"]}]},
    )
    headers = {"authorization": f"Bearer {service.make_key('overheard')}", "content-type": "application/json"}
    with httpx2.Client(base_url=service.url, headers=headers, timeout=30) as client:
        yield client


@pytest.mark.parametrize("long_way", [False, True])
@pytest.mark.parametrize("number", range(7))
def test_answers_are_masked_and_told_of_on_both_ways(overheard, service, number, long_way):
    """The prompt had nothing to be told of; a body of unknown length takes the long way."""
    path, body = list(bodies(SAID))[number]
    data = json.dumps({**body, "model": "overheard"}).encode()
    path = path.replace("/guarded/", "/overheard/")
    answer = overheard.post(path, content=iter([data]) if long_way else data)
    assert answer.status_code == 200, answer.text
    assert MAIL not in answer.text
    assert CARD not in answer.text
    assert "[email" in answer.text.replace('"', "")
    request_id = answer.headers["x-request-id"]
    if not body.get("stream"):
        assert answer.headers["x-primeur-guard"] == "answer personal mask, answer personal mask"
    assert service.logged(request_id)["outcome"] == "completed"
    events = service.manage("GET", f"/audit/events?kind=GuardDecided&request_id={request_id}")["data"]
    assert [one["data"]["stage"] for one in events] == ["answer"]


@pytest.mark.usefixtures("guarded")
def test_openai_s_client_asks_what_a_guard_finds(service):
    """Its rules are categories; nothing passes and nothing is refused."""
    policy = {"rules": [*POLICY["rules"], {"name": "violence_graphic", "action": "block", "words": ["gore"]}]}
    service.manage("PUT", "/deployments/guarded/guard", policy)
    with openai.OpenAI(base_url=f"{service.url}/v1", api_key=service.make_key("judge"), max_retries=0) as client:
        one = client.moderations.create(model="guarded", input=[f"gore, {MAIL}", "a calm day"])
        loud, calm = one.results
        assert (one.id[:5], one.model, loud.flagged, calm.flagged) == ("modr-", "guarded", True, False)
        assert (loud.categories.violence_graphic, loud.category_scores.violence_graphic) == (True, 1.0)
        assert loud.categories.violence is False
        assert loud.category_applied_input_types.violence_graphic == ["text"]
        assert loud.category_applied_input_types.violence == []
        assert {name: loud.categories.to_dict()[name] for name in ("personal", "project-x")} == {
            "personal": True,
            "project-x": False,
        }
        parts = [{"type": "text", "text": "project"}, {"type": "text", "text": "gore"}]
        assert [each.flagged for each in client.moderations.create(input=parts).results] == [True]
        with pytest.raises(openai.BadRequestError) as caught:
            client.moderations.create(input=[{"type": "image_url", "image_url": {"url": "https://a.example/b.png"}}])
        assert caught.value.param == "input[0]"
        with pytest.raises(openai.NotFoundError) as unknown:
            client.moderations.create(model="nobody", input="x")
        assert unknown.value.code == "model_not_found"
    service.manage("PUT", "/deployments/guarded/guard", POLICY)
