"""What software says of itself: modules, commands and help pages in one line or one paragraph."""

import html
import re
from pathlib import Path

from primeur.training import corpus, pages
from primeur.training.names import LANGUAGES


def read_software(folder: Path) -> dict[str, tuple[tuple[str, str], ...]]:
    """(command or module, what it does), by language."""
    english = find(folder, "python3.11-doc/usr/share/doc/python3.11/html/library/*.html", r'title="([\w.]+): ([^"]+)"')
    english = [(f"the Python module {name}", gloss) for name, gloss in english]
    commands = find(
        folder, "postgresql-doc-15/usr/share/doc/postgresql-doc-15/html/sql-*.html", r"<p>([A-Z ]+) — ([^<]+)</p>"
    )
    english += [(f"the SQL command {name}", gloss) for name, gloss in commands]
    apache = {language: read_apache(folder, language) for language in LANGUAGES}
    return {"en": tuple(dict.fromkeys(english + apache["en"])), "fr": tuple(dict.fromkeys(apache["fr"]))}


def read_apache(folder: Path, language: str) -> list[tuple[str, str]]:
    """Apache's modules with their descriptions."""
    root = f"apache2-doc/usr/share/doc/apache2-doc/manual/{language}/mod"
    modules = find(folder, f"{root}/index.html", r'<dt><a href="\w+\.html">(\w+)</a></dt>\s*<dd>(.+?)</dd>')
    named_module = {"en": "the Apache module {}", "fr": "le module Apache {}"}[language]
    return [(named_module.format(name), gloss) for name, gloss in modules]


def find(folder: Path, glob: str, pattern: str) -> list[tuple[str, str]]:
    """Pairs a pattern finds in pages, entities and tags undone, long ones left out."""
    pairs = []
    for path in sorted(folder.glob(glob)):
        for name, gloss in re.findall(pattern, corpus.read_text(path), re.DOTALL):
            said = pages.clean(html.unescape(re.sub(r"<[^>]+>", " ", gloss))).strip(" >.")
            if 8 <= len(said) <= 160:
                pairs.append((html.unescape(name), said))
    return pairs


def read_topics(folder: Path) -> dict[str, tuple[tuple[str, str], ...]]:
    """(title of a help page, its first paragraph of prose), by language."""
    found: dict[str, tuple[tuple[str, str], ...]] = {}
    for language, place in (("en", "libreoffice-help-en-us"), ("fr", "libreoffice-help-fr")):
        pairs = []
        for path in sorted((folder / place).rglob("text/**/*.html")):
            page = corpus.read_text(path)
            title = re.search(r"<title>([^<]+)</title>", page)
            first = next((text for text in map(pages.clean, pages.read_html(page)) if pages.is_prose(text)), "")
            if title and 60 <= len(first) <= 400 and first[-1] != ":":
                pairs.append((html.unescape(title[1]).strip(), first))
        found[language] = tuple(pairs)
    return found


def read_satire(folder: Path) -> tuple[tuple[str, str], ...]:
    """(headword, definition) of the Devil's Dictionary's short entries."""
    index = folder / "dict-devil/usr/share/dictd/devil.index"
    entries = pages.read_definitions(corpus.read_text(index.with_suffix(".dict.dz")), corpus.read_text(index))
    pairs = [(parts[0].split(",")[0].lower(), " ".join(parts)) for parts in entries]
    return tuple((word, text) for word, text in pairs if word.isalpha() and 40 < len(text) < 350)
