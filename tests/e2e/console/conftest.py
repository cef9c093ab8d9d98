"""A real Chromium in front of the real service, signed in."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
AXE = Path(__file__).parents[1] / "node_modules/axe-core/axe.min.js"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
DESKTOP = {"width": 1280, "height": 820}
PHONE = {"width": 390, "height": 844}
_WAIT_MS = 20_000

Open = Callable[..., Page]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything below here needs a browser."""
    for item in items:
        if "console" in item.path.parts:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, started once for each file.

    Playwright keeps an event loop running in this thread, so it must be gone before another file's async tests.
    """
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed; `apt-get install chromium` brings it")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield started
        started.close()


@pytest.fixture(scope="module")
def session(browser: Browser, service: Any) -> Any:
    """The cookies of somebody who has signed in by a link, as a person does."""
    link = service.manage("POST", "/sign-in-links", {})["path"]
    context = browser.new_context()
    page = context.new_page()
    page.goto(service.url + link)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/chat")
    state = context.storage_state()
    context.close()
    return state


@pytest.fixture
def contexts() -> Iterator[list[BrowserContext]]:
    """Closed when the test is over."""
    opened: list[BrowserContext] = []
    yield opened
    for context in opened:
        context.close()


@pytest.fixture
def open_page(browser: Browser, session: Any, service: Any, contexts: list[BrowserContext]) -> Iterator[Open]:
    """Opens a path in a context of its own; a script error or a breach of the page's policy fails the test."""
    faults: list[str] = []

    def note(message: Any) -> None:
        # A refused request is told in the page; here only scripts and the policy count.
        if message.type == "error" and "status of" not in message.text:
            faults.append(message.text)

    def open_it(path: str, *, viewport: Any = DESKTOP, locale: str = "en", scheme: str = "light") -> Page:
        state = json.loads(json.dumps(session))
        context = browser.new_context(
            storage_state=state,
            viewport=viewport,
            locale=locale,
            color_scheme=scheme,
            permissions=["clipboard-read", "clipboard-write"],
            base_url=service.url,
        )
        contexts.append(context)
        context.set_default_timeout(_WAIT_MS)
        page = context.new_page()
        page.on("console", note)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto(path)
        if path.startswith("/chat"):
            page.wait_for_selector("body[data-ready]")
        return page

    yield open_it
    assert faults == []


class Chat:
    """What a person does on the chat page."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.prompt = page.get_by_label("Write a message").or_(page.get_by_label("Écrivez un message"))
        self.answers = page.locator(".message.assistant")
        self.questions = page.locator(".message.user .bubble")

    def choose(self, deployment: str, lane: int = 0) -> None:
        self.page.locator(".lane-head select").nth(lane).select_option(deployment)

    def send(self, text: str) -> None:
        self.prompt.fill(text)
        self.prompt.press("Enter")

    def ask(self, text: str, answers: int = 1) -> str:
        """Send, wait until *answers* are finished, and give the last one's text."""
        self.send(text)
        self.wait_finished(answers)
        return self.answers.last.locator(".prose").inner_text()

    def wait_finished(self, answers: int) -> None:
        self.page.wait_for_function(
            "count => document.querySelectorAll('.message.assistant .under').length === count", arg=answers
        )


@pytest.fixture
def chat(open_page: Open) -> Chat:
    """The chat page with the deployment ``echo`` chosen."""
    made = Chat(open_page("/chat"))
    made.choose("echo")
    return made


@pytest.fixture
def faults_of() -> Callable[[Page], list[str]]:
    """Asks axe-core what is wrong with a page: one line for each rule and element."""
    if not AXE.is_file():
        pytest.skip("axe-core is not installed; `cd tests/e2e && npm ci` brings it")
    source = AXE.read_text("utf-8")

    def ask(page: Page) -> list[str]:
        # Given by the browser's debugger, which the page's own policy does not bind.
        page.evaluate(source)
        found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        return [f"{one['id']}: {node['html'][:160]}" for one in found["violations"] for node in one["nodes"]]

    return ask
