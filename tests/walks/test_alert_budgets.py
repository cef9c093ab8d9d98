"""Budgets that are reached are told of: once in each period, by webhook and by a mail that a real server takes."""

import asyncio
import dataclasses
import ssl
import time
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from primeur.billing import alert_rows as rows
from primeur.core.errors import SetupError, TargetFailed
from primeur.core.usage import Usage, UsageEvent
from primeur.governance import webhook_rows
from primeur.governance.rows import find_project
from primeur.metering.rows import keep_usage
from primeur.relay.post import SmtpPost, read_address
from primeur.walks.alert_budgets import alert_once
from primeur.walks.send_mails import PAUSES_MS, send_due

EUR = 1_000_000_000


class MailServer:
    """Takes mails by SMTP, as RFC 5321 has it; with *tls* it offers STARTTLS and takes nothing before."""

    def __init__(self, tls=None, *, refuses=False):
        self.tls, self.refuses = tls, refuses
        self.letters, self.encrypted = [], []

    async def __aenter__(self):
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_):
        self.server.close()
        await self.server.wait_closed()

    async def serve(self, reader, writer):
        secure = False
        writer.write(b"220 here\r\n")
        while line := await reader.readline():
            word = line.split()[0].upper() if line.split() else b""
            if word == b"EHLO":
                writer.write(
                    b"250-here\r\n250-STARTTLS\r\n250 8BITMIME\r\n" if self.tls and not secure else b"250 here\r\n"
                )
            elif word == b"STARTTLS":
                writer.write(b"220 go\r\n")
                await writer.start_tls(self.tls)
                secure = True
            elif self.refuses and word == b"RCPT":
                writer.write(b"451 later\r\n")
            elif word == b"DATA":
                writer.write(b"354 go on\r\n")
                letter = await reader.readuntil(b"\r\n.\r\n")
                self.letters.append(letter.decode())
                self.encrypted.append(secure)
                writer.write(b"250 taken\r\n")
            elif word == b"QUIT":
                writer.write(b"221 bye\r\n")
                break
            else:
                writer.write(b"250 fine\r\n")
            await writer.drain()
        writer.close()


@pytest.fixture
def papers(tmp_path):
    """A certificate for 127.0.0.1; gives the server's context and one that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail")])
    now = datetime.fromtimestamp(time.time_ns() // 10**9, UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (tmp_path / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (tmp_path / "key.pem").write_bytes(key.private_bytes(*form))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    return server, ssl.create_default_context(cafile=tmp_path / "cert.pem")


@pytest.fixture
def spend(founded, clock):
    """Books what the default project's requests cost, in euros."""
    count = 0

    async def write(euros):
        nonlocal count
        count += 1

        def work(tx):
            event = UsageEvent(
                id=f"req_{count}", at_ms=clock.ms, route="chat", outcome="completed", status=200,
                project_id=find_project(tx, "default").id, usage=Usage(1), cost_nanos=euros * EUR, currency="EUR",
            )  # fmt: skip
            keep_usage(tx, [event])

        await founded.store.transact(work)

    return write


@pytest.fixture
async def watched(client):
    """A budget of 80 (soft) and 100 a month, and two who are told."""
    budget = {"limit": "100.00", "soft": "80.00"}
    assert (await client.put("/api/v1/budgets/project/default/month", json=budget)).status_code == 200
    target = {"kind": "email", "address": "cfo@example.org", "language": "fr"}
    assert (await client.post("/api/v1/alert-targets", json=target)).status_code == 201
    return client


async def mails(founded):
    return await founded.store.read(lambda tx: rows.due_mails(tx, 1 << 60, 100))


@pytest.mark.usefixtures("watched")
async def test_each_threshold_is_told_once_and_again_in_the_next_month(founded, clock, spend):
    """Soft, then hard; the next month begins anew."""
    await spend(79)
    assert await alert_once(founded) == 0
    await spend(1)
    assert (await alert_once(founded), await alert_once(founded)) == (1, 0)
    await spend(20)
    assert (await alert_once(founded), await alert_once(founded)) == (1, 0)
    clock.ms += 31 * 86_400_000
    assert await alert_once(founded) == 0
    await spend(200)
    assert await alert_once(founded) == 2
    subjects = [mail.subject for mail in await mails(founded)]
    assert len(subjects) == 4
    assert "project default a dépensé 80 EUR : limite souple de 80 EUR atteinte" in subjects


@pytest.mark.usefixtures("watched")
async def test_a_webhook_is_told_in_the_same_transaction(founded, spend):
    """Its delivery waits to be sent, signed like any other."""
    await founded.store.transact(
        lambda tx: rows.add_target(tx, rows.AlertTarget("alt_1", rows.WEBHOOK, "https://example.org/hook", "en", 0))
    )
    await spend(90)
    await alert_once(founded)
    now_ms = founded.clock.now_ms()
    (due,) = await founded.store.transact(lambda tx: webhook_rows.take_due(tx, now_ms, 1, 10))
    assert (due.kind, '"threshold":"soft"' in due.body) == ("budget.reached", True)


@pytest.mark.usefixtures("watched")
async def test_a_mail_is_taken_by_a_server_under_starttls(founded, spend, papers):
    """Encrypted, with its letters as they are; then it is not sent again."""
    server_tls, trusts = papers
    await spend(90)
    await alert_once(founded)
    async with MailServer(server_tls) as server:
        house = dataclasses.replace(founded, post=SmtpPost("127.0.0.1", server.port, "p@example.org", trusts=trusts))
        assert (await send_due(house), await send_due(house)) == (1, 0)
    assert server.encrypted == [True]
    assert "To: cfo@example.org" in server.letters[0]


@pytest.mark.usefixtures("watched")
async def test_a_mail_that_is_not_taken_is_tried_again_and_at_last_abandoned(founded, clock, spend):
    """With longer and longer pauses; the log tells the end."""
    await spend(90)
    await alert_once(founded)
    async with MailServer(refuses=True) as server:
        house = dataclasses.replace(founded, post=SmtpPost("127.0.0.1", server.port, "p@example.org"))
        for pause_ms in (*PAUSES_MS, 0):
            assert (await send_due(house), await send_due(house)) == (1, 0)
            clock.ms += pause_ms
    assert await mails(founded) == []


async def test_a_server_elsewhere_must_encrypt(papers):
    """One whose certificate is not believed gets no mail; one that does not answer is named."""
    async with MailServer(papers[0]) as server:
        with pytest.raises(TargetFailed, match="did not take a mail"):
            await SmtpPost("127.0.0.1", server.port, "p@example.org").send("x@example.org", "s", "b")
    assert server.letters == []


async def test_who_is_told_can_be_changed_and_faults_are_named(watched):
    """No e-mail address, no URL, nobody of that id."""
    (one,) = (await watched.get("/api/v1/alert-targets")).json()["data"]
    for kind, address in (("email", "nobody"), ("webhook", "ftp://example.org")):
        refused = await watched.post("/api/v1/alert-targets", json={"kind": kind, "address": address})
        assert refused.status_code == 400
    assert (await watched.delete(f"/api/v1/alert-targets/{one['id']}")).status_code == 200
    assert (await watched.delete(f"/api/v1/alert-targets/{one['id']}")).status_code == 404


def test_the_address_of_a_mail_server_holds_no_password():
    """And says where the port and the user are."""
    assert read_address("smtps://me@mail.example.org") == ("mail.example.org", 465, "me", True)
    assert read_address("smtp://127.0.0.1:25") == ("127.0.0.1", 25, "", False)
    for wrong in ("smtp://me:secret@mail.example.org", "http://mail", "mail"):
        with pytest.raises(SetupError, match="PRIMEUR_SMTP_PASSWORD"):
            read_address(wrong)
