"""Mail out, by SMTP: encrypted by STARTTLS or from the first byte, except to this very machine.

Source: RFC 5321 (SMTP), RFC 3207 (STARTTLS), RFC 8314 (smtps).
"""

import asyncio
import smtplib
import ssl
from dataclasses import dataclass, field
from email.message import EmailMessage
from ipaddress import ip_address

from primeur.core.errors import SetupError, TargetFailed

TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True)
class SmtpPost:
    """A mail server.

    Attributes:
        sender: who the mails are from.
        implicit: TLS from the first byte (``smtps``); else STARTTLS, which only this machine may lack.
        trusts: whose certificates are believed; None: those that the machine believes.
    """

    host: str
    port: int
    sender: str
    user: str = ""
    password: str = field(default="", repr=False)
    implicit: bool = False
    trusts: ssl.SSLContext | None = None

    async def send(self, recipient: str, subject: str, body: str) -> None:
        """Hand one mail over to the server.

        Raises:
            TargetFailed: the server is out of reach, refuses, or doesn't encrypt.
        """
        letter = EmailMessage()
        letter["From"], letter["To"], letter["Subject"] = self.sender, recipient, subject
        letter.set_content(body)
        try:
            await asyncio.to_thread(self._hand_over, letter)
        except (OSError, smtplib.SMTPException) as error:
            raise TargetFailed(f"the mail server {self.host}:{self.port} did not take a mail: {error}") from None

    def _hand_over(self, letter: EmailMessage) -> None:
        context = self.trusts or ssl.create_default_context()
        if self.implicit:
            server: smtplib.SMTP = smtplib.SMTP_SSL(self.host, self.port, timeout=TIMEOUT_S, context=context)
        else:
            server = smtplib.SMTP(self.host, self.port, timeout=TIMEOUT_S)
        with server:
            server.ehlo()
            if not self.implicit:
                self._encrypt(server, context)
            if self.user:
                server.login(self.user, self.password)
            server.send_message(letter)

    def _encrypt(self, server: smtplib.SMTP, context: ssl.SSLContext) -> None:
        if server.has_extn("starttls"):
            server.starttls(context=context)
            server.ehlo()
        elif not is_this_machine(self.host):
            raise smtplib.SMTPNotSupportedError("it offers no STARTTLS; use smtps:// or a server that encrypts")


def is_this_machine(host: str) -> bool:
    """Whether a name can only be this machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def read_address(url: str) -> tuple[str, int, str, bool]:
    """Read ``smtp://USER@HOST:PORT`` or ``smtps://...``; gives host, port, user and whether TLS comes first.

    Raises:
        SetupError: it is not written so, or holds a password.
    """
    scheme, found, rest = url.partition("://")
    user, _, place = rest.rpartition("@")
    host, _, port = place.partition(":")
    if not found or scheme not in {"smtp", "smtps"} or not host or ":" in user or not (port or "1").isdigit():
        raise SetupError(
            f"PRIMEUR_SMTP is not smtp://USER@HOST:PORT (it is {scheme[:10]}://...); "
            "the password goes into PRIMEUR_SMTP_PASSWORD, as env:NAME or file:PATH"
        )
    return host, int(port or (465 if scheme == "smtps" else 587)), user, scheme == "smtps"
