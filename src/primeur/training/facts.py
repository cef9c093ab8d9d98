"""What dialogues are made from: CLDR's names, WordNet's words, what software says of itself."""

import dataclasses
import re
from pathlib import Path

from primeur.training import corpus, names, software, wordnet

PACKAGES = (
    "unicode-cldr-core",
    "wordnet-base",
    "python3.11-doc",
    "postgresql-doc-15",
    "apache2-doc",
    "libreoffice-help-en-us",
    "libreoffice-help-fr",
    "dict-devil",
)


@dataclasses.dataclass(frozen=True)
class Word:
    """A WordNet word in its first sense; *count* is how often it was met in tagged text."""

    text: str
    kind: str
    count: int
    gloss: str
    example: str
    synonyms: tuple[str, ...]
    parents: tuple[str, ...]
    opposite: str


@dataclasses.dataclass(frozen=True)
class Facts:
    """Everything known; a pair is (English, French), a mapping is by language."""

    words: tuple[Word, ...]
    kinds: dict[str, tuple[str, ...]]
    pairs: tuple[tuple[str, str], ...]
    emoji: dict[str, tuple[tuple[str, str], ...]]
    places: dict[str, tuple[str, ...]]
    money: dict[str, tuple[tuple[str, str], ...]]
    tongues: dict[str, tuple[tuple[str, str], ...]]
    lists: dict[str, dict[str, tuple[str, ...]]]
    software: dict[str, tuple[tuple[str, str], ...]]
    topics: dict[str, tuple[tuple[str, str], ...]]
    satire: tuple[tuple[str, str], ...]


def read_facts(folder: Path) -> Facts:
    """Read the unpacked packages under *folder*."""
    roots = {language: names.read_root(folder, language) for language in names.LANGUAGES}
    places = {language: names.named(roots[language], "territories/territory") for language in roots}
    tongues = {language: names.named(roots[language], "languages/language") for language in roots}
    emoji = names.keep_plain({language: names.read_emoji(folder, language) for language in roots})
    lists = {language: names.read_lists(roots[language], language) for language in roots}
    words = read_words(folder, names.read_everyday(folder))
    both = (emoji, places, tongues)
    pairs = [(table["en"][key], table["fr"][key]) for table in both for key in table["en"] if key in table["fr"]]
    for (_, english), (_, french) in zip(lists["en"].items(), lists["fr"].items(), strict=True):
        pairs += list(zip(english, french, strict=True))
    return Facts(
        words=words,
        kinds=group_kinds(words),
        pairs=tuple(dict.fromkeys(pairs)),
        emoji={language: tuple(emoji[language].items()) for language in roots},
        places={language: tuple(v for k, v in places[language].items() if k.isalpha()) for language in roots},
        money={language: names.read_money(folder, roots[language], places[language]) for language in roots},
        tongues={language: names.read_tongues(folder, tongues[language], places[language]) for language in roots},
        lists=lists,
        software=software.read_software(folder),
        topics=software.read_topics(folder),
        satire=software.read_satire(folder),
    )


def read_words(folder: Path, everyday: dict[str, int]) -> tuple[Word, ...]:
    """WordNet's single words, everyday nouns first, then the most frequent, each in its first sense."""
    root = folder / "wordnet-base/usr/share/wordnet"
    counts = wordnet.read_counts(corpus.read_text(root / "cntlist.rev"))
    synsets = {
        ("a" if synset.kind == "s" else synset.kind, synset.offset): synset
        for name in ("noun", "verb", "adj", "adv")
        for synset in wordnet.read_synsets(corpus.read_text(root / f"data.{name}"))
    }
    words = []
    for name, kind in (("noun", "n"), ("verb", "v"), ("adj", "a"), ("adv", "r")):
        for line in corpus.read_text(root / f"index.{name}").splitlines():
            fields = line.split()
            if line.startswith(" ") or not fields[0].isalpha() or len(fields[0]) < 3:
                continue
            first = synsets[kind, fields[6 + int(fields[3])]]
            words.append(make_word(fields[0], kind, counts.get((fields[0], kind), 0), first, synsets))
    return tuple(sorted(words, key=lambda word: rank(word, everyday)))


def rank(word: Word, everyday: dict[str, int]) -> tuple[int, int, str]:
    """Sorts the words most worth knowing first."""
    return -everyday.get(word.text, 0) * (word.kind == "n"), -word.count, word.text


def make_word(
    text: str, kind: str, count: int, synset: wordnet.Synset, synsets: dict[tuple[str, str], wordnet.Synset]
) -> Word:
    """Gather what one sense says of a word."""
    spelled = next((word for word in synset.words if word.lower() == text), text)
    near = {"kind_of": "", "opposite": ""}
    for relation, offset, part in synset.pointers:
        target = synsets.get(("a" if part == "s" else part, offset))
        if relation in near and target and not near[relation]:
            near[relation] = target.words[0]
    return Word(
        text=spelled,
        kind=kind,
        count=count,
        gloss=re.sub(r"\s*\([^)]*\)", "", synset.gloss).strip(" ;,"),
        example=next((e for e in synset.examples if re.search(rf"\b{re.escape(text)}", e, re.IGNORECASE)), ""),
        synonyms=tuple(word for word in synset.words if word.lower() != text),
        parents=climb(synset, synsets),
        opposite=near["opposite"],
    )


def climb(synset: wordnet.Synset, synsets: dict[tuple[str, str], wordnet.Synset]) -> tuple[str, ...]:
    """First words of the kinds above, nearest first, at most six."""
    found: list[str] = []
    while len(found) < 6:
        above = next((offset for relation, offset, _ in synset.pointers if relation == "kind_of"), None)
        if above is None or (synset.kind, above) not in synsets:
            break
        synset = synsets[synset.kind, above]
        found.append(synset.words[0])
    return tuple(found)


def group_kinds(words: tuple[Word, ...]) -> dict[str, tuple[str, ...]]:
    """For each kind with enough common words directly below it, those words."""
    below: dict[str, list[str]] = {}
    for word in words:
        if word.kind == "n" and word.parents and word.count > 1:
            below.setdefault(word.parents[0], []).append(word.text)
    return {kind: tuple(found[:12]) for kind, found in below.items() if len(found) >= 4}
