"""Personal data is replaced, and what only looks like it stays."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from primeur.core.errors import BadRequest
from primeur.core.masking import RULES, Rule, check_masks, mask_json, mask_text

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"
PEM = "-----BEGIN PRIVATE KEY-----\nMIIEvQ\nabc\n-----END PRIVATE KEY-----"
FOUND = {
    "email": ["ada@example.org", "a.b+c@mail.example.co.uk"],
    "iban": ["FR76 3000 6000 0112 3456 7890 189", "DE89370400440532013000", "gb82 west 1234 5698 7654 32"],
    "card": ["4111 1111 1111 1111", "5500-0000-0000-0004", "378282246310005"],
    "fr_nir": ["2 55 08 14 168 025 38", "255081416802538", "1 85 05 2A 006 082 37"],
    "be_nrn": ["85.07.30-033.28", "17 07 30 033 84".replace(" ", "")],
    "de_steuer_id": ["86095742719", "47 036 892 816"],
    "es_dni": ["12345678Z", "X1234567L"],
    "it_cf": ["RSSMRA85T10A562S"],
    "uk_nino": ["AB123456C", "JG 10 37 59 A"],
    "us_ssn": ["078-05-1120"],
    "phone": ["+33 6 12 34 56 78", "01 23 45 67 89", "(415) 555-2671", "+1-415-555-2671"],
    "secret": [JWT, PEM, "pk_" + "a" * 43, "sk-" + "b" * 32, "AKIAIOSFODNN7EXAMPLE", "ghp_" + "c" * 36],
}
LEFT = [
    "4111 1111 1111 1112", "FR76 3000 6000 0112 3456 7890 188", "2 55 08 14 168 025 39", "12345678A", "85.07.30-033.29",
    "86095742710", "RSSMRA85T10A562T", "GB123456A", "000-12-3456", "version 1.2.3 of 2026-11-25", "not an email @ all",
    "1234567890123", "sk-short", "3.14159265358979", "call 112", "[email]",
]  # fmt: skip


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in FOUND.items() for text in texts])
def test_what_is_there_is_replaced(name, text):
    """By the name of what it was, wherever it stands, and by no other rule's."""
    assert mask_text(f"before {text}, after", RULES) == f"before [{name}], after"
    assert mask_json(msgspec.json.encode({"a": [f"line\n{text}"]}).decode(), RULES) == f'{{"a":["line\\n[{name}]"]}}'


@pytest.mark.parametrize("text", LEFT)
def test_what_only_looks_like_it_stays(text):
    """A wrong check digit is a number like any other."""
    assert mask_text(text, RULES) == text


@pytest.mark.parametrize(
    "text", ["FR76 3000 6000 0112 3456 7890 \u013089", "\u0131B33 BUKB 2020 1555 5555 55", "12345678\u017f"]
)
def test_letters_of_other_alphabets_are_no_letters_of_a_number(text):
    """Nor do they break its checksum."""
    assert mask_text(text, ["iban", "es_dni", "it_cf"]) == text


def test_every_rule_is_tried():
    """Here."""
    assert set(FOUND) == set(RULES)


@given(st.lists(st.sampled_from(["2026", "4111", "and", "12", "AB12", "0000 1111"]), max_size=6), st.data())
def test_what_looks_like_a_part_hides_nothing(around, data):
    """A card stays found after other numbers and before them, an IBAN between words."""
    for name, text in (("card", "5500 0000 0000 0004"), ("iban", "FR76 3000 6000 0112 3456 7890 189")):
        place = data.draw(st.integers(0, len(around)))
        words = [*around[:place], text, *around[place:]]
        assert text not in mask_text(" ".join(words), [name])


def test_only_the_named_rules_are_applied():
    """In their own order, whatever the order they are named in."""
    text = "ada@example.org 4111111111111111"
    assert mask_text(text, check_masks(["card"])) == "ada@example.org [card]"
    assert check_masks(["phone", "email", "secret"]) == ("secret", "email", "phone")
    with pytest.raises(BadRequest, match="'faces'"):
        check_masks(["faces"])


@given(st.text(max_size=300))
def test_masking_twice_is_masking_once(text):
    """And never breaks on any text."""
    once = mask_text(text, RULES)
    assert mask_text(once, RULES) == once


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(0, 10) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)


@given(JSON)
def test_json_stays_json(value):
    """Whatever is masked in it."""
    masked = mask_json(msgspec.json.encode(value).decode(), RULES)
    msgspec.json.decode(masked)


AROUND = [
    " ",
    "-",
    ".",
    ":",
    "/",
    "\n",
    "(",
    "+",
    "é",
    "²",
    "\u0663",
    "\u0130",
    "\u017f",
    "and",
    "a@b",
    "AB",
    "12",
    "123456",
    "@",
    "_",
]


@given(st.lists(st.sampled_from(AROUND + [one for each in FOUND.values() for one in each]), max_size=8), st.data())
def test_where_a_form_can_stand_leaves_nothing_out(parts, data):
    """What is found in stretches is what is found in the whole text, whatever is around and wherever it is cut."""
    text = "".join(parts)
    text = text[data.draw(st.integers(0, 40)) :] if data.draw(st.booleans()) else text
    for name, rule in RULES.items():
        whole = list(Rule(rule.form, rule.holds).spans(text))
        assert list(rule.spans(text)) == whole, name
        assert not (whole and len(text) < 16) or mask_text(text, [name]) != text


@given(st.text(alphabet="0123456789 -.()/+ABCDEXYZabp@_é", max_size=120))
def test_where_a_form_can_stand_leaves_nothing_out_of_numbers(text):
    """As above, where everything looks like something."""
    for rule in RULES.values():
        assert list(rule.spans(text)) == list(Rule(rule.form, rule.holds).spans(text))


@pytest.mark.parametrize(
    "text", ["a" * 200_000, "a@" * 100_000, "1 " * 100_000, "eyJ" * 70_000, "-----BEGIN PRIVATE KEY-----" * 300]
)
def test_no_text_takes_for_ever(text):
    """Expressions are bounded: this test ends."""
    mask_text(text, RULES)
