"""People sign in at a real OpenID Connect provider, in a real browser."""

import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from tests.e2e.conftest import Service

HERE = Path(__file__).parents[1]


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@pytest.fixture(scope="module")
def issuer_and_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Service]]:
    """A provider in a process of its own, and a house that may reach it and knows it."""
    node = shutil.which("node")
    if node is None or not (HERE / "node_modules" / "oidc-provider").is_dir():
        pytest.skip("the provider is not installed; run `npm ci` in tests/e2e")
    port = free_port()
    ours = f"http://localhost:{port}"
    command = [node, "node/oidc_provider.mjs", f"{ours}/sign-in/openid", f"{ours}/sign-in"]
    provider = subprocess.Popen(command, cwd=HERE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert provider.stdout is not None
    issuer = provider.stdout.readline().strip()
    house = Service(tmp_path_factory.mktemp("openid") / "data", "--egress", issuer.removeprefix("http://"))
    house._port = port
    try:
        house.start()
        known = {"issuer": issuer, "client_id": "primeur", "client_secret": "a-secret-of-the-provider"}
        settings = {
            "openid_connect": known | {"label": "Example ID"},
            "groups": [{"group": "ai-audit", "role": "auditor"}],
        }
        house.manage("PUT", "/sign-in", settings)
        yield issuer, house
    finally:
        house.stop()
        provider.kill()
        provider.wait(10)
        provider.stdout.close()


def sign_in_as(page, ours, name):
    page.goto(f"{ours}/sign-in")
    page.get_by_role("link", name="Sign in with Example ID").click()
    page.locator("input[name=login]").fill(name)
    page.locator("input[name=password]").fill("any")
    page.get_by_role("button", name=re.compile("sign.?in", re.IGNORECASE)).click()
    page.get_by_role("button", name="Continue").click()


@pytest.fixture
def page(browser, contexts):
    context = browser.new_context(locale="en")
    contexts.append(context)
    context.set_default_timeout(20_000)
    return context.new_page()


def test_a_person_comes_in_by_group_and_goes_out_again(issuer_and_house, page):
    """As an auditor, because of a group; the answer cannot be brought twice; both houses are left."""
    _, house = issuer_and_house
    ours = house.url.replace("127.0.0.1", "localhost")
    brought: list[str] = []
    page.on("request", lambda request: brought.append(request.url) if "/sign-in/openid?" in request.url else None)
    sign_in_as(page, ours, "ada")
    page.wait_for_url("**/chat")
    member = house.manage("GET", "/members/ada@example.org")
    assert (member["role"], member["state"], member["name"]) == ("auditor", "active", "ADA")
    cookies = {one["name"]: one for one in page.context.cookies()}
    assert (cookies["primeur_session"]["httpOnly"], cookies["primeur_session"]["sameSite"]) == (True, "Strict")
    assert "primeur_sign_in" not in cookies
    assert httpx2.get(brought[-1]).status_code == 401
    page.get_by_role("button", name="Sign out").first.click()
    page.get_by_role("link", name="Sign out of Example ID too").click()
    page.wait_for_url("**/session/end*")
    assert parse_qs(urlsplit(page.url).query)["post_logout_redirect_uri"] == [f"{ours}/sign-in"]


@pytest.mark.parametrize("name", ["bob", "mallory"])
def test_who_is_in_no_group_or_has_no_verified_address_stays_outside(issuer_and_house, page, name):
    """The page says no more than that; the event log says why."""
    _, house = issuer_and_house
    sign_in_as(page, house.url.replace("127.0.0.1", "localhost"), name)
    page.get_by_text("was not accepted").wait_for()
    assert all(one["user_name"] != f"{name}@example.org" for one in house.manage("GET", "/members")["data"])
    assert any(
        one["kind"] == "SignInRefused" for one in house.manage("GET", "/audit/events?kind=SignInRefused")["data"]
    )


def test_only_our_own_address_is_asked_for(issuer_and_house):
    """Whatever host a request names, and whatever it carries; the provider takes no other one either."""
    issuer, house = issuer_and_house
    begin = f"{house.url}/sign-in/openid/begin"
    foreign = httpx2.get(begin, headers={"host": "evil.example.org"})
    assert (foreign.status_code, "location" in foreign.headers) == (502, False)
    good = httpx2.get(begin, headers={"host": urlsplit(house.url).netloc}, params={"redirect_uri": "https://evil"})
    asked = parse_qs(urlsplit(good.headers["location"]).query)
    assert asked["redirect_uri"] == [f"{house.url}/sign-in/openid"]
    assert (asked["code_challenge_method"], asked["response_type"]) == (["S256"], ["code"])
    refused = httpx2.get(good.headers["location"].replace(asked["redirect_uri"][0], "https://evil"))
    assert "location" not in refused.headers
    assert good.headers["location"].startswith(issuer)
