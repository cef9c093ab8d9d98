"""Weights go into the store under their digest."""

import hashlib

import pytest

from primeur.core.errors import SetupError
from primeur.walks.keep_weights import keep_weights


@pytest.mark.parametrize("link", [True, False])
def test_weights_lie_under_what_they_are(tmp_path, link):
    """Copied or linked, once or twice; nothing else is left behind."""
    source = tmp_path / "a.gguf"
    source.write_bytes(b"weights")
    heard = []
    for _ in range(2):
        digest, path = keep_weights(
            source, tmp_path / "data", link=link, progress=lambda done, total: heard.append((done, total))
        )
    assert digest == "sha256:" + hashlib.sha256(b"weights").hexdigest()
    assert (tmp_path / "data" / path).read_bytes() == b"weights"
    assert heard == [(7, 7), (7, 7)]
    assert list((tmp_path / "data" / "store" / "partial").iterdir()) == []


def test_changing_the_original_leaves_a_copy_as_it_was(tmp_path):
    """What a digest names never changes."""
    source = tmp_path / "a.gguf"
    source.write_bytes(b"weights")
    _, path = keep_weights(source, tmp_path / "data")
    source.write_bytes(b"other")
    assert (tmp_path / "data" / path).read_bytes() == b"weights"


def test_a_file_that_is_not_there_is_one_clear_line(tmp_path):
    """And leaves nothing behind."""
    with pytest.raises(SetupError, match="weights cannot be kept"):
        keep_weights(tmp_path / "none.gguf", tmp_path / "data")
