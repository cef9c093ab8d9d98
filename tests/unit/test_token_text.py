"""Tokens become text: what leaves is the same however the tokens come, and stop words never leave."""

from hypothesis import given
from hypothesis import strategies as st

from primeur.engines.token_maker import Made
from primeur.engines.token_text import TextFlow


class Letters:
    """A vocabulary of single bytes; 256 is the end and no text."""

    def tokenize(self, text: str) -> list[int]:
        return list(text.encode())

    def bytes_of(self, token: int) -> bytes:
        return bytes([token]) if token < 256 else b""

    def write_chat(self, messages, options) -> str:  # noqa: ARG002 - the protocol's signature
        return "".join(message["content"] for message in messages)


def flow_of(text: str, stops: list[str], sizes: list[int]) -> tuple[str, TextFlow]:
    """Feed *text* in pieces of the given sizes, over and over, and give all that left."""
    flow = TextFlow(Letters(), stops, logprobs=True)
    tokens = [Made(token, -0.5) for token in text.encode()] + [Made(256, -0.1, "stop")]
    left, place, turn = "", 0, 0
    while place < len(tokens) and flow.finish is None:
        size = sizes[turn % len(sizes)]
        left += flow.take(tokens[place : place + size])[0]
        place, turn = place + size, turn + 1
    return left, flow


_sizes = st.lists(st.integers(1, 5), min_size=1, max_size=6)


@given(st.text(max_size=60), _sizes)
def test_without_stop_words_all_text_leaves(text: str, sizes: list[int]) -> None:
    """Letters of several bytes are whole, wherever the pieces end."""
    assert flow_of(text, [], sizes)[0] == text.encode(errors="replace").decode()


@given(st.text("abc", max_size=60), st.lists(st.text("abc", min_size=1, max_size=4), max_size=4), _sizes)
def test_text_ends_before_the_first_stop_word(text: str, stops: list[str], sizes: list[int]) -> None:
    """The answer is what stands before the stop word that is complete first."""
    ends = [text.find(stop) + len(stop) for stop in stops if stop in text]
    seen = text[: min(ends)] if ends else text
    starts = [seen.find(stop) for stop in stops if stop in seen]
    left, flow = flow_of(text, stops, sizes)
    assert left == (text[: min(starts)] if starts else text)
    assert flow.finish == "stop"


def test_entries_wait_for_their_text() -> None:
    """What may still be taken back as a stop word has no log-probabilities yet; what was taken back never has."""
    flow = TextFlow(Letters(), ["END"], logprobs=True)
    assert flow.take([Made(token, -1.0) for token in b"aE"]) == ("a", [])
    text, entries = flow.take([Made(ord("x"), -1.0)])
    assert text == "Ex"
    assert [entry["token"] for entry in entries] == ["a", "E", "x"]


def test_a_letter_that_was_cut_off_is_shown_as_such() -> None:
    """The end of an answer may lie within a letter."""
    flow = TextFlow(Letters(), [], logprobs=False)
    text, _ = flow.take([Made("é".encode()[0], None, "length")])
    assert (text, flow.finish, flow.tokens) == ("\N{REPLACEMENT CHARACTER}", "length", 1)
