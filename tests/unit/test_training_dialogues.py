"""Dialogues made by rule: their form, their sums, and the same seed giving the same ones."""

import re
from random import Random

import pytest

from primeur.training import card, drills
from primeur.training.chat_form import CHAT_TEMPLATE, ROLES, Turn, render
from primeur.training.dialogues import make_dialogues
from primeur.training.facts import Facts, Word
from primeur.training.rules import Recipe, Shape, Source, Stage


def word(text: str, kind: str = "n", **known: object) -> Word:
    """A word with everything a lesson may ask for."""
    values = {"count": 9, "gloss": f"what one calls {text}", "example": f"we saw the {text} at once"}
    return Word(text, kind, **(values | {"synonyms": ("x",), "parents": ("thing",), "opposite": "y"} | known))


@pytest.fixture
def facts():
    both = {"en": (("France", "euro"),), "fr": (("France", "euro"),)}
    words = [word(text) for text in ("dog", "house", "tree", "boat", "river")] + [word("hot", "a"), word("run", "v")]
    return Facts(
        words=tuple(words * 300),
        kinds={"animal": ("dog", "cat", "bird", "fish")},
        pairs=(("cat", "chat"), ("bread", "pain")),
        emoji={"en": (("🐶", "dog face"),), "fr": (("🐶", "tête de chien"),)},
        places={"en": ("France", "Chad"), "fr": ("France", "Tchad")},
        money=both,
        tongues=both,
        lists={"en": {"days": ("Monday", "Tuesday")}, "fr": {"jours": ("lundi", "mardi")}},
        software={"en": (("the module json", "reads JSON"),), "fr": tuple((f"le module {i}", "lit") for i in range(5))},
        topics={"en": (("Tables", "A table has rows."),), "fr": (("Tableaux", "Un tableau a des lignes."),)},
        satire=(("love", "LOVE, n. A temporary insanity."),),
    )


def test_every_dialogue_ends_with_an_answer(facts):
    """Instructions come first if at all; then question and answer take turns, and nothing is left unfilled."""
    for turns in make_dialogues(facts, 1500, seed=3):
        said = [turn.role for turn in turns if turn.role != "system"]
        assert said == ["user", "assistant"] * (len(said) // 2)
        assert all(turn.text for turn in turns)
        assert not any(re.search(r"\{[a-zA-Z_2]+\}", turn.text) for turn in turns)
        assert "system" not in [turn.role for turn in turns[1:]]


def test_the_same_seed_makes_the_same_dialogues(facts):
    """A run can be made again."""
    assert list(make_dialogues(facts, 50, seed=7)) == list(make_dialogues(facts, 50, seed=7))
    assert list(make_dialogues(facts, 50, seed=7)) != list(make_dialogues(facts, 50, seed=8))


def test_sums_are_right():
    """No wrong sum is taught."""
    dice = Random(5)
    for _ in range(500):
        asked, result = drills.make_sum(dice)
        one, sign, two = re.fullmatch(r"(\d+) (\S) (\d+)", asked).groups()
        by = {"+": lambda a, b: a + b, "-": lambda a, b: a - b, "/": lambda a, b: a // b, "÷": lambda a, b: a // b}
        assert by.get(sign, lambda a, b: a * b)(int(one), int(two)) == result


def test_the_template_writes_what_was_trained():
    """Served prompts and training text have one form; parts, developers and tool calls are accepted."""
    jinja2 = pytest.importorskip("jinja2")
    template = jinja2.Environment(autoescape=False).from_string(CHAT_TEMPLATE)
    turns = [Turn(role, f"I am {role}.") for role in ROLES]
    messages = [{"role": turn.role, "content": turn.text} for turn in turns]
    assert template.render(messages=messages, bos_token="<|start|>", add_generation_prompt=True) == render(turns)
    parts = [{"role": "developer", "content": [{"type": "text", "text": "Be"}, {"type": "text", "text": "brief"}]}]
    assert template.render(messages=parts, bos_token="") == "<|system|>Bebrief<|end|>"


def test_tools_are_written_as_text():
    """Definitions follow the instructions in one system turn; earlier calls are JSON."""
    jinja2 = pytest.importorskip("jinja2")
    template = jinja2.Environment(autoescape=False).from_string(CHAT_TEMPLATE)
    tool = {"type": "function", "function": {"name": "look", "description": "Looks.", "parameters": {"type": "object"}}}
    call = {"role": "assistant", "content": None, "tool_calls": [{"id": "1"}]}
    messages = [{"role": "system", "content": "Be brief."}, call, {"role": "tool", "content": "12"}]
    assert template.render(messages=messages, tools=[tool], bos_token="") == (
        '<|system|>Be brief.\n\nTools:\nlook: Looks. {"type": "object"}<|end|>'
        '<|assistant|>[{"id": "1"}]<|end|><|tool|>12<|end|>'
    )


def test_the_card_says_what_was_measured():
    """Licence, source, digest, perplexity and probes stand on the card as they are."""
    recipe = Recipe(
        name="tiny",
        licence="Apache-2.0",
        languages=["en"],
        shape=Shape(64, 1, 2, 1, 64),
        stages=[Stage("read", 100)],
        sources=[Source("doc", "text", "MIT", "us", ["*"])],
    )
    measured = card.Measured(
        1234, {"read": 100}, 1000, {"doc/en": 2_000_000}, 0, 60.0, "a machine", 4.0, 54.6, 3.0, 0.0,
        {"0 to 512": 50.0}, [("Hi", "Wrong | answer")],
    )  # fmt: skip
    page = card.write_card(recipe, measured)
    for words in ("1,234 parameters", "54.6 per token", "| doc | en | MIT | us | 2.0 |", "| Hi | Wrong \\| answer |"):
        assert words in page
