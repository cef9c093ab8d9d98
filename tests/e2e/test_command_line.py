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
