"""What `primeur chat` does between the keyboard and the wire."""

import json

import pytest

from primeur.cli.ask import Answer, describe
from primeur.cli.ink import BOLD, CODE, PLAIN, Ink, harmless
from primeur.cli.lines import history_path, read_message
from primeur.cli.talk import Talk, obey, read_params
from primeur.core.errors import BadRequest


def inked(*pieces):
    ink = Ink(colours=True)
    return "".join(map(ink.write, pieces)) + ink.end()


@pytest.mark.parametrize("cut", [1, 2, 3, 7, 100])
def test_markdown_is_styled_the_same_however_it_is_cut_into_pieces(cut):
    """Marks may arrive in halves."""
    text = "# Fruit\nan **old** `apple` * 2\n- one\n```py\nx = '**'\n```\nend"
    whole = inked(text)
    assert inked(*(text[i : i + cut] for i in range(0, len(text), cut))) == whole
    assert f"{BOLD}Fruit" in whole
    assert f"{CODE}apple" in whole
    assert "x = '**'" in whole
    assert "\N{BULLET} one" in whole


def test_a_style_that_was_left_open_ends_with_its_line():
    """One lone mark must not colour the rest."""
    assert inked("a **b\nc").endswith(f"{PLAIN}\nc{PLAIN}")


def test_a_models_words_cannot_drive_the_terminal():
    """Escape sequences, title changes and text that runs backwards lose their power; words stay."""
    assert harmless("a\x1b]0;owned\x07b\x9b31m\u202ec\td\ne") == "a]0;ownedb31mc\td\ne"
    assert Ink(colours=False).write("\x1b[2Jx **y**") == "[2Jx **y**"


def test_a_conversation_is_sent_whole_and_in_order():
    """System prompt first, parameters beside it."""
    talk = Talk("echo", "Be brief.", {"seed": 7})
    talk.keep("one", "two")
    body = talk.body("three")
    assert [message["content"] for message in body["messages"]] == ["Be brief.", "one", "two", "three"]
    assert (body["model"], body["seed"]) == ("echo", 7)


def test_the_last_question_can_be_asked_again():
    """Also when it was never answered."""
    talk = Talk("echo")
    talk.keep("one", "two")
    assert talk.take_back() == "one"
    assert talk.turns == []
    with pytest.raises(BadRequest, match="nothing to retry"):
        talk.take_back()
    talk.pending = "unanswered"
    assert talk.take_back() == "unanswered"


def test_parameters_are_set_changed_and_taken_away():
    """Values are JSON, or else texts."""
    params = read_params('temperature=0.5 stop=["a b", "c"] user="me too"', {})
    assert params == {"temperature": 0.5, "stop": ["a b", "c"], "user": "me too"}
    assert read_params("stop= user=", params) == {"temperature": 0.5}


@pytest.mark.parametrize("words", ["temperatur=1", "temperature=3", "temperature", "messages=[]", "max_tokens=x"])
def test_a_parameter_that_cannot_be_is_refused_before_it_is_sent(words):
    """By name, and what was set before stays."""
    with pytest.raises(BadRequest):
        read_params(words, {})


def test_commands_change_the_conversation():
    """And say what they did."""
    talk = Talk("echo")
    assert obey(talk, "/system Be brief.", list) == "system prompt set"
    assert obey(talk, "/params seed=1", list) == "seed=1"
    assert obey(talk, "/model north", lambda: ["echo", "north"]) == "asking north"
    assert (talk.model, talk.system) == ("north", "Be brief.")
    for wrong in ("/modl x", "/save", "/model south"):
        with pytest.raises(BadRequest):
            obey(talk, wrong, lambda: ["echo"])


def test_a_conversation_is_saved_for_its_owner_alone(tmp_path):
    """As Markdown or JSON; a file that exists is never written over."""
    talk = Talk("echo", "Be brief.", {"seed": 1})
    talk.keep("one", "two")
    obey(talk, f"/save {tmp_path / 'a.md'}", list)
    obey(talk, f"/save {tmp_path / 'a.json'}", list)
    assert "## user\n\none" in (tmp_path / "a.md").read_text()
    assert json.loads((tmp_path / "a.json").read_text())["messages"][-1] == {"role": "assistant", "content": "two"}
    assert (tmp_path / "a.md").stat().st_mode & 0o777 == 0o600
    with pytest.raises(BadRequest, match="exists"):
        obey(talk, f"/save {tmp_path / 'a.md'}", list)


@pytest.mark.parametrize(
    ("typed", "message"),
    [(["one"], "one"), (["one\\", "two"], "one\ntwo"), (['"""', "one", "", "two", '"""'], "one\n\ntwo")],
)
def test_a_message_may_have_several_lines(typed, message):
    """A backslash goes on; triple quotes stand around."""
    rows = iter(typed)
    assert read_message(lambda _: next(rows), "> ") == message


def test_what_was_typed_is_kept_where_the_system_says():
    """By the XDG specification."""
    assert str(history_path({"XDG_STATE_HOME": "/state"})) == "/state/primeur/chat_history"


def test_an_answer_says_who_served_it_how_fast_and_at_what_cost():
    """An unknown cost is called unknown."""
    account = {"deployment": "echo", "provider": "echo", "cost_nanos": None}
    answer = Answer("x", "length", {"completion_tokens": 21}, account, 0.5, 1.5, 20)
    assert describe(answer) == (
        "echo / echo \N{MIDDLE DOT} 21 tokens \N{MIDDLE DOT} 20.0 tokens/s \N{MIDDLE DOT} first after 0.50 s "
        "\N{MIDDLE DOT} cost unknown \N{MIDDLE DOT} ended by length"
    )
    answer.account = {"cost_nanos": 1_230_000, "currency": "EUR"}
    assert "cost 0.001230 EUR" in describe(answer)
