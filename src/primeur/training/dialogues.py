"""Dialogues composed of lessons and drills: one or several exchanges, with or without instructions."""

from collections.abc import Iterator
from random import Random

from primeur.training import drills, lessons
from primeur.training.chat_form import Turn
from primeur.training.facts import Facts
from primeur.training.lessons import Exchange, Lesson, Teacher

# How often each lesson is given, by language; a language without data for a lesson leaves it out.
SHARES: dict[str, list[tuple[Lesson, float]]] = {
    "en": [
        (lessons.define, 20),
        (lessons.kind, 5),
        (lessons.enumerate_kinds, 3),
        (lessons.opposite, 3),
        (lessons.synonym, 3),
        (lessons.reverse, 1),
        (lessons.example, 1),
        (lessons.translate, 8),
        (lessons.emoji, 3),
        (lessons.country, 4),
        (lessons.software, 3),
        (lessons.about, 1),
        (drills.arithmetic, 14),
        (drills.compare, 2),
        (drills.order, 2),
        (drills.spell, 3),
        (drills.count, 2),
        (drills.repeat, 4),
        (drills.look_up, 8),
        (drills.read_story, 8),
        (drills.talk, 9),
        (drills.unknown, 7),
    ],
    "fr": [
        (lessons.translate, 18),
        (lessons.emoji, 5),
        (lessons.country, 6),
        (lessons.software, 4),
        (lessons.about, 2),
        (drills.arithmetic, 14),
        (drills.compare, 3),
        (drills.order, 3),
        (drills.spell, 3),
        (drills.count, 2),
        (drills.repeat, 4),
        (drills.look_up, 6),
        (drills.read_story, 8),
        (drills.talk, 16),
        (drills.unknown, 7),
    ],
}
FRENCH_SHARE = 0.3
OPENING_SHARE = 0.12


def make_dialogues(facts: Facts, count: int, seed: int) -> Iterator[tuple[Turn, ...]]:
    """Make *count* dialogues; the same seed makes the same ones."""
    teacher = Teacher(facts, lessons.read_phrases(), Random(seed))  # noqa: S311 - training data, not secrets
    for _ in range(count):
        yield make_dialogue(teacher)


def make_dialogue(teacher: Teacher) -> tuple[Turn, ...]:
    """One dialogue of one to four lessons in one language."""
    language = "fr" if teacher.chance(FRENCH_SHARE) else "en"
    tasks, weights = zip(*SHARES[language], strict=True)
    exchanges: list[Exchange] = []
    if teacher.chance(OPENING_SHARE):
        greeting = teacher.phrases["talk"][language][0]
        exchanges.append((teacher.dice.choice(greeting["ask"]), teacher.dice.choice(greeting["answer"])))
    for task in teacher.dice.choices(tasks, weights, k=teacher.dice.choice((1, 1, 1, 2, 3, 4))):
        exchanges += task(teacher, language)
    system, exchanges = instruct(teacher, language, exchanges)
    turns = [Turn("system", system)] if system else []
    for asked, answered in exchanges:
        turns += [Turn("user", asked), Turn("assistant", answered)]
    return tuple(turns)


def instruct(teacher: Teacher, language: str, exchanges: list[Exchange]) -> tuple[str, list[Exchange]]:
    """Add instructions to some dialogues: plain ones, long ones, tools, a name, or another language to answer in."""
    phrases, roll = teacher.phrases["system"][language], teacher.dice.random()
    if roll < 0.18:
        return teacher.dice.choice(phrases["plain"]), exchanges
    if roll < 0.22:
        pieces = [teacher.dice.choice(teacher.facts.topics[language])[1] for _ in range(teacher.dice.randint(1, 3))]
        return "\n".join([teacher.dice.choice(phrases["plain"]), *pieces]), exchanges
    if roll < 0.24:
        return describe_tools(teacher), exchanges
    if roll < 0.29:
        name, place = teacher.name(), teacher.dice.choice(teacher.facts.places[language])
        asked, answered = (teacher.say("system", language, form, name=name) for form in ("who", "am"))
        exchanges.insert(teacher.dice.randrange(len(exchanges) + 1), (asked, answered))
        return teacher.say("system", language, "named", name=name, place=place), exchanges
    if roll < 0.32:
        return teacher.dice.choice(phrases["other"]), answer_in(teacher, "en" if language == "fr" else "fr", language)
    return "", exchanges


def answer_in(teacher: Teacher, spoken: str, asked_in: str) -> list[Exchange]:
    """Small talk asked in one language and answered in the other."""
    places = [teacher.dice.randrange(len(teacher.phrases["talk"]["fr"])) for _ in range(teacher.dice.randint(1, 2))]
    blocks = teacher.phrases["talk"]  # both languages keep their blocks in one order
    return [
        (teacher.dice.choice(blocks[asked_in][place]["ask"]), teacher.dice.choice(blocks[spoken][place]["answer"]))
        for place in places
    ]


def describe_tools(teacher: Teacher) -> str:
    """Definitions of tools as the chat template writes them; the answers that follow make no use of them."""
    lines = [
        f'{teacher.word().text}_{teacher.word().text}: {word.gloss} {{"type": "object", "properties": {{}}}}'
        for word in (teacher.word(lambda w: w.kind == "v") for _ in range(teacher.dice.randint(1, 3)))
    ]
    return "\n".join(["Tools:", *lines])
