"""What cannot be added or deployed gets one clear line, and the revision that runs answers as before."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import openai
import pytest

from primeur import weights

pytestmark = [pytest.mark.e2e]
# The shortest there is; nothing may ever read it.
PICKLE = b"\x80\x04N."
STARTER = Path(weights.__file__).parent / "starter.gguf"


@pytest.fixture
def bad(tmp_path):
    """Files that are not what they should be, by name."""
    (tmp_path / "truncated.gguf").write_bytes(STARTER.read_bytes()[:-1])
    (tmp_path / "headless.gguf").write_bytes(STARTER.read_bytes()[:900])
    (tmp_path / "pickle.gguf").write_bytes(PICKLE)
    folder = tmp_path / "pickled"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    (folder / "pytorch_model.bin").write_bytes(PICKLE)
    shutil.copy(STARTER, tmp_path / "good.gguf")
    return tmp_path


def refused(service, *words):
    """Run a command that must fail; gives its one line."""
    command = [sys.executable, "-m", "primeur", *map(str, words), "--data-dir", str(service.folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, env=dict(os.environ))
    assert done.returncode != 0, done.stdout
    assert not done.stdout
    (line,) = done.stderr.splitlines()
    return line


def said(service):
    """What the deployment answers, and by which revision."""
    with openai.OpenAI(base_url=f"{service.url}/v1", api_key=service.key, max_retries=0, timeout=60) as client:
        messages = [{"role": "user", "content": "What is a house?"}]
        raw = client.chat.completions.with_raw_response.create(
            model="steady", messages=messages, max_tokens=8, temperature=0
        )
    return raw.headers["x-primeur-revision"], raw.parse().choices[0].message.content


def pointer(service):
    """Which revisions there are and what share each has."""
    return [(one["id"], one["share"]) for one in service.manage("GET", "/deployments/steady")["revisions"]]


def test_bad_input_is_told_in_one_line_and_the_running_revision_is_left_alone(service, starter, bad):
    """Weights that are damaged, other or dangerous; a version that is missing; policies that cannot be met."""
    service.deploy("steady", model=starter, settings={"slots": 1, "context_tokens": 512})
    try:
        before, answer = pointer(service), said(service)
        versions = len(service.manage("GET", f"/models/{starter}")["versions"])
        add = ("models", "add")
        create = ("deployments", "create", "steady", "--model", starter)
        for words, reason in (
            ((*add, bad / "truncated.gguf", "--name", starter), "it is truncated"),
            ((*add, bad / "headless.gguf", "--name", starter), "inside its head"),
            ((*add, bad / "pickle.gguf", "--name", starter), "does not begin with GGUF"),
            ((*add, bad / "pickled", "--name", starter), "is a pickle"),
            ((*add, bad / "good.gguf", "--name", starter, "--sha256", "0" * 64), "not sha256:0000"),
            ((*create, "--version", "99"), "has no version 99"),
            ((*create, "--set", "slots=256", "--set", "context_tokens=99999"), "was made for 16384"),
            ((*create, "--roll-out", json.dumps({"steps": [50, 5]})), "do not grow"),
            ((*create, "--type", "provisioned"), "say reserved_tokens_per_minute"),
            (("deployments", "scale", "steady", "--min", "3", "--max", "2"), "above scaling.max"),
            (("deployments", "scale", "steady", "--window", "mon/08:00-18:00/3-2"), "max is at least 1"),
        ):
            assert reason in refused(service, *words)
            assert pointer(service) == before
            assert said(service) == answer
        assert len(service.manage("GET", f"/models/{starter}")["versions"]) == versions
    finally:
        service.manage("DELETE", "/deployments/steady")
