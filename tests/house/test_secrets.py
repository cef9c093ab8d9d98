"""No tracked file has a secret in it; what tests make up is spelt so that it can be told."""

import re
import subprocess
from pathlib import Path

import pytest

from primeur.governance.rules import KEY_PATTERN, is_spelled, spell

ROOT = Path(__file__).parents[2]
KINDS = {
    "a private key": re.compile(
        rb"-----BEGIN (?:RSA |EC |DSA |OPENSSH |ENCRYPTED )?PRIVATE KEY-----\s*[A-Za-z0-9+/=\s]{200,}"
    ),
    "an AWS key": re.compile(rb"\b(?:AKIA|ASIA)(?!IOSFODNN7EXAMPLE)[0-9A-Z]{16}\b"),
    "a GitHub token": re.compile(rb"\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{60,})"),
    "a GitLab token": re.compile(rb"\bglpat-[A-Za-z0-9_-]{20,}"),
    "a Slack token": re.compile(rb"\bxox[abprs]-[0-9]{8,}-[A-Za-z0-9-]{10,}"),
    "a Google key": re.compile(rb"\bAIza[0-9A-Za-z_-]{35}\b"),
    "an OpenAI key": re.compile(rb"\bsk-(?:proj-)?[A-Za-z0-9]{20}T3BlbkFJ[A-Za-z0-9]{20}"),
    "a Hugging Face token": re.compile(rb"\bhf_[A-Za-z]{34}\b"),
    "a password in a URL": re.compile(
        rb"\b[a-z][a-z0-9+]{2,20}://[^\s:/@'\"{}<>]{1,64}:(?!password|secret|pw|x|p|\.\.\.)[^\s:/@'\"{}<>$*]{6,64}@[a-z0-9]"
    ),
}


def tracked() -> list[Path]:
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.split(b"\0")
    return [ROOT / name.decode() for name in names if name]


def secrets_in(data: bytes) -> list[str]:
    """What of *data* is a secret."""
    found = [kind for kind, pattern in KINDS.items() if pattern.search(data)]
    texts = [match.group() for match in re.finditer(KEY_PATTERN, data.decode("utf-8", "ignore"))]
    # A made-up key has a wrong checksum, or is one sign again and again.
    return found + [f"the key {text[:7]}..." for text in texts if is_spelled(text)]


def test_no_tracked_file_has_a_secret():
    """Neither ours nor anybody's."""
    files = [path for path in tracked() if path.is_file() and path.suffix not in {".gguf", ".woff2", ".png"}]
    assert len(files) > 500
    assert {str(path.relative_to(ROOT)): found for path in files if (found := secrets_in(path.read_bytes()))} == {}


@pytest.mark.parametrize(
    "secret",
    [
        b"-----BEGIN PRIVATE KEY-----\n" + b"MIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n" * 8,
        b"AKIA" + b"Z7" * 8,
        b"ghp_" + b"a1" * 18,
        b"AIza" + b"b" * 35,
        b"postgresql://primeur:" + b"hunter22@db.corp/x",
    ],
)
def test_a_secret_would_be_found(secret):
    """This test can fail."""
    assert secrets_in(b'key = "' + secret + b'"')


def test_a_leaked_key_of_ours_would_be_found():
    """By its checksum, not by its look alone."""
    assert secrets_in(spell("pk_", lambda n: bytes(range(n))).encode())
    assert secrets_in(b"pk_" + b"a" * 43) == []
