"""Secrets at rest."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from primeur.core.errors import SetupError
from primeur.core.ports import MasterKey
from primeur.governance.vault_rules import is_sealed, key_id_of, seal, shown, unseal

KEY, OTHER = MasterKey("k1", b"k" * 32), MasterKey("k1", b"o" * 32)


def dice(n: int) -> bytes:
    return bytes(range(n))


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_what_is_sealed_opens_where_it_belongs(text):
    """And nowhere else, and with no other key."""
    sealed = seal(text, "prv_1/key", KEY, dice)
    assert is_sealed(sealed)
    assert unseal(sealed, "prv_1/key", KEY) == text
    assert len(text) < 8 or text not in sealed
    for place, key in (("prv_2/key", KEY), ("prv_1/token", KEY), ("prv_1/key", OTHER)):
        with pytest.raises(SetupError, match="give the secret again"):
            unseal(sealed, place, key)


@given(st.integers(0, 200), st.integers(1, 255))
def test_any_changed_byte_is_found(at, change):
    """GCM's tag covers all of it."""
    head, _, body = seal("secret", "p", KEY, dice).rpartition(":")
    raw = bytearray(base64.b64decode(body))
    raw[at % len(raw)] ^= change
    with pytest.raises(SetupError):
        unseal(f"{head}:{base64.b64encode(raw).decode()}", "p", KEY)


def test_what_is_shown_says_only_with_which_key():
    """A setting that is no secret is shown as it is."""
    sealed = seal("secret", "p", KEY, dice)
    assert (shown(sealed), key_id_of(sealed)) == ("sealed:k1", "k1")
    assert [shown(value) for value in ("env:X", 3, None)] == ["env:X", 3, None]
    assert "kkkk" not in repr(KEY)
