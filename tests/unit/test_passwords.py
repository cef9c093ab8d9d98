"""Passwords and bans."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from primeur.core.errors import BadRequest
from primeur.governance import passwords
from primeur.governance.ban_rules import Bans

WHOSE = ("name:ada", "address:192.0.2.7")


@pytest.mark.parametrize(
    "password",
    ["short", "x" * 129, "aaaaaaaaaaaaaa", "abcdefghijklmnop", "Passw0rd1234!", "ada.lovelace12", "m0tdepasse-2026"],
)
def test_what_everybody_tries_first_is_no_password(password):
    """Short, repeating, counting, a common word, one's own name."""
    with pytest.raises(BadRequest):
        passwords.check_password(password, "Ada Lovelace", "ada.lovelace@example.org")


def test_a_password_is_kept_as_argon2id():
    """And only the same text fits."""
    passwords.check_password("grand pont vert 9 lunes", "Ada Lovelace", None)
    kept = passwords.hash_password("grand pont vert 9 lunes")
    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert passwords.is_password(kept, "grand pont vert 9 lunes")
    assert not passwords.is_password(kept, "grand pont vert 9 lune")
    assert not passwords.is_password(passwords.NOBODY, "grand pont vert 9 lunes")


def test_every_wrong_attempt_beyond_the_free_ones_waits_longer():
    """Up to a quarter of an hour; then it starts anew after an hour of quiet."""
    bans, waits, now_ms = Bans(), [], 0
    for _ in range(20):
        bans.wrong(WHOSE, now_ms)
        waits.append(bans.wait_ms(WHOSE, now_ms))
        now_ms += waits[-1]
    assert waits[:5] == [0, 0, 0, 0, 1000]
    assert waits == sorted(waits)
    assert waits[-1] == 15 * 60_000
    bans.wrong(WHOSE, now_ms + 2 * 3_600_000)
    assert bans.wait_ms(WHOSE, now_ms + 2 * 3_600_000) == 0


@given(st.lists(st.integers(0, 20_000), max_size=50))
def test_what_is_known_of_attempts_is_bounded(names):
    """However many names are tried."""
    bans = Bans()
    for name in [*range(9_990), *names]:
        bans.wrong((f"name:{name}",), 1)
    assert len(bans.known) <= 10_000


def test_being_let_in_forgets_the_name_but_not_the_address():
    """Who owns one account cannot free their address for guessing others."""
    bans = Bans()
    for _ in range(21):
        bans.wrong(WHOSE, 0)
    bans.right("name:ada")
    assert bans.wait_ms(("name:ada",), 0) == 0
    assert bans.wait_ms(("address:192.0.2.7",), 0) > 0
