"""Exchanges that need no facts from outside: sums, lists, spelling, reading a short text, small talk."""

from random import Random

from primeur.training.lessons import Exchange, Teacher, capital, with_article

YEARS = (1500, 2060)
TIMES = "*\u00d7x"


def arithmetic(teacher: Teacher, language: str) -> list[Exchange]:
    """One to three sums a child can do."""
    exchanges = []
    for number in range(teacher.dice.choice((1, 1, 1, 2, 3))):
        asked, result = make_sum(teacher.dice)
        question = teacher.say("sum", language, "again" if number else "ask", sum=asked)
        exchanges.append((question, teacher.say("sum", language, "answer", sum=asked, result=result)))
    return exchanges


def make_sum(dice: Random) -> tuple[str, int]:
    """A sum and its result: + and - to 99, tables to 12, division without remainder."""
    sign = dice.choice("+++--**/")
    if sign == "*":
        one, two = dice.randint(0, 12), dice.randint(0, 12)
        return f"{one} {dice.choice(TIMES)} {two}", one * two
    if sign == "/":
        one, two = dice.randint(0, 12), dice.randint(1, 12)
        return f"{one * two} {dice.choice('/÷')} {two}", one
    top = 20 if dice.random() < 0.5 else 99
    one, two = dice.randint(0, top), dice.randint(0, top)
    if sign == "-":
        return f"{max(one, two)} - {min(one, two)}", abs(one - two)
    return f"{one} + {two}", one + two


def compare(teacher: Teacher, language: str) -> list[Exchange]:
    """The larger of two numbers."""
    one, two = teacher.dice.sample(range(1000), 2)
    values = {"one": one, "two": two, "large": max(one, two), "small": min(one, two)}
    return [(teacher.say("compare", language, "ask", **values), teacher.say("compare", language, "answer", **values))]


def order(teacher: Teacher, language: str) -> list[Exchange]:
    """Days and months: the next, the one before, or all."""
    things, items = teacher.dice.choice(list(teacher.facts.lists[language].items()))
    if teacher.chance(0.2):
        return [(teacher.say("after", language, "list", things=things), capital(", ".join(items)) + ".")]
    place = teacher.dice.randrange(len(items))
    values = {"one": items[place], "two": items[(place + 1) % len(items)]}
    asked, answered = ("ask", "answer") if teacher.chance(0.6) else ("before", "earlier")
    return [(teacher.say("after", language, asked, **values), teacher.say("after", language, answered, **values))]


def spell(teacher: Teacher, language: str) -> list[Exchange]:
    """Letters of a word, or how many."""
    text = teacher.word().text if language == "en" else teacher.dice.choice(teacher.facts.pairs)[1].split()[0]
    values = {"word": text, "letters": "-".join(text), "count": len(text)}
    asked, answered = ("ask", "answer") if teacher.chance(0.7) else ("count", "counted")
    return [(teacher.say("spell", language, asked, **values), teacher.say("spell", language, answered, **values))]


def count(teacher: Teacher, language: str) -> list[Exchange]:
    """Numbers in a row."""
    one = teacher.dice.randint(0, 30)
    two = one + teacher.dice.randint(2, 10)
    items = ", ".join(map(str, range(one, two + 1)))
    return [(teacher.say("count", language, "ask", one=one, two=two), f"{items}.")]


def repeat(teacher: Teacher, language: str) -> list[Exchange]:
    """Say it again, or in capitals."""
    if teacher.chance(0.25):
        text = teacher.word().text if language == "en" else teacher.dice.choice(teacher.facts.pairs)[1]
        return [(teacher.say("repeat", language, "capitals", word=text), text.upper())]
    sources = [teacher.word().gloss, teacher.word().text, teacher.dice.choice(teacher.facts.pairs)[language == "fr"]]
    text = capital(teacher.dice.choice(sources))
    phrase = teacher.dice.choice(teacher.phrases["repeat"][language]["ask"])
    return [(phrase.replace("{text}", text), text)]


def look_up(teacher: Teacher, language: str) -> list[Exchange]:
    """Find one entry in a short list given with the question; sometimes it is not there."""
    if language == "en":
        words = [teacher.word(lambda w: len(w.gloss) < 120) for _ in range(teacher.dice.randint(2, 6))]
        entries = {word.text: word.gloss for word in words}
    else:
        entries = dict(teacher.dice.sample(teacher.facts.software["fr"], teacher.dice.randint(2, 4)))
    text = "\n".join(f"- {name}: {gloss}." for name, gloss in entries.items())
    if teacher.chance(0.12):
        asked = teacher.word(lambda w: w.text not in entries).text
        answer = teacher.say("lookup", language, "missing", word=asked)
    else:
        asked = teacher.dice.choice(list(entries))
        answer = teacher.say("lookup", language, "answer", word=asked, gloss=entries[asked])
    return [(teacher.say("lookup", language, "ask", word=asked, list=text), answer)]


def read_story(teacher: Teacher, language: str) -> list[Exchange]:
    """Find who has what, where someone is, or a code, among sentences on several people."""
    people = teacher.dice.sample(teacher.phrases["names"]["people"], teacher.dice.randint(2, 5))
    things = teacher.dice.sample(teacher.phrases["names"][f"things_{language}"], len(people))
    known = {
        name: {
            "name": name,
            "count": teacher.dice.randint(2, 30),
            "things": thing,
            "place": teacher.dice.choice(teacher.facts.places[language]),
            "number": teacher.dice.randint(100, 9999),
        }
        for name, thing in zip(people, things, strict=True)
    }
    told = teacher.dice.choice((("sentence", "count"), ("where", "where"), ("code", "code")))
    lines = [teacher.say("facts", language, told[0], **known[name]) for name in people]
    exchanges = []
    for name in teacher.dice.sample(people, teacher.dice.choice((1, 1, 2))):
        asked = teacher.say("facts", language, f"ask_{told[1]}", **known[name])
        exchanges.append((asked, teacher.say("facts", language, f"answer_{told[1]}", **known[name])))
    if teacher.chance(0.1):
        stranger = teacher.dice.choice([n for n in teacher.phrases["names"]["people"] if n not in people])
        asked = teacher.say("facts", language, f"ask_{told[1]}", **{**known[people[0]], "name": stranger})
        exchanges = [(asked, teacher.say("facts", language, "missing"))]
    joint = teacher.dice.choice((" ", "\n"))
    first = joint.join(lines) + teacher.dice.choice((" ", "\n", "\n\n")) + exchanges[0][0]
    return [(first, exchanges[0][1]), *exchanges[1:]]


def talk(teacher: Teacher, language: str) -> list[Exchange]:
    """Greetings, who it is, what it can and can't do."""
    block = teacher.dice.choice(teacher.phrases["talk"][language])
    return [(teacher.dice.choice(block["ask"]), teacher.dice.choice(block["answer"]))]


def unknown(teacher: Teacher, language: str) -> list[Exchange]:
    """A question outside of what was learned, and the plain answer that it is."""
    word = teacher.word(lambda w: w.kind == "n").text
    values = {
        "word": word,
        "a_word": with_article(word),
        "adjective": teacher.word(lambda w: w.kind == "a").text,
        "place": teacher.dice.choice(teacher.facts.places[language]),
        "place2": teacher.dice.choice(teacher.facts.places[language]),
        "name": teacher.name(),
        "year": teacher.dice.randint(*YEARS),
    }
    return [(teacher.say("unknown", language, "ask", **values), teacher.say("unknown", language, "answer"))]
