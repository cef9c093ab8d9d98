"""Words and phrases of a guard, found together as each would be found by itself."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from primeur.trust.words import alike, read_words

SIGNS = "aAbBéÉßsS\u03c3\u03a3\u03c2\u0130iI\u0131 -.*(3_"
words = st.lists(st.text(SIGNS, min_size=1, max_size=5), min_size=1, max_size=12)


@given(words, st.text(SIGNS, max_size=40))
@example(["II", "I\u0130."], "II.")
@example(["is", "\u0131s-", "i\u017f."], "IS-is.")
def test_all_are_found_as_one_after_the_other(wanted, text):
    """The longer of two that begin at one place; see the plain expression, which says what is meant."""
    joined = "|".join(re.escape(word) for word in sorted(wanted, key=len, reverse=True))
    plain = re.compile(rf"(?<!\w)(?:{joined})(?!\w)", re.IGNORECASE)
    assert [found.span() for found in read_words(wanted).finditer(text)] == [
        found.span() for found in plain.finditer(text)
    ]


@pytest.mark.parametrize(("text", "found"), [
    ("The Eagle has landed", ["Eagle"]), ("eagles", []), ("EAGLE EYE!", ["EAGLE EYE"]), ("eagle eyes", ["eagle"]),
])  # fmt: skip
def test_whole_words_alone(text, found):
    """In upper and lower case, and phrases before the words they begin with."""
    assert read_words(["eagle", "Eagle eye"]).findall(text) == found


def test_a_long_word_and_many_of_them_are_no_trouble():
    """A hundred signs, a thousand words."""
    many = [f"{number:03}{'x' * 97}" for number in range(1000)]
    assert read_words(many).fullmatch(many[500]) is not None
    each_longer = ["ab" * length for length in range(1, 51)]
    assert read_words(each_longer).fullmatch(each_longer[-1]) is not None


def test_one_sign_stands_for_all_that_are_alike():
    """Of every sign of Unicode: its own matches it, and whatever matches it in another case has the same."""
    for sign in map(chr, (*range(0xD800), *range(0xE000, 0x20000))):
        own = alike(sign)
        assert own == sign or re.fullmatch(re.escape(own), sign, re.IGNORECASE)
        cases = {sign.lower(), sign.upper(), sign.title(), sign.casefold()} - {sign}
        for other in cases:
            assert len(other) > 1 or not re.fullmatch(re.escape(other), sign, re.IGNORECASE) or alike(other) == own
