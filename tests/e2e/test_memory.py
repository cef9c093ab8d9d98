"""Real weights and what they need: a revision that does not fit is refused, and what serves goes on serving."""

import httpx2
import pytest

pytestmark = [pytest.mark.e2e]


def asked(house, model="starter"):
    """Ask for a few tokens; gives the status and the revision that answered."""
    body = {"model": model, "max_tokens": 4, "messages": [{"role": "user", "content": "Hello"}]}
    headers = {"authorization": f"Bearer {house.key}"}
    answer = httpx2.post(f"{house.url}/v1/chat/completions", json=body, headers=headers, timeout=60)
    return answer.status_code, answer.headers.get("x-primeur-revision")


def test_a_cache_that_does_not_fit_is_refused_and_the_running_revision_stays(make_service):
    """Its cache of 8 GiB alone would fit; beside the engine that runs, which was measured with other settings, not."""
    house = make_service()
    house.environment["PRIMEUR_MEMORY_MIB"] = "8250"
    house.start()
    house.wait_until(lambda: house.manage("GET", "/deployments/starter")["state"] == "ready", "serving")
    house.wait_until(lambda: house.manage("GET", "/models/starter")["versions"][0]["memory_bytes"], "measured")
    before, status = house.manage("GET", "/deployments/starter"), asked(house)
    assert status[0] == 200
    headers = {"authorization": f"Bearer {house.operator}"}
    wide = {"model": "starter", "settings": {"slots": 256, "context_tokens": 16_384}}
    refused = httpx2.put(f"{house.url}/api/v1/deployments/starter", json=wide, headers=headers, timeout=60)
    assert refused.status_code == 409, refused.text
    error = refused.json()["error"]
    assert error["code"] == "memory_exceeded"
    assert "needs 8.0 GiB by an estimate" in error["message"]
    assert "held by starter" in error["message"]
    assert "Lower the settings" in error["message"]
    after = house.manage("GET", "/deployments/starter")
    assert [one["number"] for one in after["revisions"]] == [one["number"] for one in before["revisions"]]
    assert asked(house) == status
