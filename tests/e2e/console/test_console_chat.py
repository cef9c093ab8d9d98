"""The chat page with the echo engine: streaming, branches, side by side, errors, and what is kept."""

import json
import re

import pytest
from playwright.sync_api import expect


def test_an_answer_streams_and_says_what_it_took(chat):
    """Tokens, time to first token, price and who served it stand under the answer."""
    assert (
        chat.ask("[[token_ms=20]]one two three four five six seven eight") == "one two three four five six seven eight"
    )
    made = chat.answers.last.locator(".made").inner_text()
    assert re.search(r"\d+ tokens", made)
    assert "tokens/s" in made
    assert "first after" in made
    assert "by echo" in made


def test_text_appears_while_the_answer_is_still_coming(chat):
    """The beginning is there before the end."""
    chat.send("[[token_ms=400]]alpha beta gamma delta epsilon zeta eta theta")
    expect(chat.answers.last.locator(".prose")).to_contain_text("alpha")
    expect(chat.answers.last.locator(".prose")).not_to_contain_text("theta")
    chat.page.get_by_role("button", name="Stop").click()


def test_a_stopped_answer_keeps_what_came(chat):
    """Stop cuts the stream, and the answer says so."""
    chat.send("[[token_ms=300]]alpha beta gamma delta epsilon zeta eta theta iota kappa")
    expect(chat.answers.last.locator(".prose")).to_contain_text("alpha")
    chat.page.keyboard.press("Escape")
    expect(chat.answers.last.locator(".under")).to_contain_text("stopped")
    expect(chat.answers.last.locator(".prose")).not_to_contain_text("kappa")
    expect(chat.prompt).to_be_focused()


def test_answering_again_makes_a_version_beside_the_first(chat):
    """Both versions stay and can be looked at in turn."""
    chat.ask("hello")
    chat.page.locator("[data-deed=regenerate]").click()
    expect(chat.answers.last.locator(".turns")).to_contain_text("2 / 2")
    chat.answers.last.get_by_role("button", name="Previous version").click()
    expect(chat.answers.last.locator(".turns")).to_contain_text("1 / 2")


def test_editing_a_question_branches_and_the_old_branch_stays(chat):
    """The whole old branch, with what followed it, comes back."""
    chat.ask("first")
    chat.ask("second", answers=2)
    chat.page.locator(".message.user").first.get_by_role("button", name="Edit").click()
    chat.page.locator(".edit textarea").fill("changed")
    chat.page.get_by_role("button", name="Send again").click()
    expect(chat.answers).to_have_count(1)
    expect(chat.answers.last.locator(".prose")).to_have_text("changed")
    chat.page.locator(".message.user").first.get_by_role("button", name="Previous version").click()
    expect(chat.questions).to_have_text(["first", "second"])


def test_two_deployments_answer_the_same_question_side_by_side(chat, starter):
    """Each lane has its own deployment and thread; one can be kept."""
    chat.page.get_by_role("button", name="Compare").click()
    chat.choose(starter, lane=1)
    chat.ask("Hello!", answers=2)
    lanes = chat.page.locator(".lane")
    expect(lanes.nth(0).locator(".made")).to_contain_text("by echo")
    expect(lanes.nth(1).locator(".made")).to_contain_text("by llamacpp")
    lanes.nth(1).get_by_role("button", name="Keep this one").click()
    chat.page.get_by_role("dialog").get_by_role("button", name="Keep this one").click()
    expect(lanes).to_have_count(1)
    expect(chat.answers).to_have_count(1)


def test_settings_are_sent_and_empty_ones_are_not(chat):
    """The body holds what was set, and the system prompt comes first."""
    chat.page.get_by_role("button", name="Settings").click()
    chat.page.get_by_label("System prompt").fill("Be brief.")
    chat.page.get_by_label("Temperature").fill("0.4")
    chat.page.get_by_label("Most tokens").fill("3")
    chat.page.get_by_label("Stop at").fill("END\nFIN")
    with chat.page.expect_request("**/v1/chat/completions") as sent:
        chat.ask("one two three four five")
    body = sent.value.post_data_json
    assert body["messages"][0] == {"role": "system", "content": "Be brief."}
    assert (body["temperature"], body["max_tokens"], body["stop"]) == (0.4, 3, ["END", "FIN"])
    assert not {"top_p", "seed", "response_format"} & body.keys()
    expect(chat.answers.last.locator(".made")).to_contain_text("cut off at the token limit")


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        ("[[status=429]] [[retry_after_ms=4000]]", "the model is busy"),
        ("[[error_after=2]] one two three", "The model broke off"),
        ("[[cut_after=2]] one two three", "The model broke off"),
    ],
)
def test_a_failure_is_told_in_words_with_a_next_step(chat, wish, words):
    """What happened, what to do, and a button that does it."""
    chat.send(wish)
    failure = chat.page.locator(".failure")
    expect(failure).to_contain_text(words)
    expect(failure).to_contain_text("Try again")
    failure.get_by_role("button", name="Try again").click()
    expect(chat.page.locator(".failure")).to_contain_text(words)


def test_conversations_outlive_a_reload_and_can_be_found_renamed_and_deleted(chat):
    """They are kept in the browser."""
    chat.ask("a question about pears")
    page = chat.page
    page.reload()
    page.wait_for_selector("body[data-ready]")
    expect(chat.questions).to_have_text(["a question about pears"])
    page.get_by_role("button", name="Rename a question").click()
    page.get_by_label("New name").fill("Fruit")
    page.get_by_label("New name").press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Fruit")
    page.get_by_label("Search conversations").fill("pears")
    expect(page.locator("#conversations .title")).to_have_text(["Fruit"])
    page.get_by_label("Search conversations").fill("plums")
    expect(page.locator("#conversations")).to_contain_text("Nothing found")
    page.get_by_label("Search conversations").fill("")
    page.get_by_role("button", name="Delete Fruit").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.locator("#conversations")).to_contain_text("No conversation yet")
    expect(chat.questions).to_have_count(0)


def test_an_exported_conversation_can_be_imported(chat, tmp_path):
    """JSON holds every branch and comes back as it was; Markdown holds what is shown."""
    chat.ask("keep me")
    page = chat.page
    files = {}
    for kind in ("JSON", "Markdown"):
        page.get_by_role("button", name="Export", exact=True).click()
        with page.expect_download() as download:
            page.get_by_role("dialog").get_by_role("button", name=kind).click()
        files[kind] = tmp_path / download.value.suggested_filename
        download.value.save_as(files[kind])
    assert "**You**\n\nkeep me\n\n**echo**\n\nkeep me" in files["Markdown"].read_text()
    assert json.loads(files["JSON"].read_text())["kind"] == "primeur-conversations"
    page.locator("#import-file").set_input_files(files["JSON"])
    expect(page.locator("#conversations .title")).to_have_text(["keep me", "keep me"])


def test_a_draft_comes_back(chat):
    """What was typed and not sent survives a look at another conversation."""
    chat.ask("kept")
    chat.prompt.fill("half a thought")
    chat.page.wait_for_timeout(600)
    chat.page.reload()
    chat.page.wait_for_selector("body[data-ready]")
    expect(chat.prompt).to_have_value("half a thought")
