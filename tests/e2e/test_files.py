"""Files, uploads and batches with OpenAI's official client over the whole service."""

import asyncio
import hashlib
import io
import json
import sqlite3
import time
from contextlib import closing

import openai
import pytest
from openai import AsyncOpenAI, OpenAI

CHAT = "/v1/chat/completions"


@pytest.fixture
def client(service):
    with OpenAI(base_url=f"{service.url}/v1", api_key=service.key, max_retries=0) as opened:
        yield opened


def requests_file(client, *bodies, url=CHAT):
    """Keep a batch's input file."""
    lines = [{"custom_id": f"r{n}", "method": "POST", "url": url, "body": body} for n, body in enumerate(bodies)]
    text = "\n".join(json.dumps(line) for line in lines).encode()
    return client.files.create(file=("in.jsonl", text), purpose="batch")


def chat(words):
    return {"model": "echo", "messages": [{"role": "user", "content": words}]}


def finished(client, batch_id):
    """Wait until a batch is at an end."""
    last = time.monotonic() + 60
    while (batch := client.batches.retrieve(batch_id)).status not in {"completed", "failed", "expired", "cancelled"}:
        assert time.monotonic() < last, batch
        time.sleep(0.1)
    return batch


def lines_of(client, file_id):
    return [json.loads(line) for line in client.files.content(file_id).text.splitlines()]


def test_a_file_is_kept_read_listed_and_deleted(client):
    """Byte for byte; binary too."""
    data = bytes(range(256)) * 4096
    expires = {"anchor": "created_at", "seconds": 3600}
    made = client.files.create(file=("a.bin", io.BytesIO(data)), purpose="user_data", expires_after=expires)
    assert (made.bytes, made.filename, made.purpose) == (len(data), "a.bin", "user_data")
    assert made.expires_at == made.created_at + 3600
    assert client.files.content(made.id).read() == data
    assert client.files.retrieve(made.id) == made
    assert made.id in [file.id for file in client.files.list(purpose="user_data")]
    assert client.files.wait_for_processing(made.id).status == "processed"
    assert client.files.delete(made.id).deleted
    with pytest.raises(openai.NotFoundError, match=made.id):
        client.files.content(made.id)


def test_files_are_listed_page_by_page(client):
    """The client turns the pages by itself."""
    made = [client.files.create(file=(f"{n}.txt", b"x"), purpose="evals").id for n in range(5)]
    assert [file.id for file in client.files.list(purpose="evals", limit=2, order="asc")] == made
    assert [file.id for file in client.files.list(purpose="evals", limit=2)] == made[::-1]


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"purpose": "poetry"}, "purpose"),
        ({"purpose": "batch_output"}, "purpose"),
        ({"file": ("a" * 300, b"x")}, "filename"),
        ({"expires_after": {"anchor": "created_at", "seconds": 5}}, "expires_after[seconds]"),
        ({"extra_body": {"surprise": "1"}}, "surprise"),
    ],
)
def test_a_file_that_cannot_be_is_refused_by_name(client, fields, param):
    """Before it is kept."""
    with pytest.raises(openai.BadRequestError) as caught:
        client.files.create(**{"file": ("a.txt", b"x"), "purpose": "user_data", **fields})
    assert caught.value.param == param


def test_a_large_file_comes_in_parts(client):
    """The client's own chunking, checked by md5."""
    data = hashlib.shake_256(b"seed").digest(3 << 20)
    done = client.uploads.upload_file_chunked(
        file=data,
        filename="big.bin",
        bytes=len(data),
        mime_type="application/octet-stream",
        purpose="user_data",
        part_size=1 << 20,
        md5=hashlib.md5(data, usedforsecurity=False).hexdigest(),
    )
    assert (done.status, done.file.bytes) == ("completed", len(data))
    assert client.files.content(done.file.id).read() == data


def test_an_upload_is_cancelled_or_refused(client):
    """By name, with the state it is in."""
    upload = client.uploads.create(filename="a", bytes=3, mime_type="text/plain", purpose="batch")
    part = client.uploads.parts.create(upload.id, data=b"abc")
    with pytest.raises(openai.BadRequestError) as caught:
        client.uploads.complete(upload.id, part_ids=[part.id], md5="0" * 32)
    assert caught.value.param == "md5"
    assert client.uploads.cancel(upload.id).status == "cancelled"
    with pytest.raises(openai.ConflictError, match="cancelled"):
        client.uploads.complete(upload.id, part_ids=[part.id])


def test_a_batch_runs_every_kind_of_request(client):
    """Each answer is what the endpoint itself would have given."""
    for url, body in (
        (CHAT, chat("hello")),
        ("/v1/completions", {"model": "echo", "prompt": "hello"}),
        ("/v1/embeddings", {"model": "echo", "input": "hello"}),
        ("/v1/responses", {"model": "echo", "input": "hello"}),
    ):
        file = requests_file(client, body, body, url=url)
        made = client.batches.create(
            input_file_id=file.id, endpoint=url, completion_window="24h", metadata={"url": url}
        )
        done = finished(client, made.id)
        assert (done.status, done.request_counts.completed, done.error_file_id) == ("completed", 2, None), done
        assert (done.metadata, done.model) == ({"url": url}, "echo")
        assert done.usage.total_tokens > 0
        first, _ = lines_of(client, done.output_file_id)
        assert (first["custom_id"], first["response"]["status_code"]) == ("r0", 200)
    assert made.id in [batch.id for batch in client.batches.list(limit=2)]


def test_lines_that_fail_are_told_in_the_error_file(client):
    """With the status and body that their endpoint gives."""
    file = requests_file(client, chat("fine"), {**chat("x"), "model": "nothing"}, {**chat("x"), "n": 0})
    done = finished(client, client.batches.create(input_file_id=file.id, endpoint=CHAT, completion_window="24h").id)
    assert (done.request_counts.completed, done.request_counts.failed) == (1, 2)
    unknown, invalid = lines_of(client, done.error_file_id)
    assert (unknown["response"]["status_code"], invalid["response"]["status_code"]) == (404, 400)
    assert invalid["response"]["body"]["error"]["param"] == "n"


def test_a_faulty_file_fails_its_batch(client):
    """Every faulty line is named by its number."""
    file = client.files.create(file=("in.jsonl", b'{"custom_id": 1}\nnonsense\n'), purpose="batch")
    done = finished(client, client.batches.create(input_file_id=file.id, endpoint=CHAT, completion_window="24h").id)
    assert done.status == "failed"
    assert [fault.line for fault in done.errors.data] == [1, 2]


def test_a_batch_that_cannot_be_is_refused(client):
    """At once, where that is known at once."""
    text = client.files.create(file=("a.txt", b"x"), purpose="user_data")
    for fields in ({"input_file_id": text.id}, {"endpoint": "/v1/images/generations"}, {"completion_window": "1h"}):
        with pytest.raises(openai.BadRequestError):
            client.batches.create(**{"input_file_id": text.id, "endpoint": CHAT, "completion_window": "24h", **fields})
    with pytest.raises(openai.NotFoundError):
        client.batches.create(input_file_id="file_nowhere", endpoint=CHAT, completion_window="24h")


def test_a_batch_is_cancelled(client):
    """What is finished is in the output file; what was not run is told as an error."""
    file = requests_file(client, *(chat(f"[[delay_ms=300]] {n}") for n in range(60)))
    made = client.batches.create(input_file_id=file.id, endpoint=CHAT, completion_window="24h")
    while client.batches.retrieve(made.id).request_counts.completed == 0:
        time.sleep(0.1)
    assert client.batches.cancel(made.id).status == "cancelling"
    done = finished(client, made.id)
    assert done.status == "cancelled"
    ran, unrun = lines_of(client, done.output_file_id), lines_of(client, done.error_file_id)
    assert len(ran) == done.request_counts.completed
    assert len(ran) + len(unrun) == 60
    assert {line["error"]["code"] for line in unrun} == {"batch_cancelled"}


async def test_the_async_client_does_the_same(service):
    """Several files at once."""
    async with AsyncOpenAI(base_url=f"{service.url}/v1", api_key=service.key, max_retries=0) as client:
        files = await asyncio.gather(
            *(client.files.create(file=("same.txt", b"same bytes"), purpose="user_data") for _ in range(8))
        )
        for file in files[:-1]:
            await client.files.delete(file.id)
        assert (await client.files.content(files[-1].id)).text == "same bytes"


@pytest.mark.crash
def test_a_killed_service_finishes_its_batch_and_counts_each_line_once(house_of_its_own):
    """Lines that were answered before the crash are not run again."""
    service = house_of_its_own
    service.start()
    service.deploy("echo", engine="echo")
    with OpenAI(base_url=f"{service.url}/v1", api_key=service.key, max_retries=0) as client:
        file = requests_file(client, *(chat(f"[[delay_ms=150]] {n}") for n in range(80)))
        made = client.batches.create(input_file_id=file.id, endpoint=CHAT, completion_window="24h")
        for least in (5, 40):
            service.wait_until(lambda n=least: client.batches.retrieve(made.id).request_counts.completed >= n, "so far")
            before = client.batches.retrieve(made.id).request_counts.completed
            service.kill()
            service.start()
            assert client.batches.retrieve(made.id).request_counts.completed >= before
        done = finished(client, made.id)
        output = lines_of(client, done.output_file_id)
        ids = [line["response"]["request_id"] for line in output]
        assert [line["custom_id"] for line in output] == [f"r{n}" for n in range(80)]
        assert len(set(ids)) == 80
        for request_id in ids:
            assert service.logged(request_id)["outcome"] == "completed"
        service.stop()
        with closing(sqlite3.connect(service.folder / "primeur.db")) as books:
            assert books.execute("select count(*) from requests where outcome = 'completed'").fetchone() == (80,)
