"""By keyboard alone, on a phone, in French, and by ear."""

import pytest
from playwright.sync_api import expect

PHONE = {"width": 390, "height": 844}


def _tab_to(page, name, most=40):
    for _ in range(most):
        page.keyboard.press("Tab")
        found = page.evaluate("(document.activeElement.ariaLabel || document.activeElement.innerText || '').trim()")
        if name in found:
            return
    pytest.fail(f"{name!r} was not reached by {most} tabs")


def test_a_whole_conversation_by_keyboard_alone(chat):
    """Write, send, answer again, look at versions, edit, begin anew: no mouse."""
    page = chat.page
    page.keyboard.press("Alt+Shift+M")
    page.keyboard.type("first line")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("second line")
    page.keyboard.press("Enter")
    chat.wait_finished(1)
    expect(chat.questions).to_have_text(["first line\nsecond line"])
    page.keyboard.press("Alt+Shift+R")
    expect(chat.answers.last.locator(".turns")).to_contain_text("2 / 2")
    page.keyboard.press("Alt+Shift+ArrowLeft")
    expect(chat.answers.last.locator(".turns")).to_contain_text("1 / 2")
    page.keyboard.press("Alt+Shift+M")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Control+A")
    page.keyboard.type("changed")
    page.keyboard.press("Enter")
    expect(chat.questions).to_have_text(["changed"])
    chat.wait_finished(1)
    page.keyboard.press("Alt+Shift+N")
    expect(chat.questions).to_have_count(0)
    expect(chat.prompt).to_be_focused()


def test_the_first_tab_skips_to_the_content(open_page):
    """The skip link is the first stop, and it works."""
    page = open_page("/keys")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()


def test_every_control_of_an_answer_is_reached_by_tab(chat):
    """Copy, answer again and edit are stops on the way."""
    chat.ask("hello")
    chat.page.locator(".thread").focus()
    for name in ("Copy", "Answer again", "Edit the answer"):
        _tab_to(chat.page, name)


def test_a_screen_reader_hears_an_answer_once(chat):
    """One polite region says that an answer begins and then what it says; the text itself is no live region."""
    chat.ask("[[token_ms=20]]one two three")
    expect(chat.page.locator("#announce")).to_have_text("Answer: one two three")
    assert chat.page.locator("[aria-live]:not(#announce), [role=log]").count() == 0


def test_a_dialog_keeps_the_focus_and_gives_it_back(chat):
    """Escape closes, and the focus is where it was."""
    chat.ask("hello")
    remove = chat.page.locator(".message.user").get_by_role("button", name="Delete from here on")
    remove.focus()
    chat.page.keyboard.press("Enter")
    expect(chat.page.get_by_role("dialog")).to_be_visible()
    chat.page.keyboard.press("Escape")
    expect(remove).to_be_focused()


def test_the_chat_fits_a_phone(open_page):
    """Nothing is wider than the screen; the list of conversations is a drawer."""
    page = open_page("/chat", viewport=PHONE)
    page.locator(".lane-head select").select_option("echo")
    page.get_by_label("Write a message").fill("hello " * 40 + "\n\n```\n" + "x" * 300 + "\n```")
    page.get_by_role("button", name="Send").click()
    page.wait_for_selector(".message.assistant .under")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert page.locator(".thread").evaluate("thread => thread.scrollWidth <= thread.clientWidth")
    page.get_by_role("button", name="Conversations").click()
    expect(page.get_by_label("Search conversations")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Conversations")).to_be_focused()


def test_every_page_fits_a_phone_and_the_menu_leads_on(open_page):
    """Wide tables scroll in their own box."""
    page = open_page("/models", viewport=PHONE)
    for path in ("models", "deployments", "keys", "usage", "log"):
        page.goto(f"/{path}")
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], path
    page.get_by_role("button", name="Menu").click()
    page.locator("#menu").get_by_role("link", name="Keys").click()
    page.wait_for_url("**/keys")


def test_french_from_the_browser_and_english_by_choice(open_page):
    """The browser's language is spoken until a person chooses another."""
    page = open_page("/chat", locale="fr")
    expect(page.get_by_role("heading", name="Que voulez-vous savoir ?")).to_be_visible()
    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("heading", name="What would you like to know?")).to_be_visible()
    page.goto("/usage")
    expect(page.get_by_role("heading", level=1)).to_have_text("Usage")


def test_the_theme_is_chosen_without_a_reload_and_kept(open_page):
    """Dark is dark on the next page too."""
    page = open_page("/keys")
    page.get_by_role("button", name="Dark").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.goto("/models")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(15, 21, 18)"
