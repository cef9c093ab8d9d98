"""OpenAI's own Node client against the real process; the tests themselves are in node/openai.test.mjs."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent


def test_the_node_client_says_everything_on_the_wire(service):
    """Each of its tests is one line in the output, which is shown when one fails."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed; Node's client is not tried")
    if not (HERE / "node_modules" / "openai").is_dir():
        pytest.skip("Node's client is not installed; run `npm ci` in tests/e2e")
    ours = {"PRIMEUR_TEST_URL": service.url, "PRIMEUR_TEST_KEY": service.key}
    command = [node, "--test", "--test-reporter=spec", "node/openai.test.mjs"]
    done = subprocess.run(
        command, cwd=HERE, env={**os.environ, **ours}, capture_output=True, text=True, timeout=180, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
