"""Passwords and bans."""

import pytest

from primeur.core.errors import BadRequest
from primeur.governance import passwords
from primeur.governance.ban_rules import after_wrong


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
    """Up to a quarter of an hour; addresses, which many share, have more of them free."""
    waits = [after_wrong("name:ada", count, 1000).until_ms - 1000 for count in range(1, 40)]
    assert waits[:6] == [0, 0, 0, 0, 1000, 2000]
    assert waits == sorted(waits)
    assert waits[-1] == 15 * 60_000
    assert after_wrong("address:192.0.2.7", 19, 1000).until_ms == 1000
    assert after_wrong("address:192.0.2.7", 20, 1000).until_ms == 2000
