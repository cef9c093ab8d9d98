"""Schemathesis over our own OpenAPI: thousands of requests, made from what we say we take and from its opposite."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import httpx2

CHECKS = "not_a_server_error,content_type_conformance,response_schema_conformance"
BOUNDS = ["--phases", "coverage,fuzzing", "--max-examples", "5", "--seed", "1", "--request-timeout", "20"]
# Names of things that exist, so that more is reached than what is not found.
REAL = """
[parameters]
"path.model" = "echo"
"path.deployment" = "echo"
"path.alias" = "second"
"path.key" = "victim"
"path.project" = "{project}"
"path.provider" = "somebody"
"path.response_id" = "{response}"
"path.conversation_id" = "{conversation}"
"""


def make_things(house):
    """Make one of each, so that there is something to hit."""
    house.deploy("echo", engine="echo")
    house.make_key("victim")
    house.manage("PUT", "/aliases/second", {"deployment": "echo"})
    headers = {"authorization": f"Bearer {house.operator}"}
    with httpx2.Client(base_url=house.url, headers=headers, timeout=30) as client:
        response = client.post("/v1/responses", json={"model": "echo", "input": "hi"}).json()["id"]
        conversation = client.post("/v1/conversations", json={}).json()["id"]
    project = house.manage("GET", "/projects")["data"][0]["id"]
    return REAL.format(project=project, response=response, conversation=conversation)


def test_what_we_say_about_ourselves_is_so(house_of_its_own, tmp_path):
    """No status of 500 or more; every answer has the type and the form that the document promises."""
    house = house_of_its_own
    house.start()
    (tmp_path / "schemathesis.toml").write_text(make_things(house))
    program = shutil.which("schemathesis", path=str(Path(sys.executable).parent))
    assert program, "schemathesis is not installed; run `make dev`"
    command = [program, "run", f"{house.url}/api/openapi.json", "--checks", CHECKS, *BOUNDS]
    command += ["-H", f"Authorization: Bearer {house.operator}"]
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env={**os.environ, "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=570,
    )
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr
    made = re.search(r"(\d+) generated", done.stdout)
    assert made
    assert int(made[1]) > 1000
    assert "something broke inside" not in house.words
