"""The console's two catalogues."""

import re
from pathlib import Path
from typing import get_args

import pytest

from primeur import console
from primeur.broker.commands import Answer, Command
from primeur.broker.papers import CommitmentState, OfferState, RequestState
from primeur.broker.placement import Reason
from primeur.broker.rights import RIGHT, Mode, RightState
from primeur.console.words import LANGUAGES, choose_language, read_words

FOLDER = Path(console.__file__).parent
# Keys that are put together: t("state." ~ name), t(`problem.${kind}`).
MADE_UP = re.compile(
    r"^(state|role|method|deployments|frame\.theme|problem|live\.finish|usage\.(by|last|plot)|log\.by|budgets\.(scope|period|state)|guards\.(on|action)|people\.kind|access|shortcut|frame|chat|keys|money|simulations|prices\.(whose|unit)|capacity\.(said|mode|why|plot|last))[._]"
)


def _used():
    for path in sorted(FOLDER.rglob("*")):
        if path.suffix in {".html", ".js", ".py"} and "vendor" not in path.parts:
            found = re.findall(
                r"""(?:\bt|say|knows)\(\s*["'`]([a-z_]+\.[a-z_0-9]+)["'`](?!\s*~)""", path.read_text("utf-8")
            )
            found += re.findall(r"""["']((?:live|unit)\.[a-z_0-9]+)["']""", path.read_text("utf-8"))
            yield from ((path.name, key) for key in found)


def test_both_languages_have_the_same_keys_and_the_same_gaps_to_fill():
    """A word that exists in one language exists in the other, with the same {names}."""
    english, french = (read_words(name).entries for name in ("en", "fr"))
    assert english.keys() == french.keys()
    for key, text in english.items():
        assert set(re.findall(r"\{\w+\}", text)) == set(re.findall(r"\{\w+\}", french[key])), key


def test_every_key_that_a_page_or_script_uses_exists():
    """No page shows a key instead of words."""
    entries = read_words("en").entries
    assert [(name, key) for name, key in _used() if key not in entries] == []


def test_no_word_is_left_over():
    """A key that nothing uses is taken out of both catalogues."""
    used = {key for _, key in _used()}
    assert [key for key in read_words("en").entries if key not in used and not MADE_UP.match(key)] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_state_of_a_right_and_of_a_paper_is_said_in_words(language):
    """The API's words stay what they are; people read their own language."""
    kinds = {"right": RightState, "request": RequestState, "offer": OfferState, "commitment": CommitmentState}
    keys = [f"state.{kind}.{state}" for kind, states in kinds.items() for state in states]
    keys += [f"capacity.mode.{mode}" for mode in Mode] + [f"capacity.why.{reason}" for reason in Reason]
    assert [key for key in keys if not read_words(language).has(key)] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_everything_that_can_be_said_under_a_right_has_words(language):
    """Commands, answers and moves, as a right's history lists them."""
    moves = {move for _, move in RIGHT.moves} - {"expire"}
    said = [*(kind.__name__ for kind in get_args(Command)), *Answer, *moves]
    assert [word for word in said if not read_words(language).has(f"capacity.said.{word}")] == []


def test_every_problem_says_what_to_do_next():
    """Each kind of fault that problems.js can name has its words and its next step."""
    entries = read_words("en").entries
    source = (FOLDER / "static/js/problems.js").read_text("utf-8")
    kinds = set(re.findall(r': "([a-z_]+)"', source)) | {"offline", "broken", "other", "target"}
    assert [kind for kind in kinds if not {f"problem.{kind}", f"problem.{kind}_next"} <= entries.keys()] == []


@pytest.mark.parametrize(
    ("wish", "accepts", "chosen"),
    [
        ("fr", "en", "fr"),
        (None, "fr-CA,fr;q=0.9,en;q=0.8", "fr"),
        (None, "de, en;q=0.5, fr;q=0.7", "fr"),
        (None, "de", "en"),
        (None, "fr;q=0, en", "en"),
        ("xx", "fr;q=many", "en"),
        (None, "", "en"),
    ],
)
def test_the_language_is_the_persons_choice_else_the_browsers(wish, accepts, chosen):
    """A wish counts first, then Accept-Language by its weights, then English."""
    assert choose_language(wish, accepts) == chosen
    assert chosen in LANGUAGES
