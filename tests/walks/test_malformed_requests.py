"""What nobody meant to send: every door answers it in words, never with a fault of its own."""

import json

import pytest

from primeur.gateway.table import DOORS

ODD = [
    None, True, -1, 1 << 40, 1 << 63, 1 << 200, 0.5, 1e300, "", "default", "a b", "../..", "x" * 300, "é", "\x00",
    "\ud800", "💶", "' OR 1=1 --", "%", [], ["x\x00"], [None], {}, {"a": {"b": [1, {"c": "\x00"}]}},
]  # fmt: skip
BROKEN = [b"", b"{", b"\xff\xfe", b"[" * 5000, b'{"name":1e999}', b"nul", b"null", b"[]", b"3"]
NAMES = ["default", "%00", "%2525", "a%252Fb", "%F0%9F%92%B6", "x" * 300]
KEEPING = ("/v1/files", "/v1/uploads", "/v1/batches", "/v1/responses", "/v1/conversations", "/v1/moderations")
DOORS_TO_TRY = [door for door in DOORS if door.path.startswith(("/api/v1/", *KEEPING))]
# What makes the rest of a body good, so that the odd value is what is looked at.
GOOD = {
    "currency": "EUR", "input": "1", "output": "1", "name": "fine", "kind": "paper", "deployment": "talk",
    "engine": "echo", "document": {}, "model": "talk", "filename": "a.txt", "purpose": "batch",
    "bytes": 3, "mime_type": "text/plain", "part_ids": ["part_1"], "completion_window": "24h",
    "endpoint": "/v1/embeddings", "items": [{"role": "user", "content": "hi"}], "metadata": {},
}  # fmt: skip


def path_of(door, name):
    return "/".join(name if part[:1] == "{" else part for part in door.path.split("/"))


def fields_of(door):
    return [*getattr(door.takes, "__struct_fields__", ()), "bla"]


def bodies(door):
    """Every field with every odd value, beside fields that are good; entries of a document; and no JSON at all."""
    good = {field: GOOD[field] for field in fields_of(door) if field in GOOD}
    yield from BROKEN
    for field in fields_of(door):
        for value in ODD:
            yield json.dumps(good | {field: value}).encode()
    if "document" in good:
        for noun in ("projects", "keys", "models", "providers", "deployments", "aliases", "prices"):
            for value in ODD:
                entries = [{"name": value}, {"name": {"rpm": value, "settings": value}}, {str(value)[:250]: {}}]
                for entry in entries:
                    yield json.dumps({"document": {noun: entry}}).encode()


async def expect_words(answer, sent):
    assert answer.status_code < 500, (sent, answer.text)
    if answer.status_code >= 400:
        assert answer.json()["error"]["message"], sent


@pytest.mark.parametrize("door", DOORS_TO_TRY, ids=lambda door: f"{door.method} {door.path}")
async def test_malformed_requests_are_answered_in_words(client, door):
    """Odd names, odd queries, odd bodies; the status is never a 5xx."""
    for name in NAMES if "{" in door.path else ():
        await expect_words(await client.request(door.method, path_of(door, name), content=b"{}"), name)
    if door.method == "GET":
        for field in fields_of(door):
            for value in ODD:
                if value != "\ud800":
                    query = {field: str(value)}
                    await expect_words(await client.get(path_of(door, "default"), params=query), query)
    elif not door.streams_body:
        for body in bodies(door):
            await expect_words(await client.request(door.method, path_of(door, "odd"), content=body), body)
