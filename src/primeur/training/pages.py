"""HTML pages, dictionaries and WordNet turned into plain paragraphs; pure."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser

BLOCKS = frozenset(
    [
        *("p", "li", "dd", "dt", "h1", "h2", "h3", "h4", "h5", "h6", "td", "th", "tr", "div", "section", "article"),
        *("blockquote", "table", "ul", "ol", "dl", "body", "br", "hr", "caption"),
    ]
)
SILENT = frozenset(
    ["script", "style", "nav", "header", "footer", "head", "form", "button", "svg", "select", "pre", "textarea"]
)
VOID = frozenset(["img", "br", "hr", "input", "meta", "link", "wbr", "col", "area", "base", "embed", "source"])
# Names of boxes that hold navigation or source code in the generators whose pages are read.
NOISE = re.compile(
    r"sphinxsidebar|docs-sidebar|sidebar-|related|headerlink|highlight|navheader|navfooter|toctree|contents|nosearch|docs-top|"
    r"breadcrumb|permalink|footer|searchbox|directive-dict|langs|path-to|out-of-band|src-ref|item-decl|"
    r"docblock-short|versionadded|modulepre|code-attribute"
)
WORDS = re.compile(r"[^\W\d_]+")
ENDS = (".", "!", "?", ":", "»", ".”", '."', ".)", "?)", "…")


class Reader(HTMLParser):
    """Collects the text of block elements, leaving navigation and code out."""

    def __init__(self) -> None:
        """Start outside of everything."""
        super().__init__(convert_charrefs=True)
        self.paragraphs: list[str] = []
        self._pieces: list[str] = []
        self._silent_tag = ""
        self._silent_depth = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open a block or a silence."""
        if self._silent_depth:
            self._silent_depth += tag == self._silent_tag
            return
        if tag in BLOCKS:
            self.flush()
        if tag not in VOID and (tag in SILENT or is_noise(tag, dict(attrs))):
            self._silent_tag, self._silent_depth = tag, 1

    def handle_endtag(self, tag: str) -> None:
        """Close a block or a silence."""
        if self._silent_depth:
            self._silent_depth -= tag == self._silent_tag
        elif tag in BLOCKS:
            self.flush()

    def handle_data(self, data: str) -> None:
        """Keep what is said aloud."""
        if not self._silent_depth:
            self._pieces.append(data)

    def flush(self) -> None:
        """End the paragraph in hand."""
        text = " ".join("".join(self._pieces).replace("¶", " ").split())
        self._pieces.clear()
        if text:
            self.paragraphs.append(text)


def is_noise(tag: str, attributes: dict[str, str | None]) -> bool:
    """Tell whether an element holds navigation, code, or LibreOffice's hidden alternative wording."""
    if tag in {"body", "html", "p", "a"} and "headerlink" not in (attributes.get("class") or ""):
        return False
    if "hidden" in attributes:
        return (attributes.get("id") or "").startswith("default")
    names = f"{attributes.get('class') or ''} {attributes.get('id') or ''} {attributes.get('role') or ''}"
    return "navigation" in names or NOISE.search(names) is not None


def read_html(page: str) -> list[str]:
    """Paragraphs of a page in order, blanks squeezed."""
    reader = Reader()
    reader.feed(page)
    reader.close()
    reader.flush()
    return reader.paragraphs


def is_prose(text: str) -> bool:
    """Tell prose from code, tables and menus: letters rule, it has words and it ends like a sentence."""
    if not 40 <= len(text) <= 4000 or not text.endswith(ENDS):
        return False
    letters = sum(map(len, WORDS.findall(text)))
    odd = sum(text.count(mark) for mark in "{}_<>=|\\[]#*/$@~^")
    return len(WORDS.findall(text)) >= 7 and letters / len(text) > 0.74 and odd / len(text) < 0.03


def clean(text: str) -> str:
    """Undo typewriter habits: odd spaces, zero-width marks, doubled blanks."""
    text = text.replace("\u00ad", "").replace("\u200b", "").replace("\u202f", " ").replace("\u00a0", " ")
    return re.sub(r" +([,.;)])", r"\1", " ".join(text.split()))


def read_definitions(text: str, index: str) -> Iterator[list[str]]:
    """Entries of a dictd dictionary, one list of paragraphs each, headword first.

    Args:
        text: the whole dictionary; offsets in *index* count its UTF-8 bytes.
        index: lines of headword, offset and length, tab between, numbers in dictd's base 64.

    Source: dictd(8), "DATABASE FORMAT".
    """
    body = text.encode()
    seen: set[str] = set()
    for line in index.splitlines():
        word, start, length = line.split("\t")[:3]
        if word.startswith("00") or start in seen:
            continue
        seen.add(start)
        begin = number(start)
        entry = body[begin : begin + number(length)].decode(errors="replace")
        parts = [clean(part) for part in re.split(r"\n\s*\n", re.sub(r"[{}]", "", entry))]
        yield [part for part in parts if part]


def number(digits: str) -> int:
    """Read dictd's base-64 number."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    value = 0
    for digit in digits:
        value = value * 64 + alphabet.index(digit)
    return value
