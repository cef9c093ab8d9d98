"""The command line beside a running service: they are one house."""

import json
import os
import subprocess
import sys

import httpx2


def primeur(*arguments, **environment):
    """Run a command as a person does."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PRIMEUR_")}
    command = [sys.executable, "-m", "primeur", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=clean | environment, timeout=60, check=False)


def test_a_key_that_is_made_lets_in_at_once_and_not_after_it_is_revoked(service):
    """The running service hears of both before the command ends."""
    made = json.loads(primeur("keys", "create", "cli-app", "--rpm", "9", "--json", "--data-dir", service.folder).stdout)
    headers = {"authorization": f"Bearer {made['key']}"}
    assert httpx2.get(f"{service.url}/v1/models", headers=headers).status_code == 200
    assert primeur("keys", "revoke", "cli-app", PRIMEUR_DATA_DIR=str(service.folder)).returncode == 0
    assert httpx2.get(f"{service.url}/v1/models", headers=headers).status_code == 401


def test_a_named_service_is_reached_with_its_key(service):
    """A member's key reads its own project and makes no keys."""
    named = {"PRIMEUR_URL": service.url, "PRIMEUR_KEY": service.key}
    assert json.loads(primeur("status", "--json", **named).stdout)["url"] == service.url
    refused = primeur("keys", "create", "x", **named)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.startswith("primeur: the key 'default' may not create")


def test_what_was_made_at_rest_is_there_when_it_runs(house_of_its_own):
    """A folder is founded by the first command that names it, and served as it is."""
    at_rest = primeur("keys", "create", "early", "--json", "--data-dir", house_of_its_own.folder)
    key = json.loads(at_rest.stdout)["key"]
    assert "its first key is pk_" in at_rest.stderr
    house_of_its_own.start()
    answer = httpx2.get(f"{house_of_its_own.url}/v1/models", headers={"authorization": f"Bearer {key}"})
    assert answer.status_code == 200


def test_a_deployment_is_shown_with_what_each_revision_did(service):
    """For people a table, for programs the figures; a key that may not see usage still sees the deployment."""
    service.deploy("measured", engine="echo")
    with httpx2.Client(base_url=service.url, headers={"authorization": f"Bearer {service.key}"}, timeout=30) as client:
        body = {"model": "measured", "messages": [{"role": "user", "content": "a b c d"}], "stream": True}
        service.logged(client.post("/v1/chat/completions", json=body).headers["x-request-id"])
    shown = primeur("deployments", "show", "measured", "--data-dir", service.folder)
    assert "Last 24 h:" in shown.stdout, shown.stderr
    found = json.loads(primeur("deployments", "show", "measured", "--json", "--data-dir", service.folder).stdout)
    (did,) = found["metrics"]["data"]
    assert (did["revision_id"], did["requests"], did["failed"]) == (found["revisions"][0]["id"], 1, 0)
    assert (did["sampled"], did["first_us_p50"]) == (1, did["first_us_p95"])
    assert did["tokens_per_s_p50"] > 0
    service.manage("PUT", "/roles/onlooker", {"permissions": ["deployments:read"]})
    named = {"PRIMEUR_URL": service.url, "PRIMEUR_KEY": service.make_key("onlooker", role="onlooker")}
    assert json.loads(primeur("deployments", "show", "measured", "--json", **named).stdout)["metrics"] is None
    service.manage("DELETE", "/deployments/measured")
