"""Webhooks, against a real receiver on loopback and with errands handed in."""

import asyncio
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

import msgspec
import pytest

from primeur.core.egress import Egress, read_egress
from primeur.core.errors import BadRequest, EgressRefused, TargetFailed, TargetTimedOut
from primeur.governance import webhook_rows as rows
from primeur.governance.webhook_rules import PAUSES_MS, sign, webhook_secret
from primeur.relay.errand import PooledErrands
from primeur.walks.send_webhook import (
    check_webhook_url,
    deliver_once,
    forget_webhooks,
    retry_webhook,
    send_webhook,
)

LISTED = read_egress(("127.0.0.1",), own_machine=False)


@asynccontextmanager
async def receiver(*answers: bytes):
    """Answers each connection with the next of *answers* and remembers what it was told."""
    log, left, talking = [], list(answers), []

    async def talk(reader, writer):
        talking.append(asyncio.current_task())
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
            log.append((head, await reader.readexactly(int(length or 0))))
            if left:
                writer.write(left.pop(0))
            else:
                await reader.read()
        except asyncio.IncompleteReadError:
            log.append((b"", b""))
        finally:
            writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook?x=1", log
    finally:
        server.close()
        # Whoever was let in a moment ago has not begun to talk yet.
        for _ in range(5):
            await asyncio.sleep(0)
        await asyncio.wait(talking, timeout=5) if talking else None
        await asyncio.sleep(0)


def answer(status: str, *lines: str, body: str = "") -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status}", f"content-length: {len(body)}", *lines, "", body]).encode()


@pytest.fixture
def sending(founded):
    return replace(founded, errands=PooledErrands(LISTED), place=replace(founded.place, egress=LISTED))


async def standing(house, delivery_id):
    return await house.store.read(lambda tx: rows.find_delivery(tx, delivery_id))


async def test_a_delivery_arrives_signed(sending):
    """A receiver can check who sent it, what, and when."""
    async with receiver(answer("204 No Content")) as (url, log):
        made = await send_webhook(sending, url, "invoice.issued", {"total": 12})
        assert await deliver_once(sending) == 1
    head, body = log[0]
    said = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:-2])
    expected = sign(webhook_secret(sending.place.pepper, url), made, int(said[b"webhook-timestamp"]), body)
    assert (said[b"webhook-id"], said[b"webhook-signature"]) == (made.encode(), expected.encode())
    assert msgspec.json.decode(body)["data"] == {"total": 12}
    assert (await standing(sending, made)).state == "delivered"
    assert await deliver_once(sending) == 0


async def test_a_receiver_that_fails_is_asked_again_until_it_is_abandoned(sending, clock, owner):
    """With growing pauses, an event at the end, and a way to try once more."""
    async with receiver(*[answer("500 Oops")] * 8, answer("200 OK")) as (url, log):
        made = await send_webhook(sending, url, "x", {})
        for pause_ms in (*PAUSES_MS, 0):
            assert await deliver_once(sending) == 1
            assert await deliver_once(sending) == 0
            clock.ms += pause_ms * 6 // 5 + 1
        found = await standing(sending, made)
        assert (found.state, found.attempts, found.status, len(log)) == ("abandoned", 8, 500, 8)
        await retry_webhook(sending, owner, made)
        assert await deliver_once(sending) == 1
    assert (await standing(sending, made)).state == "delivered"
    clock.ms += 31 * 86_400_000
    assert await forget_webhooks(sending) == 1


async def test_a_receiver_out_of_bounds_is_never_connected_to(sending):
    """Nor is a redirect followed there."""
    shut = replace(sending, errands=PooledErrands(Egress()))
    async with receiver(answer("200 OK")) as (url, log):
        made = await send_webhook(shut, url, "x", {})
        await deliver_once(shut)
        assert log == []
    assert "loopback" in (await standing(shut, made)).fault
    with pytest.raises(BadRequest, match="--egress"):
        check_webhook_url(replace(shut, place=replace(shut.place, egress=Egress())), url)


async def test_a_redirect_is_judged_anew():
    """The first host is listed, the second is not."""
    there = answer("302 Found", "location: http://169.254.169.254/latest/meta-data/")
    async with receiver(there, there) as (url, _):
        assert (await PooledErrands(LISTED).run("GET", url)).status == 302
        with pytest.raises(EgressRefused, match="metadata"):
            await PooledErrands(LISTED).run("GET", url, redirects=3)


async def test_redirects_end_and_leave_credentials_behind():
    """A loop is a fault; another host never sees the first one's key."""
    async with receiver(answer("200 OK", body="here")) as (second, seen):
        async with receiver(answer("307 On", f"location: {second}")) as (first, _):
            found = await PooledErrands(LISTED).run("GET", first, headers=[(b"authorization", b"secret")], redirects=1)
        assert (found.body, b"secret" in seen[0][0]) == (b"here", False)
    async with receiver(*[answer("302 On", "location: /again")] * 4) as (url, log):
        with pytest.raises(TargetFailed, match="once too often"):
            await PooledErrands(LISTED).run("GET", url, redirects=2)
        assert len(log) == 3


async def test_an_errand_has_bounds():
    """In bytes and in time."""
    async with receiver(answer("200 OK", body="x" * 100)) as (url, _):
        with pytest.raises(TargetFailed, match="more than 10 bytes"):
            await PooledErrands(LISTED).run("GET", url, limit_bytes=10)
    async with receiver() as (url, _):
        with pytest.raises(TargetTimedOut):
            await PooledErrands(LISTED).run("GET", url, timeout_s=0.2)


async def test_the_doors_list_retry_and_show_the_secret(client, founded):
    """And a URL that can never be reached is said to be so."""
    made = await send_webhook(founded, "https://a.example/hook", "x", {})
    page = (await client.get("/api/v1/webhooks/deliveries?state=pending&limit=1")).json()
    assert [one["id"] for one in page["data"]] == [made]
    assert (await client.post(f"/api/v1/webhooks/deliveries/{made}/retry")).json()["attempts"] == 0
    shown = (await client.get("/api/v1/webhooks/secret?url=https://a.example/hook")).json()
    assert shown["secret"] == webhook_secret(founded.place.pepper, "https://a.example/hook")
    refused = await client.get("/api/v1/webhooks/secret?url=http://10.0.0.1/")
    assert (refused.status_code, "--egress 10.0.0.1:80" in refused.text) == (400, True)
