"""The doors of what is kept, without an engine: what they show, and what they refuse."""

import httpx2
import msgspec
import pytest

from primeur.archive.response_rows import KeptResponse, insert_response

TEXT = {"file": ("a.txt", b"hello")}


@pytest.fixture
async def response(founded, caller_as):
    """A stored response of the default project."""
    items = [{"id": f"msg_{n}", "type": "message"} for n in range(3)]
    inputs = msgspec.json.encode(items).decode()
    project_id = (await caller_as()).project_id
    kept = KeptResponse("resp_1", project_id, None, None, "completed", inputs, '{"id":"resp_1","output":[]}', 1)
    await founded.store.transact(lambda tx: insert_response(tx, kept, [item["id"] for item in items]))
    return kept


async def fault(answer: httpx2.Response) -> tuple[int, str | None]:
    return answer.status_code, answer.json()["error"]["param"]


async def test_a_file_goes_in_and_out_and_away(client):
    """As an attachment that no browser shows as a page."""
    made = (await client.post("/v1/files", files=TEXT, data={"purpose": "user_data"})).json()
    assert (made["bytes"], made["status"], made["expires_at"]) == (5, "processed", None)
    assert (await client.get(f"/v1/files/{made['id']}")).json() == made
    content = await client.get(f"/v1/files/{made['id']}/content")
    assert content.content == b"hello"
    assert content.headers["x-content-type-options"] == "nosniff"
    assert content.headers["content-disposition"] == "attachment"
    assert (await client.get("/v1/files")).json()["data"] == [made]
    assert (await client.delete(f"/v1/files/{made['id']}")).json()["deleted"]
    assert await fault(await client.get(f"/v1/files/{made['id']}")) == (404, "file_id")
    assert await fault(await client.get("/v1/files/no%20id")) == (404, "file_id")


async def test_a_form_has_no_unknown_fields(client):
    """They would be ignored otherwise."""
    answer = await client.post("/v1/files", files=TEXT, data={"purpose": "batch", "surprise": "x"})
    assert await fault(answer) == (400, "surprise")


async def test_an_upload_is_shown_in_every_state(client):
    """With its file once it has one."""
    asked = {"filename": "a", "bytes": 5, "mime_type": "text/plain", "purpose": "batch"}
    upload = (await client.post("/v1/uploads", json=asked)).json()
    path = f"/v1/uploads/{upload['id']}"
    part = (await client.post(f"{path}/parts", files={"data": b"hello"})).json()
    assert (await client.get(path)).json()["status"] == "pending"
    done = (await client.post(f"{path}/complete", json={"part_ids": [part["id"]]})).json()
    assert done["file"]["bytes"] == 5
    assert (await client.get(path)).json()["file"] == done["file"]
    assert (await client.post(f"{path}/cancel")).status_code == 409
    other = (await client.post("/v1/uploads", json=asked)).json()
    assert (await client.post(f"/v1/uploads/{other['id']}/cancel")).json()["status"] == "cancelled"


async def test_a_batch_is_queued_shown_listed_and_cancelled(client):
    """Its file must be one for batches."""
    file = (await client.post("/v1/files", files=TEXT, data={"purpose": "batch"})).json()
    asked = {"input_file_id": file["id"], "endpoint": "/v1/embeddings", "completion_window": "24h"}
    expires = {"anchor": "created_at", "seconds": 3600}
    made = (await client.post("/v1/batches", json={**asked, "output_expires_after": expires})).json()
    assert (made["status"], made["expires_at"] - made["created_at"]) == ("validating", 86_400)
    assert (await client.get(f"/v1/batches/{made['id']}")).json() == made
    assert (await client.get("/v1/batches?limit=1")).json()["data"] == [made]
    assert (await client.post(f"/v1/batches/{made['id']}/cancel")).json()["status"] == "cancelling"
    assert (await client.post(f"/v1/batches/{made['id']}/cancel")).status_code == 409
    other = (await client.post("/v1/files", files=TEXT, data={"purpose": "vision"})).json()
    for change, param in (
        ({"input_file_id": other["id"]}, "input_file_id"),
        ({"input_file_id": "a b"}, "input_file_id"),
        ({"endpoint": "/v1/moderations"}, "endpoint"),
    ):
        assert await fault(await client.post("/v1/batches", json={**asked, **change})) == (400, param)


async def test_a_project_has_a_bounded_number_of_unfinished_batches(client):
    """Clients are told to come back."""
    file = (await client.post("/v1/files", files=TEXT, data={"purpose": "batch"})).json()
    asked = {"input_file_id": file["id"], "endpoint": "/v1/embeddings", "completion_window": "24h"}
    statuses = [(await client.post("/v1/batches", json=asked)).status_code for _ in range(65)]
    assert statuses == [200] * 64 + [429]


async def test_a_conversation_is_made_changed_and_deleted(client):
    """Items by hand, too."""
    made = (await client.post("/v1/conversations")).json()
    path = f"/v1/conversations/{made['id']}"
    items = [{"role": "user", "content": str(n)} for n in range(3)]
    added = (await client.post(f"{path}/items", json={"items": items})).json()
    assert (added["first_id"], added["last_id"]) == (added["data"][0]["id"], added["data"][2]["id"])
    page = (await client.get(f"{path}/items?limit=2&include[]=message.input_image.image_url")).json()
    assert (page["has_more"], page["last_id"]) == (True, added["data"][1]["id"])
    item = f"{path}/items/{added['first_id']}"
    assert (await client.get(item)).json() == added["data"][0]
    assert (await client.delete(item)).json() == made
    assert (await client.get(item)).status_code == 404
    assert (await client.post(path, json={"metadata": {"a": "b"}})).json()["metadata"] == {"a": "b"}
    assert await fault(await client.get(f"{path}/items?include=reasoning.encrypted_content")) == (400, "include")
    again = await client.post(f"{path}/items", json={"items": [added["data"][1]]})
    assert await fault(again) == (400, "items")
    assert (await client.delete(path)).json()["object"] == "conversation.deleted"
    assert (await client.get(path)).status_code == 404


async def test_a_stored_response_is_shown_paged_and_deleted(client, response):
    """What cannot be done with it is refused by name."""
    path = f"/v1/responses/{response.id}"
    assert (await client.get(f"{path}?stream=false")).content == response.body.encode()
    page = (await client.get(f"{path}/input_items?order=asc&limit=1&after=msg_0")).json()
    assert ([item["id"] for item in page["data"]], page["has_more"]) == (["msg_1"], True)
    assert await fault(await client.get(f"{path}/input_items?after=msg_9")) == (400, "after")
    assert await fault(await client.get(f"{path}?stream=true")) == (400, "stream")
    assert await fault(await client.get(f"{path}?starting_after=3")) == (400, "starting_after")
    assert await fault(await client.post(f"{path}/cancel")) == (400, "response_id")
    assert (await client.delete(path)).json() == {"id": "resp_1", "object": "response", "deleted": True}
    assert await fault(await client.get(path)) == (404, "response_id")
