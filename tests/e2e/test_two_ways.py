"""What is answered inside the server's protocol and by the application reads the same, in every dialect."""

import json
import re

import httpx2
import pytest

TURNS = [
    {"role": "user", "content": "How far is the sea?"},
    {"role": "assistant", "content": "Far."},
    {"role": "user", "content": "And \"the\" hills, the 'lakes'\nand the river?"},
]
CHATS = {
    "/v1/chat/completions": {"messages": TURNS, "stream_options": {"include_usage": True}},
    "/v1/messages": {"messages": TURNS, "system": "Be short.", "max_tokens": 64},
    "/v1/responses": {"input": TURNS, "instructions": "Be short."},
    "/openai/v1/responses": {"input": TURNS, "store": False},
}
# What differs from one answer to the next: ids, moments, and what is measured.
MARKS = re.compile(r'"(?:[a-z]+_|chatcmpl-)[A-Za-z0-9_-]{16,}"|"(?:created|created_at|completed_at)": ?\d+')


def ask(service, path, body, *, long_way):
    """Ask once; a body of unknown length takes the long way."""
    data = json.dumps(body).encode()
    headers = {"authorization": f"Bearer {service.key}", "content-type": "application/json"}
    content = iter([data]) if long_way else data
    answer = httpx2.post(service.url + path, headers=headers, content=content, timeout=30)
    assert answer.status_code == 200, answer.text
    return answer


def plain(text):
    return MARKS.sub("?", text)


def events(text):
    """Every event with what it says, pieces of text joined: where a stream is cut is nobody's promise."""
    found = []
    for block in text.strip().split("\n\n"):
        name = block.partition("\ndata: ")[0] if block.startswith("event:") else "data"
        if not found or found[-1][0] != name or "delta" not in name:
            found.append((name, ""))
        found[-1] = (name, found[-1][1] + plain(block))
    return [name for name, _ in found], found[-1][1]


@pytest.mark.parametrize("path", CHATS)
def test_a_whole_answer_is_the_same_on_both_ways(service, path):
    """But for its ids and moments; and each is in the log once."""
    body = {"model": "echo", **CHATS[path]}
    body.pop("stream_options", None)
    short, long = (ask(service, path, body, long_way=way) for way in (False, True))
    assert plain(short.text) == plain(long.text)
    own = {"date", "x-request-id", "request-id", "apim-request-id", "x-primeur-overhead-us", "content-length"}
    names = [{name for name in one.headers if name not in own} for one in (short, long)]
    assert names[0] == names[1]
    assert all(service.logged(one.headers["x-request-id"])["outcome"] == "completed" for one in (short, long))


@pytest.mark.parametrize("path", CHATS)
def test_a_stream_is_the_same_on_both_ways(service, path):
    """Event for event, and to the same end."""
    body = {"model": "echo", "stream": True, **CHATS[path]}
    short, long = (ask(service, path, body, long_way=way) for way in (False, True))
    (names, last), (names_then, last_then) = (events(one.text) for one in (short, long))
    assert sorted(set(names)) == sorted(set(names_then))
    assert re.sub(r'"sequence_number": ?\d+', "", last) == re.sub(r'"sequence_number": ?\d+', "", last_then)


def test_a_response_of_the_short_way_is_stored_before_it_is_told(service):
    """Whole and as a stream, it can be fetched at once and built on."""
    headers = {"authorization": f"Bearer {service.key}"}
    body = {"model": "echo", "input": "remember me"}
    whole = ask(service, "/v1/responses", body, long_way=False).json()
    stream = ask(service, "/v1/responses", {**body, "stream": True}, long_way=False).text
    last = json.loads(stream.strip().split("\n\n")[-1].partition("data: ")[2])
    for made in (whole, last["response"]):
        kept = httpx2.get(f"{service.url}/v1/responses/{made['id']}", headers=headers).json()
        assert kept == made
        more = {"model": "echo", "input": "and more", "previous_response_id": made["id"]}
        assert ask(service, "/v1/responses", more, long_way=False).json()["previous_response_id"] == made["id"]


@pytest.mark.parametrize(("path", "body", "param"), [
    ("/v1/messages", {"messages": TURNS, "max_tokens": 0}, None),
    ("/v1/messages", {"messages": TURNS[1:], "max_tokens": 9, "nonsense": 1}, None),
    ("/v1/responses", {"input": TURNS, "background": True}, "background"),
    ("/v1/responses", {"input": [{"type": "item_reference", "id": "msg_none"}]}, "input[0].id"),
])  # fmt: skip
def test_what_is_refused_is_refused_alike(service, path, body, param):
    """In the caller's dialect."""
    headers = {"authorization": f"Bearer {service.key}"}
    answer = httpx2.post(service.url + path, headers=headers, json={"model": "echo", **body})
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"].get("param") == param
