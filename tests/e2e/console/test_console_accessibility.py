"""axe-core finds nothing wrong on any page, in both themes and both languages, wide and narrow."""

import httpx2
import pytest

PAGES = [
    "chat",
    "models",
    "deployments",
    "deployments/echo",
    "keys",
    "bounds",
    "guards",
    "people",
    "access",
    "usage",
    "capacity",
    "simulations",
    "ledger",
    "log",
    "audit",
    "profile",
    "sign-in",
    "sign-in/pl_nothing",
    "nowhere",
]
WIDE, NARROW = {"width": 1280, "height": 820}, {"width": 390, "height": 844}


@pytest.fixture(scope="session")
def used(service):
    """A house with something to show on every page."""
    key = service.make_key("shown", rpm=60, deployments=["echo"])
    service.manage("PUT", "/prices/minilm", {"currency": "EUR", "input": "0.50", "cached": "0.10", "output": "1.50"})
    return key


@pytest.mark.usefixtures("used")
@pytest.mark.parametrize("viewport", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("locale", ["en", "fr"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_any_page(open_page, faults_of, scheme, locale, viewport):
    """Contrast, names, roles, landmarks, focus: no violation."""
    page = open_page("/models", viewport=viewport, locale=locale, scheme=scheme)
    found = {}
    for path in PAGES:
        page.goto(f"/{path}")
        assert page.locator("html").get_attribute("lang") == locale
        found |= {f"{path}: {fault}": 1 for fault in faults_of(page)}
    assert list(found) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_a_conversation(chat, faults_of, scheme):
    """With code, maths, a table, branches, two lanes and an error on the page."""
    chat.page.emulate_media(color_scheme=scheme)
    chat.ask(
        "# Title\n\n| a | b |\n|--|--|\n| 1 | 2 |\n\n```python\nprint(1)\n```\n\n$x^2$ [link](https://example.org)"
    )
    chat.page.locator("[data-deed=regenerate]").click()
    chat.wait_finished(1)
    chat.page.get_by_role("button", name="Compare").click()
    chat.choose("echo", lane=1)
    chat.send("[[status=429]] [[retry_after_ms=2000]]")
    chat.page.wait_for_selector(".failure")
    chat.page.get_by_role("button", name="Settings").click()
    assert faults_of(chat.page) == []


@pytest.mark.usefixtures("used")
def test_axe_finds_nothing_in_dialogs_and_panels(open_page, faults_of, service):
    """The revoke dialog, the request's detail, the list of shortcuts."""
    ask = {"model": "echo", "messages": [{"role": "user", "content": "hello"}]}
    told = httpx2.post(f"{service.url}/v1/chat/completions", json=ask, headers={"api-key": service.key}, timeout=30)
    service.logged(told.headers["x-request-id"])
    page = open_page("/keys")
    page.get_by_role("button", name="Revoke shown").click()
    faults = faults_of(page)
    page.goto("/log")
    page.locator("#rows tbody a").first.click()
    page.get_by_role("heading", name="Request", exact=True).wait_for()
    faults += faults_of(page)
    page.keyboard.press("Escape")
    page.keyboard.press("Control+/")
    page.get_by_role("dialog", name="Keyboard shortcuts").wait_for()
    assert faults + faults_of(page) == []
