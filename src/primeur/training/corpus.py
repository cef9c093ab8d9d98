"""Debian packages turned into documents: fetched, unpacked, read, deduplicated, split."""

import dataclasses
import gzip
import hashlib
import re
import subprocess
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from primeur.training import pages, wordnet
from primeur.training.rules import CorpusMissing, Source

FETCH_TIMEOUT_S = 600
SYNSETS_PER_DOCUMENT = 12


@dataclasses.dataclass(frozen=True)
class Document:
    """Paragraphs that belong together, and where they are from."""

    name: str
    package: str
    language: str
    paragraphs: tuple[str, ...]


def fetch(package: str, folder: Path) -> None:
    """Download and unpack a Debian package with apt and dpkg; nothing is installed.

    Raises:
        CorpusMissing: apt cannot find or fetch the package, or the tools are missing.
    """
    archives = folder / "archives"
    archives.mkdir(parents=True, exist_ok=True)
    call(["apt-get", "download", package], archives, package)
    newest = max(archives.glob(f"{package}_*.deb"), key=lambda path: path.stat().st_mtime)
    partial = folder / f".{package}.partial"
    call(["dpkg-deb", "-x", str(newest), str(partial)], folder, package)
    partial.rename(folder / package)


def call(command: list[str], folder: Path, package: str) -> None:
    """Run one tool to its end."""
    try:
        subprocess.run(  # noqa: S603 - fixed programs; the package name comes from the operator's recipe
            command, cwd=folder, check=True, capture_output=True, timeout=FETCH_TIMEOUT_S
        )
    except (OSError, subprocess.SubprocessError) as fault:
        raise CorpusMissing(
            f"package {package}: {command[0]} failed; run 'apt-get update', or unpack it into {folder} yourself"
        ) from fault


def read_source(source: Source, folder: Path) -> Iterator[Document]:
    """Documents of one unpacked package, in the order of their paths.

    Raises:
        CorpusMissing: nothing matches the source's paths.
    """
    root = folder / source.package
    skip = [re.compile(pattern) for pattern in source.skip]
    paths = sorted({path for glob in source.paths for path in root.glob(glob) if path.is_file()})
    kept = [path for path in paths if not any(pattern.search(str(path.relative_to(root))) for pattern in skip)]
    if not kept:
        raise CorpusMissing(
            f"source {source.package}: no file matches {source.paths} under {root}; fetch it or correct 'paths'"
        )
    for path in kept:
        for name, paragraphs in READERS[source.kind](path):
            yield Document(f"{path.relative_to(root)}#{name}", source.package, source.language, tuple(paragraphs))


def read_page(path: Path) -> Iterator[tuple[str, list[str]]]:
    """One HTML page, prose only."""
    text = read_text(path)
    yield "", [clean for raw in pages.read_html(text) if pages.is_prose(clean := pages.clean(raw))]


def read_plain(path: Path) -> Iterator[tuple[str, list[str]]]:
    """One text file, paragraphs between blank lines, prose only."""
    parts = re.split(r"\n\s*\n", read_text(path))
    yield "", [clean for raw in parts if pages.is_prose(clean := pages.clean(raw))]


def read_dictionary(path: Path) -> Iterator[tuple[str, list[str]]]:
    """Entries of a dictd dictionary; *path* is the index, the text lies beside it."""
    for entry in pages.read_definitions(read_text(path.with_suffix(".dict.dz")), read_text(path)):
        if any(pages.is_prose(part) for part in entry[1:]) or pages.is_prose(entry[0]):
            yield entry[0][:40], entry


def read_wordnet(path: Path) -> Iterator[tuple[str, list[str]]]:
    """Synsets of one part of speech, neighbours in the file together: they are neighbours in meaning."""
    synsets = list(wordnet.read_synsets(read_text(path)))
    for start in range(0, len(synsets), SYNSETS_PER_DOCUMENT):
        group = synsets[start : start + SYNSETS_PER_DOCUMENT]
        yield group[0].offset, [wordnet.say(synset) for synset in group]


def read_text(path: Path) -> str:
    """A file's text; gzip is undone, what is not UTF-8 becomes a replacement mark."""
    data = path.read_bytes()
    if path.suffix in {".gz", ".dz"}:
        data = gzip.decompress(data)
    return data.decode("utf-8", errors="replace")


READERS: dict[str, Callable[[Path], Iterator[tuple[str, list[str]]]]] = {
    "html": read_page,
    "text": read_plain,
    "dict": read_dictionary,
    "wordnet": read_wordnet,
}


def deduplicate(documents: Iterable[Document]) -> Iterator[Document]:
    """Drop each paragraph that was seen before, here or in an earlier document, digits and case apart."""
    seen: set[bytes] = set()
    for document in documents:
        fresh = []
        for paragraph in document.paragraphs:
            mark = hashlib.blake2b(re.sub(r"\d+|\s+", " ", paragraph.lower()).encode(), digest_size=10).digest()
            if mark not in seen:
                seen.add(mark)
                fresh.append(paragraph)
        if fresh and "\ufffd" not in (kept := "".join(fresh)) and len(kept) > 60:
            yield dataclasses.replace(document, paragraphs=tuple(fresh))


def is_held_out(document: Document, share: float) -> bool:
    """Choose by the document's name, so that neither order nor other sources change the split."""
    mark = hashlib.sha256(f"{document.package}/{document.name}".encode()).digest()
    return int.from_bytes(mark[:4], "big") < share * 2**32


def text_of(document: Document) -> str:
    """Paragraphs with a blank line between."""
    return "\n\n".join(document.paragraphs)
