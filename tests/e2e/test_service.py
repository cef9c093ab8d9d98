"""The process itself: it starts, says what a person needs, stops, and comes back."""

import httpx2


def test_the_first_start_prints_a_key_that_works(service):
    """And a link, and a curl that names a deployment."""
    headers = {"authorization": f"Bearer {service.key}"}
    models = httpx2.get(f"{service.url}/v1/models", headers=headers).json()["data"]
    assert "echo" in [model["id"] for model in models]
    assert f"Open  {service.url}/sign-in/pl_" in service.words
    assert f"Try   curl {service.url}/v1/chat/completions" in service.words


def test_a_house_is_the_same_after_a_stop_and_after_a_power_cut(house_of_its_own):
    """Deployments, keys and the port outlive the process."""
    house = house_of_its_own
    house.start()
    url, key = house.url, house.make_key("kept")
    house.deploy("echo", engine="echo")
    assert house.stop() == 0
    assert not (house.folder / "service.json").exists()
    for end in (house.stop, house.kill):
        house.start()
        house.wait_until(lambda: house.manage("GET", "/deployments/echo")["state"] == "ready", "serving echo")
        body = {"model": "echo", "messages": [{"role": "user", "content": "still here"}]}
        answer = httpx2.post(f"{url}/v1/chat/completions", json=body, headers={"authorization": f"Bearer {key}"})
        assert answer.json()["choices"][0]["message"]["content"] == "still here"
        end()
