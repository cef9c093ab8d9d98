"""The examples of the documentation, run as they stand against a real service."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
PAGES = ["docs/quickstart/developers.md"]
FENCED = re.compile(r"^```(python|sh|js)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
EXAMPLES = [
    pytest.param(language, code, id=f"{page}:{(ROOT / page).read_text('utf-8')[: found.start()].count(chr(10)) + 1}")
    for page in PAGES
    for found in FENCED.finditer((ROOT / page).read_text("utf-8"))
    for language, code in [found.groups()]
]


def command_for(language: str, code: str) -> list[str]:
    """How an example is run; skips where what it needs is not installed."""
    if language == "python":
        return [sys.executable, "-W", "error::DeprecationWarning", "-c", code]
    if language == "sh":
        return ["bash", "-euo", "pipefail", "-c", code]
    node = shutil.which("node")
    if node is None or not (HERE / "node_modules" / "openai").is_dir():
        pytest.skip("Node's client is not installed; run `npm ci` in tests/e2e")
    return [node, "--input-type=module", "-e", code]


@pytest.mark.parametrize(("language", "code"), EXAMPLES)
def test_an_example_runs_as_it_stands(service, starter, language, code):
    """With nothing but the address and the key that the page tells people to set."""
    assert starter == "starter"
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    ours = {"OPENAI_BASE_URL": f"{service.url}/v1", "OPENAI_API_KEY": service.key, "PATH": programs}
    ours |= {"PRIMEUR_URL": service.url, "PRIMEUR_KEY": service.key}
    done = subprocess.run(
        command_for(language, code),
        cwd=HERE,
        env={**os.environ, **ours},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.strip() or code.startswith("export")
