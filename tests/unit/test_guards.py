"""Guards: what is asked and answered is looked at, wherever a model reads or writes text."""

import time
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from primeur.core.errors import BadRequest
from primeur.core.guards import Verdict
from primeur.trust.patterns import read_pattern
from primeur.trust.rules import GuardPolicy, GuardRule, compile_guard
from primeur.trust.texts import Blocked

MASKS = GuardRule(name="personal", action="mask", finds=["email", "card", "secret"])
BLOCKS = GuardRule(name="project-x", action="block", words=["Project X"])
CARD = "4111 1111 1111 1111"


def guard(*rules, **more):
    return compile_guard(GuardPolicy(rules=list(rules), **more))


def chat(content, **more):
    return msgspec.json.encode({"model": "m", "messages": [{"role": "user", "content": content}], **more})


def test_a_prompt_is_masked_wherever_its_text_is():
    """In messages, in parts of them, in tools; not in what is no text."""
    parts = [{"type": "text", "text": f"pay {CARD}"}, {"type": "image_url", "image_url": {"url": f"data:{CARD}"}}]
    body, verdicts = guard(MASKS).prompt(chat(parts, tools=[{"type": "function", "description": "a@b.example"}]))
    said = msgspec.json.decode(body)
    assert said["messages"][0]["content"][0]["text"] == "pay [card]"
    assert CARD in said["messages"][0]["content"][1]["image_url"]["url"]
    assert said["tools"][0]["description"] == "[email]"
    assert sorted(verdicts) == [Verdict("prompt", "personal", "mask"), Verdict("prompt", "personal", "mask")]


def test_nothing_found_is_nothing_changed():
    """To the byte."""
    body = chat("hello").replace(b":", b" : ")
    assert guard(MASKS).prompt(body) == (body, [])


@pytest.mark.parametrize("text", ["see project x", "PROJECT X!", ["see", "project x"]])
def test_a_blocked_word_is_refused_and_not_repeated(text):
    """The rule is named."""
    with pytest.raises(Blocked, match="project-x") as refused:
        guard(BLOCKS).prompt(msgspec.json.encode({"model": "m", "prompt": text}))
    assert refused.value.code == "content_filter"
    assert "project x" not in refused.value.message.lower()
    guard(BLOCKS).prompt(chat("projectxy"))


def test_what_is_only_watched_passes():
    """And is told."""
    body, verdicts = guard(GuardRule(name="seen", action="allow", finds=["email"])).prompt(chat("a@b.example"))
    assert b"a@b.example" in body
    assert verdicts == [Verdict("prompt", "seen", "allow")]


def test_tokens_do_not_go_past_a_guard():
    """It reads text."""
    with pytest.raises(BadRequest, match="as text"):
        guard(MASKS).prompt(msgspec.json.encode({"model": "m", "prompt": [[1, 2]]}))
    with pytest.raises(BadRequest, match="as text"):
        guard(characters_most=5).prompt(msgspec.json.encode({"model": "m", "input": [1, 2]}))


def test_a_prompt_has_a_longest_length():
    """In characters of its texts, all together."""
    guard(characters_most=6).prompt(chat([{"type": "text", "text": "abc"}, {"type": "text", "text": "def"}]))
    with pytest.raises(BadRequest, match="7 characters"):
        guard(characters_most=6).prompt(chat("abcdefg"))


def test_a_whole_answer_is_masked_or_emptied():
    """Tool calls too; probabilities of tokens would spell what was masked."""
    call = {"id": "1", "function": {"name": "f", "arguments": '{"to":"a@b.example"}'}}
    choice = {"index": 0, "message": {"content": f"is {CARD}", "tool_calls": [call]}, "logprobs": {"content": []},
              "finish_reason": "stop"}  # fmt: skip
    look = guard(MASKS).answer(streams=False)
    ((answer),) = look.piece({"choices": [choice]})
    message = answer["choices"][0]["message"]
    assert (message["content"], message["tool_calls"][0]["function"]["arguments"]) == ("is [card]", '{"to":"[email]"}')
    assert "logprobs" not in answer["choices"][0]
    look = guard(BLOCKS).answer(streams=False)
    ((answer),) = look.piece({"choices": [{"message": {"content": "project x"}, "finish_reason": "stop"}]})
    assert answer["choices"][0] == {"message": {"content": ""}, "finish_reason": "content_filter"}
    assert look.verdicts == [Verdict("answer", "project-x", "block")]


def streamed(look, text, cuts, name="content"):
    """Send *text* cut at *cuts*; gives what came out, and the reasons for the end."""
    places = sorted({0, len(text), *(cut % (len(text) + 1) for cut in cuts)})
    pieces = [text[start:end] for start, end in pairwise(places)]
    chunks = [{"choices": [{"index": 0, "delta": {name: piece}, "finish_reason": None}]} for piece in pieces]
    chunks.append({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    out = [choice for chunk in chunks for given in look.piece(chunk) for choice in given["choices"]]
    reasons = [choice["finish_reason"] for choice in out if choice["finish_reason"]]
    assert out[-1]["finish_reason"] or reasons == ["content_filter"]
    return "".join(choice["delta"].get(name) or "" for choice in out), reasons


WORDS = st.lists(
    st.sampled_from(["good", "day", CARD, "ada@example.org", "4111", "1111", "sk-" + "x" * 40]), max_size=60
)


@given(WORDS, st.lists(st.integers(0, 4000), max_size=40))
def test_however_a_stream_is_cut_the_same_is_masked(words, cuts):
    """What comes out is what the whole text would have become; nothing is lost, and nothing passes by halves."""
    text = " ".join(words)
    said, reasons = streamed(guard(MASKS).answer(streams=True), text, cuts)
    whole = guard(MASKS).answer(streams=False).piece({"choices": [{"message": {"content": text}}]})
    assert said == whole[0]["choices"][0]["message"]["content"]
    assert reasons == ["stop"]
    assert "ada@" not in said


@given(st.integers(0, 400), st.lists(st.integers(0, 1000), max_size=20))
def test_a_blocked_stream_ends_before_the_word(before, cuts):
    """With the reason, once."""
    said, reasons = streamed(guard(BLOCKS).answer(streams=True), "so " * before + "project x and more", cuts)
    assert reasons == ["content_filter"]
    assert "project" not in said
    assert "more" not in said


def test_a_private_key_is_kept_back_until_it_is_whole():
    """Although white space is in it."""
    key = "-----BEGIN PRIVATE KEY-----\n" + "MIIE vQIB ADAN\n" * 100 + "-----END PRIVATE KEY-----"
    said, _ = streamed(guard(MASKS).answer(streams=True), f"here: {key} done", list(range(0, 2000, 7)))
    assert said == "here: [secret] done"


def test_arguments_of_a_streamed_call_are_looked_at():
    """Each call goes on by itself."""
    look = guard(MASKS).answer(streams=True)

    def piece(number, text):
        call = {"index": number, "function": {"arguments": text}}
        return {"choices": [{"index": 0, "delta": {"tool_calls": [call]}, "finish_reason": None}]}

    end = {"choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]}
    out: dict[int, str] = {}
    for chunk in (piece(0, '{"a":"ada@exa'), piece(1, '{"b":1'), piece(0, 'mple.org"}'), piece(1, "}"), end):
        for given_ in look.piece(chunk):
            for call in given_["choices"][0]["delta"].get("tool_calls", ()):
                out[call["index"]] = out.get(call["index"], "") + call["function"]["arguments"]
    assert out == {0: '{"a":"[email]"}', 1: '{"b":1}'}


@pytest.mark.parametrize("text", [r"[A-Z]{2,3}-\d{4,8}", "(?:secret|internal) project", "colou?r", r"\bx\b", "[^]a]b"])
def test_patterns_that_are_quick_are_taken(text):
    """And find what they say, in upper and lower case."""
    assert read_pattern(text)


@pytest.mark.parametrize(
    "text",
    ["a*", "a+b", "(a{1,9}){1,9}", "(a|b)?", r"(a)\1", "(?=a)b", "(?i)a", ".{0,99}x.{0,99}", "", "a{3,1}", "[", "(",
     "a?", "x" * 257, "a{1,2}{1,2}{1,2}", "(?P<n>a)", "^", "[a[b]", "[a--b]"],
)  # fmt: skip
def test_patterns_that_could_take_long_are_refused(text):
    """So are those that are none."""
    with pytest.raises(BadRequest):
        read_pattern(text)


def test_the_slowest_pattern_ends():
    """Its time grows with the text, not with the square of it."""
    slow = read_pattern("a{1,16}a{1,16}b")
    began = time.process_time()
    assert slow.search("a" * 20_000) is None
    assert time.process_time() - began < 20


@pytest.mark.parametrize(
    "rules",
    [
        [GuardRule(name="a", action="mask")],
        [GuardRule(name="a", action="mask", finds=["email"], words=["x"])],
        [GuardRule(name="a", action="mask", finds=["nothing"])],
        [GuardRule(name="a", action="mask", words=["x"]), GuardRule(name="a", action="block", words=["y"])],
    ],
)
def test_rules_that_say_nothing_or_too_much_are_refused(rules):
    """By name."""
    with pytest.raises(BadRequest):
        guard(*rules)


def test_no_rules_cost_nothing():
    """There is no guard then."""
    assert compile_guard(GuardPolicy()) is None
    assert guard(GuardRule(name="a", action="mask", on="prompt", words=["x"])).answer(streams=True) is None
