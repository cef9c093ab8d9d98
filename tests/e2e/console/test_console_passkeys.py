"""Passkeys in a real browser, with an authenticator that Chromium makes up."""

import httpx2
import pytest

OPTIONS = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture
def person(browser, contexts, service):
    """A page of somebody who has been invited and has come in by a link, and their authenticator."""
    ours = service.url.replace("127.0.0.1", "localhost")
    made = service.manage("POST", "/members", {"name": "Grace", "role": "member"})
    context = browser.new_context(locale="en", base_url=ours)
    contexts.append(context)
    context.set_default_timeout(20_000)
    page = context.new_page()
    devices = context.new_cdp_session(page)
    devices.send("WebAuthn.enable")
    authenticator = devices.send("WebAuthn.addVirtualAuthenticator", {"options": OPTIONS})["authenticatorId"]
    page.goto(made["path"])
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/chat")
    yield page, devices, authenticator
    service.manage("DELETE", f"/members/{made['id']}")


def add(page, name):
    page.goto("/profile")
    page.get_by_label("Name of the passkey").fill(name)
    page.get_by_role("button", name="Add a passkey").click()


def leave_and_come_in(page):
    page.context.clear_cookies()
    page.goto("/sign-in")
    page.get_by_role("button", name="Sign in with a passkey").click()


def test_a_passkey_is_added_used_named_and_removed(person, service):
    """Without saying who one is; once it is removed it opens nothing."""
    page, _, _ = person
    add(page, "Laptop")
    page.get_by_role("button", name="Remove Laptop").wait_for()
    add(page, "Again")
    page.get_by_text("has a passkey for you already").wait_for()
    leave_and_come_in(page)
    page.wait_for_url("**/chat")
    assert "passkey" in {one["method"] for one in service.manage("GET", "/sessions?member=Grace")["data"]}
    page.goto("/profile")
    page.get_by_label("Name of Laptop").fill("My laptop")
    page.get_by_role("button", name="Rename Laptop").click()
    page.get_by_role("button", name="Remove My laptop").click()
    page.get_by_role("button", name="Remove My laptop").wait_for(state="detached")
    leave_and_come_in(page)
    page.get_by_text("was not accepted").wait_for()


def test_what_a_passkey_says_counts_once_and_for_this_house_only(person):
    """A replayed answer, another origin, a person who is not verified, a copy whose count goes back."""
    page, devices, authenticator = person
    add(page, "Laptop")
    page.get_by_role("button", name="Remove Laptop").wait_for()
    said: list[str] = []
    page.on("request", lambda sent: said.append(sent.post_data) if sent.url.endswith("/sign-in/passkey") else None)
    leave_and_come_in(page)
    page.wait_for_url("**/chat")
    ours = page.url.removesuffix("/chat")
    headers = {"content-type": "application/json", "origin": ours}
    again = httpx2.post(f"{ours}/sign-in/passkey", content=said[0], headers=headers)
    assert (again.status_code, "set-cookie" in again.headers) == (401, False)
    foreign = httpx2.post(f"{ours}/sign-in/passkey/begin", json={}, headers={"origin": "https://evil.example.org"})
    assert foreign.status_code == 403
    devices.send("WebAuthn.setUserVerified", {"authenticatorId": authenticator, "isUserVerified": False})
    leave_and_come_in(page)
    page.locator("[data-notice]:visible").wait_for()
    devices.send("WebAuthn.setUserVerified", {"authenticatorId": authenticator, "isUserVerified": True})
    kept = devices.send("WebAuthn.getCredentials", {"authenticatorId": authenticator})["credentials"][0]
    devices.send("WebAuthn.clearCredentials", {"authenticatorId": authenticator})
    copy = {"authenticatorId": authenticator, "credential": kept | {"signCount": 0}}
    devices.send("WebAuthn.addCredential", copy)
    leave_and_come_in(page)
    page.get_by_text("was not accepted").wait_for()
