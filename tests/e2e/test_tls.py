"""https with files of one's own, and what is said when they cannot be used."""

import datetime as dt
import ssl
import subprocess
import sys
import time
from pathlib import Path

import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from primeur.cli.reach import Reach, find_running
from primeur.cli.server import check_certificate
from primeur.config import Settings
from primeur.core.errors import SetupError


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate that nobody but us has signed, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ai.example.org")])
    now = dt.datetime.now(dt.UTC)  # noqa: TID251 (certificates are checked against the real clock)
    day = dt.timedelta(days=1)
    cert = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(now - day).not_valid_after(now + day)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("ai.example.org")]), critical=False)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    paths = tmp_path / "cert.pem", tmp_path / "key.pem"
    paths[0].write_bytes(cert.public_bytes(serialization.Encoding.PEM))
    form = serialization.PrivateFormat.PKCS8
    paths[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
    return paths


def test_https_is_served_and_the_command_line_still_reaches_it(files, tmp_path):
    """The certificate is for another name than loopback; our own commands know the very one."""
    cert, key = files
    folder = tmp_path / "data"
    program, where = [sys.executable, "-m", "primeur"], ["--data-dir", str(folder)]
    up = [*program, "up", *where, "--port", "0", "--tls-cert", str(cert), "--tls-key", str(key)]
    with subprocess.Popen(up, stdout=subprocess.DEVNULL) as process:
        try:
            running = found(folder)
            with pytest.raises(httpx2.ConnectError, match="CERTIFICATE"):
                httpx2.get(f"{running.url}/healthz")
            trusted = ssl.create_default_context(cafile=str(cert))
            trusted.check_hostname = False
            assert httpx2.get(f"{running.url}/healthz", verify=trusted).json() == {"status": "ok"}
            listed = subprocess.run([*program, "projects", "list", *where], capture_output=True, text=True, check=True)
            assert "default" in listed.stdout
        finally:
            process.terminate()


def found(folder: Path) -> Reach:
    """The service on *folder*, once it answers."""
    for _ in range(1200):
        running = find_running(folder)
        if running is not None:
            return running
        time.sleep(0.05)
    raise AssertionError("it does not answer")


@pytest.mark.parametrize("wanted", [("cert", None), (None, "key"), ("cert", "cert"), ("cert", "missing")])
def test_what_cannot_be_used_is_said_at_the_start(files, wanted, tmp_path):
    """One line, before anything listens."""
    places = {"cert": files[0], "key": files[1], "missing": tmp_path / "none.pem", None: None}
    with pytest.raises(SetupError, match=r"tls-cert|cannot be used"):
        check_certificate(Settings(tmp_path, tls_cert=places[wanted[0]], tls_key=places[wanted[1]]))
