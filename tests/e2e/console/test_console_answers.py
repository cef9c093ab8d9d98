"""What a model writes is drawn, and nothing it writes is run or fetched."""

import json

from playwright.sync_api import expect


def test_markdown_code_tables_and_maths_are_drawn(chat):
    """Headings, lists, tables with alignment, coloured code, MathML."""
    chat.ask(
        "## Title\n\n- one\n- two\n\n| a | b |\n|:--|--:|\n| 1 | 2 |\n\n"
        "```python\ndef f():\n    return 1\n```\n\nInline $a^2$ and \\(b\\), and it costs $5 to $6."
        "\n\n$$\n\\frac{1}{2}\n$$"
    )
    prose = chat.answers.last.locator(".prose")
    expect(prose.locator("h3")).to_have_text("Title")
    expect(prose.locator("li")).to_have_count(2)
    expect(prose.locator("td.to-end")).to_have_text("2")
    expect(prose.locator(".code .hljs-keyword").first).to_have_text("def")
    expect(prose.locator("math")).to_have_count(3)
    expect(prose.locator(".maths.display math mfrac")).to_have_count(1)
    expect(prose).to_contain_text("it costs $5 to $6")


def test_code_is_copied_as_it_was_written(chat):
    """The button copies the text, not its colours."""
    chat.ask("```js\nconst a = 1;\n```")
    chat.answers.last.get_by_role("button", name="Copy").first.click()
    expect(chat.page.locator("#announce")).to_have_text("Copied")
    assert chat.page.evaluate("navigator.clipboard.readText()") == "const a = 1;\n"


def test_nothing_in_an_answer_runs_or_is_fetched(chat):
    """HTML is shown as text, script addresses are no links, pictures from elsewhere become links."""
    fetched = []
    chat.page.on("request", lambda request: fetched.append(request.url))
    chat.ask(
        "<img src=x onerror=alert(1)><script>alert(2)</script>\n\n[a](javascript:alert(3))\n\n"
        "![pixel](https://tracker.example/p.png)\n\n$\\href{javascript:alert(4)}{x}$"
    )
    prose = chat.answers.last.locator(".prose")
    expect(prose.locator("img, script")).to_have_count(0)
    expect(prose.locator("a")).to_have_attribute("href", "https://tracker.example/p.png")
    assert not [url for url in fetched if "tracker" in url]


def test_a_picture_is_sent_only_to_what_can_see(chat, starter, tmp_path):
    """The echo engine says that it reads pictures; the starter does not."""
    picture = tmp_path / "dot.png"
    picture.write_bytes(
        bytes.fromhex(
            "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
            "1f15c4890000000d49444154789c6360000002000001e221bc330000000049454e44ae426082"
        )
    )
    chat.choose(starter)
    chat.page.locator("#attach-file").set_input_files(picture)
    expect(chat.page.get_by_role("alert")).to_contain_text("does not read pictures")
    chat.choose("echo")
    chat.page.locator("#attach-file").set_input_files(picture)
    with chat.page.expect_request("**/v1/chat/completions") as sent:
        chat.ask("what is this")
    parts = sent.value.post_data_json["messages"][0]["content"]
    assert parts[1]["image_url"]["url"].startswith("data:image/png;base64,")


def test_a_text_file_becomes_part_of_the_question(chat, tmp_path):
    """Its name and its contents are sent; the page shows its name."""
    notes = tmp_path / "notes.md"
    notes.write_text("remember the pears")
    chat.page.locator("#attach-file").set_input_files(notes)
    expect(chat.page.locator("#files")).to_contain_text("notes.md")
    assert "remember the pears" in chat.ask("see file")
    expect(chat.page.locator(".message.user .files")).to_contain_text("notes.md")


THINKS_AND_CALLS = (
    {"delta": {"reasoning_content": "hm"}},
    {"delta": {"tool_calls": [{"index": 0, "function": {"name": "look", "arguments": "{"}}]}},
    {"delta": {"tool_calls": [{"index": 0, "function": {"arguments": "}"}}]}, "finish_reason": "tool_calls"},
)


def test_thinking_and_tool_calls_are_told_apart_from_the_answer(chat):
    """A tool call is shown as what it is: a wish that this page does not fulfil."""
    events = [json.dumps({"choices": [{"index": 0, **choice}]}) for choice in THINKS_AND_CALLS]
    body = "".join(f"data: {event}\r\n\r\n" for event in [*events, "[DONE]"])
    chat.page.route("**/v1/chat/completions", lambda route: route.fulfill(content_type="text/event-stream", body=body))
    chat.send("look it up")
    expect(chat.answers.last.locator(".calls")).to_contain_text("look({})")
    expect(chat.answers.last.locator("summary")).to_have_text("Thinking")
    expect(chat.answers.last.locator(".made")).to_contain_text("asks for a tool")
