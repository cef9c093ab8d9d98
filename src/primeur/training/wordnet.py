"""WordNet's database files read into synsets, and a synset said in sentences; pure."""

import dataclasses
import re
from collections.abc import Iterator

KINDS = {"n": "noun", "v": "verb", "a": "adjective", "s": "adjective", "r": "adverb"}
POINTERS = {"@": "kind_of", "@i": "instance_of", "!": "opposite", "#p": "part_of"}


@dataclasses.dataclass(frozen=True)
class Synset:
    """One meaning: its words, gloss, examples, and pointers as (relation, offset, part of speech)."""

    offset: str
    kind: str
    words: tuple[str, ...]
    gloss: str
    examples: tuple[str, ...]
    pointers: tuple[tuple[str, str, str], ...]


def read_synsets(data: str) -> Iterator[Synset]:
    """Read a ``data.*`` file. Source: wndb(5WN)."""
    for line in data.splitlines():
        if not line or line.startswith(" "):
            continue
        head, _, tail = line.partition(" | ")
        yield read_synset(head.split(), tail)


def read_synset(fields: list[str], tail: str) -> Synset:
    """Read one line: fields before the bar, gloss and quoted examples after it."""
    count = int(fields[3], 16)
    words = tuple(spell(fields[4 + 2 * i]) for i in range(count))
    rest = fields[4 + 2 * count :]
    pointers = tuple(
        (POINTERS[rest[1 + 4 * i]], rest[2 + 4 * i], rest[3 + 4 * i])
        for i in range(int(rest[0]))
        if rest[1 + 4 * i] in POINTERS
    )
    examples = tuple(text.strip(" ;") for text in re.findall(r'"([^"]+)"', tail))
    gloss = re.sub(r';?\s*"[^"]*"(\s*-+\s*[^;]*)?', "", tail).strip(" ;\n")
    return Synset(fields[0], fields[2], words, gloss, examples, pointers)


def spell(word: str) -> str:
    """Write a word as people do: blanks for underscores, no syntactic mark."""
    return re.sub(r"\((a|p|ip)\)$", "", word).replace("_", " ")


def say(synset: Synset) -> str:
    """Say a synset as a dictionary would, in running text."""
    head = f"{synset.words[0]} ({KINDS[synset.kind]}): {synset.gloss}."
    also = f" Also: {', '.join(synset.words[1:])}." if len(synset.words) > 1 else ""
    examples = "".join(f" {text[0].upper()}{text[1:].rstrip('.')}." for text in synset.examples if text)
    return head + also + examples


def read_counts(ranking: str) -> dict[tuple[str, str], int]:
    """Times each word was met in tagged text, by (word, synset kind), summed over senses.

    Source: cntlist(5WN), ``cntlist.rev``: sense key, sense number, count.
    """
    counts: dict[tuple[str, str], int] = {}
    kinds = {"1": "n", "2": "v", "3": "a", "4": "r", "5": "a"}
    for line in ranking.splitlines():
        key, _, count = line.split()
        word, _, senses = key.partition("%")
        place = (spell(word), kinds[senses[0]])
        counts[place] = counts.get(place, 0) + int(count)
    return counts
