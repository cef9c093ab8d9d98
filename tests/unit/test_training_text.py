"""Pages, dictionaries and WordNet: what is read aloud, what is left out, what is held out."""

import gzip

import pytest

from primeur.training import corpus, pages, wordnet
from primeur.training.corpus import Document
from primeur.training.rules import CorpusMissing, Source

PAGE = """<html><head><title>T</title></head><body><nav>Home About</nav>
<h1>Heading¶</h1><p>First   paragraph, with <code>code</code>.</p><pre>x = 1</pre>
<div class="sphinxsidebar"><div>menu</div></div><ul><li>An item.</li></ul>
<span hidden id="default_1">Either</span><span hidden id="WRITER_1">Or</span>
<div role="navigation">Next</div></body></html>"""
DOG = (
    '02084071 05 n 02 dog 0 domestic_dog 0 002 @ 02083346 n 0000 ! 00000001 a 0000 | a pet animal; "the dog barked" \n'
)


def test_pages_are_read_without_menus_and_code():
    """Navigation, code and alternative wordings are not prose."""
    assert pages.read_html(PAGE) == ["Heading", "First paragraph, with code.", "An item.", "Or"]


def test_prose_is_told_from_code_and_titles():
    """Sentences pass; code, titles and fragments do not."""
    assert pages.is_prose("This function returns the value that was stored under the key.")
    assert not pages.is_prose("for (i = 0; i < n; i++) { total += values[i] * weights[i]; }.")
    assert not pages.is_prose("Frequently Asked Questions About the Installation of Modules")


def test_a_dictionary_is_cut_by_its_index(tmp_path):
    """Offsets are dictd's base-64 numbers and count bytes."""
    text = "00-database-info\nabacus\n\n  A frame é.\nbrook\n\n  A small river.\n"
    body = text.encode()
    spans = [(word, body.index(word.encode())) for word in ("abacus", "brook")]
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    index = "".join(f"{word}\t{alphabet[start]}\t{alphabet[22]}\n" for word, start in spans)
    entries = list(pages.read_definitions(text, index))
    assert entries[0][:2] == ["abacus", "A frame é."]
    assert pages.number("BA") == 64
    (tmp_path / "d.dict.dz").write_bytes(gzip.compress(body))
    assert corpus.read_text(tmp_path / "d.dict.dz") == text


def test_a_synset_is_read_and_said():
    """Words, gloss, examples and known pointers survive; the offset names the meaning."""
    synset = next(wordnet.read_synsets(DOG))
    assert synset.words == ("dog", "domestic dog")
    assert (synset.gloss, synset.examples) == ("a pet animal", ("the dog barked",))
    assert synset.pointers == (("kind_of", "02083346", "n"), ("opposite", "00000001", "a"))
    assert wordnet.say(synset) == "dog (noun): a pet animal. Also: domestic dog. The dog barked."


def test_counts_are_summed_over_senses():
    """How often a word was met decides how often it is asked for."""
    assert wordnet.read_counts("dog%1:05:00:: 1 42\ndog%1:18:01:: 2 2\n") == {("dog", "n"): 44}


def test_a_paragraph_is_kept_once():
    """Numbers and case do not make a paragraph new; documents without anything new go."""
    same = "Version 1 of the server listens on this port and answers every request that comes in."
    documents = [
        Document("a", "p", "en", (same, "Another paragraph that is long enough to be kept here, surely, yes.")),
        Document("b", "p", "en", (same.replace("1", "2").upper(),)),
    ]
    kept = list(corpus.deduplicate(documents))
    assert [document.name for document in kept] == ["a"]
    assert len(kept[0].paragraphs) == 2


def test_the_held_out_share_depends_on_names_alone():
    """Adding a source moves no document between the halves."""
    documents = [Document(f"page{number}", "p", "en", ("text",)) for number in range(4000)]
    share = sum(corpus.is_held_out(document, 0.1) for document in documents) / 4000
    assert 0.07 < share < 0.13


def test_a_source_without_files_says_which(tmp_path):
    """The package and the pattern are named."""
    source = Source("python3.11-doc", "html", "PSF-2.0", "PSF", ["**/*.html"])
    with pytest.raises(CorpusMissing, match=r"python3\.11-doc: no file matches"):
        list(corpus.read_source(source, tmp_path))


def test_a_source_is_read_in_the_order_of_its_paths(tmp_path):
    """Skipped paths are not read, the others give a document each."""
    root = tmp_path / "doc"
    root.mkdir()
    for name in ("b.txt", "a.txt", "index.txt"):
        (root / name).write_text(
            f"This is what the file {name} says about itself, in one long sentence.\n\nx\n", "utf-8"
        )
    source = Source("doc", "text", "MIT", "us", ["*.txt"], skip=["index"])
    read = list(corpus.read_source(source, tmp_path))
    assert [(one.name, len(one.paragraphs)) for one in read] == [("a.txt#", 1), ("b.txt#", 1)]
