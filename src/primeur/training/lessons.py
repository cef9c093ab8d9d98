"""Single exchanges made from facts: each lesson gives question and answer pairs on one thing."""

import dataclasses
import string
import tomllib
from collections.abc import Callable
from importlib import resources
from random import Random
from typing import Any

from primeur.training.facts import Facts, Word

Exchange = tuple[str, str]
Lesson = Callable[["Teacher", str], list[Exchange]]
COMMON_WORDS = 1800


def read_phrases() -> dict[str, Any]:
    """Ways of asking and answering, from ``phrases.toml`` beside this file."""
    return tomllib.loads((resources.files("primeur.training") / "phrases.toml").read_text("utf-8"))


@dataclasses.dataclass(frozen=True)
class Teacher:
    """What a lesson needs: facts, phrases and seeded dice."""

    facts: Facts
    phrases: dict[str, Any]
    dice: Random

    def say(self, lesson: str, language: str, form: str, **values: object) -> str:
        """Pick a phrase and fill it; ``{Word}`` is *word* with a capital, ``{a_word}`` with an article."""
        phrase = self.dice.choice(self.phrases[lesson][language][form])
        known: dict[str, object] = dict(values)
        for key, value in values.items():
            text = str(value)
            known[key.capitalize()] = text[:1].upper() + text[1:]
            known[f"a_{key}"] = with_article(text)
            known[f"A_{key}"] = with_article(text).capitalize() if text.islower() else with_article(text)
            known[f"an_{key}"] = with_article(text)
        return tidy(str(string.Formatter().vformat(phrase, (), known)))

    def word(self, test: Callable[[Word], bool] = bool) -> Word:
        """A common word that passes *test*, frequent ones more often."""
        words = self.facts.words
        while True:
            place = int(COMMON_WORDS * self.dice.random() ** 2.2)
            if place < len(words) and words[place].gloss and test(words[place]):
                return words[place]

    def chance(self, share: float) -> bool:
        """True in *share* of the cases."""
        return self.dice.random() < share

    def name(self) -> str:
        """A first name."""
        return str(self.dice.choice(self.phrases["names"]["people"]))


def with_article(text: str) -> str:
    """Put "a" or "an" before a common noun; names keep their capital and take none."""
    if not text or text[0].isupper():
        return text
    return f"{'an' if text[0] in 'aeiou' else 'a'} {text}"


def tidy(text: str) -> str:
    """No doubled full stop, no blank at the ends."""
    return text.replace("..", ".").replace("?.", "?").replace("!.", "!").strip()


def define(teacher: Teacher, language: str) -> list[Exchange]:
    """What a word means."""
    word = teacher.word()
    ask = teacher.say("define", language, "ask", word=word.text)
    if (word.kind != "n" and " a " in ask) or " an " in ask:
        ask = f"What does {word.text} mean?"
    noun = word.kind == "n" and word.gloss.startswith(("a ", "an ", "the ", "any "))
    answer = teacher.say("define", language, "noun" if noun else "answer", word=word.text, gloss=word.gloss)
    exchanges = [(ask, answer)]
    if word.example and teacher.chance(0.15):
        exchanges.append(("Give me an example.", tidy(f"{capital(word.example)}.")))
    return exchanges


def capital(text: str) -> str:
    """First letter raised."""
    return text[:1].upper() + text[1:]


def kind(teacher: Teacher, language: str) -> list[Exchange]:
    """What kind of thing something is, asked or checked."""
    word = teacher.word(lambda w: w.kind == "n" and bool(w.parents) and w.count > 0)
    parent = word.parents[0]
    if teacher.chance(0.5):
        asked = teacher.say("kind", language, "ask", word=word.text)
        return [(asked, teacher.say("kind", language, "answer", word=word.text, parent=parent))]
    true = teacher.chance(0.5)
    other = teacher.dice.choice(word.parents[:4]) if true else teacher.word(lambda w: w.kind == "n").text
    form = "yes" if other in word.parents else "no"
    asked = teacher.say("kind", language, "check", word=word.text, other=other)
    return [(asked, teacher.say("kind", language, form, word=word.text, other=other, parent=parent))]


def enumerate_kinds(teacher: Teacher, language: str) -> list[Exchange]:
    """A few things of one kind."""
    above = teacher.dice.choice(list(teacher.facts.kinds))
    count = teacher.dice.randint(2, 4)
    items = teacher.facts.kinds[above][:count] if teacher.chance(0.7) else teacher.facts.kinds[above][-count:]
    asked = teacher.say("kind", language, "list", word=above, count=count)
    return [(asked, teacher.say("kind", language, "listed", items=capital(", ".join(items))))]


def opposite(teacher: Teacher, language: str) -> list[Exchange]:
    """The opposite of a word."""
    word = teacher.word(lambda w: bool(w.opposite))
    asked = teacher.say("opposite", language, "ask", word=word.text)
    return [(asked, teacher.say("opposite", language, "answer", word=word.text, other=word.opposite))]


def synonym(teacher: Teacher, language: str) -> list[Exchange]:
    """Another word for it."""
    word = teacher.word(lambda w: bool(w.synonyms))
    asked = teacher.say("synonym", language, "ask", word=word.text)
    return [(asked, teacher.say("synonym", language, "answer", word=word.text, other=word.synonyms[0]))]


def reverse(teacher: Teacher, language: str) -> list[Exchange]:
    """The word for a meaning."""
    word = teacher.word(lambda w: len(w.gloss) < 90)
    asked = teacher.say("reverse", language, "ask", gloss=word.gloss)
    return [(asked, teacher.say("reverse", language, "answer", word=word.text))]


def example(teacher: Teacher, language: str) -> list[Exchange]:
    """A sentence with a word."""
    word = teacher.word(lambda w: len(w.example) > 15)
    asked = teacher.say("example", language, "ask", word=word.text)
    return [(asked, teacher.say("example", language, "answer", example=capital(word.example)))]


def translate(teacher: Teacher, language: str) -> list[Exchange]:
    """One to three words into the other language."""
    exchanges = []
    for number in range(teacher.dice.choice((1, 1, 2, 3))):
        english, french = teacher.dice.choice(teacher.facts.pairs)
        here, there = (english, french) if language == "en" else (french, english)
        asked = teacher.say("translate", language, "again" if number else "ask", here=here)
        exchanges.append((asked, teacher.say("translate", language, "answer", here=here, there=there)))
    return exchanges


def emoji(teacher: Teacher, language: str) -> list[Exchange]:
    """An emoji for a name, or the name of an emoji."""
    sign, name = teacher.dice.choice(teacher.facts.emoji[language])
    asked, answered = ("ask", "answer") if teacher.chance(0.5) else ("what", "that")
    return [
        (
            teacher.say("emoji", language, asked, emoji=sign, name=name),
            teacher.say("emoji", language, answered, emoji=sign, name=name),
        )
    ]


def country(teacher: Teacher, language: str) -> list[Exchange]:
    """A country's currency or languages."""
    if teacher.chance(0.5):
        place, money = teacher.dice.choice(teacher.facts.money[language])
        values = {"country": place, "currency": money}
        return [(teacher.say("money", language, "ask", **values), teacher.say("money", language, "answer", **values))]
    place, spoken = teacher.dice.choice(teacher.facts.tongues[language])
    values = {"country": place, "languages": spoken}
    return [(teacher.say("tongue", language, "ask", **values), teacher.say("tongue", language, "answer", **values))]


def software(teacher: Teacher, language: str) -> list[Exchange]:
    """What a command, module or directive does."""
    thing, gloss = teacher.dice.choice(teacher.facts.software[language])
    answer = teacher.say("software", language, "answer", thing=capital(thing), gloss=gloss)
    return [(teacher.say("software", language, "ask", thing=thing), answer)]


def about(teacher: Teacher, language: str) -> list[Exchange]:
    """A paragraph of documentation on a topic, or a satirical definition."""
    if language == "en" and teacher.chance(0.3):
        word, text = teacher.dice.choice(teacher.facts.satire)
        return [(teacher.say("satire", language, "ask", word=word), text)]
    topic, text = teacher.dice.choice(teacher.facts.topics[language])
    return [(teacher.say("about", language, "ask", topic=topic), text)]
