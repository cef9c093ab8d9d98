"""The documentation keeps up with the house."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "primeur"
DOCS = ROOT / "docs"
ROOMS = sorted(
    path.parent.name for path in PACKAGE.glob("*/__init__.py") if path.parent.name not in {"walks", "weights"}
)
WALKS = sorted(path.stem for path in (PACKAGE / "walks").glob("[a-z]*.py") if path.stem != "house")
LONGEST = 330
"""Lines of a file that is read in one sitting."""


@pytest.mark.parametrize("room", ROOMS)
def test_every_room_has_its_page(room):
    """A page that says what the room is for."""
    assert (DOCS / "rooms" / f"{room}.md").is_file(), f"write docs/rooms/{room}.md"


@pytest.mark.parametrize("walk", WALKS)
def test_every_walk_is_told_in_a_page(walk):
    """Its own, or that of the story it is a step of."""
    pages = [path.read_text("utf-8") for path in (DOCS / "walks").glob("*.md")]
    told = (DOCS / "walks" / f"{walk}.md").is_file() or any(re.search(rf"\b{walk}\b", page) for page in pages)
    assert told, f"write docs/walks/{walk}.md, or name `{walk}` in the page of its story"


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_file_is_read_in_one_sitting(path):
    """Tables may be long; stories may not."""
    if path.name in {"schema.py", "ports.py"} or "versions" in path.parts:
        pytest.skip("a table is read line by line")
    assert len(path.read_text("utf-8").splitlines()) <= LONGEST


def test_nothing_names_a_machine_or_a_registry():
    """Paths of one machine and hosts of registries have no place in the repository, lock files included."""
    words = re.compile(r"files\.pythonhosted|registry\.npmjs|pypi\.org|/root/|/home/\w+/|/work/")
    kinds = {".py", ".md", ".toml", ".txt", ".json", ".yml", ".sh", ".js", ".html", ".css", ""}
    made = {"node_modules", "site"}
    files = [
        path
        for path in ROOT.rglob("*")
        if path.is_file()
        and path.suffix in kinds
        and not any(part in made or (part[0] == "." and part != ".ci") for part in path.relative_to(ROOT).parts)
    ]
    found = [
        str(p.relative_to(ROOT)) for p in files if p != Path(__file__) and words.search(p.read_text("utf-8", "ignore"))
    ]
    assert found == []
