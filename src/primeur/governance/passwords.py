"""Passwords: what may be one, and what is kept of it (argon2id)."""

import re
from itertools import pairwise

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from primeur.core.errors import BadRequest

LEAST, MOST = 12, 128
# Source: RFC 9106, section 4, the second recommended choice: 64 MiB, three passes, four lanes.
_HASHER = PasswordHasher(time_cost=3, memory_cost=65_536, parallelism=4)
_OBVIOUS = (
    *("password", "passwort", "motdepasse", "azerty", "qwerty", "qwertz", "letmein", "welcome", "bienvenue", "admin"),
    *(
        "administrator",
        "iloveyou",
        "monkey",
        "dragon",
        "football",
        "primeur",
        "soleil",
        "bonjour",
        "changeme",
        "secret",
    ),
)
_LEET = str.maketrans("013457@$!", "oieastasi")
NOBODY = "$argon2id$v=19$m=65536,t=3,p=4$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
"""What is verified when there is no such member, so that a stranger learns nothing from the time it takes."""


def check_password(password: str, *names: str | None) -> None:
    """Let *password* be somebody's.

    Args:
        names: what everybody knows of them.

    Raises:
        BadRequest: too short, too long, or among the first that anybody would try.
    """
    if not LEAST <= len(password) <= MOST:
        raise BadRequest(f"a password has {LEAST} to {MOST} characters", param="new")
    letters = re.sub(r"[^a-z]", "", password.lower().translate(_LEET))
    for word in (*_OBVIOUS, *_parts(names)):
        if word in letters and len(letters) - len(word) < 6:
            raise BadRequest(
                "the password is little more than a name or a word that everybody tries first", param="new"
            )
    if len(set(password)) < 5 or _is_a_row(password):
        raise BadRequest("the password repeats itself or counts; choose one that does neither", param="new")


def hash_password(password: str) -> str:
    """Give what is kept; takes about a tenth of a second and 64 MiB."""
    return _HASHER.hash(password)


def is_password(kept: str, password: str) -> bool:
    """Whether *password* is the one that *kept* was made of; takes as long."""
    try:
        return _HASHER.verify(kept, password)
    except (Argon2Error, InvalidHashError):
        return False


def _parts(names: tuple[str | None, ...]) -> list[str]:
    words = [part for name in names for part in re.split(r"[^a-z]+", (name or "").lower())]
    return [word for word in words if len(word) > 3]


def _is_a_row(password: str) -> bool:
    steps = {ord(after) - ord(before) for before, after in pairwise(password)}
    return len(steps) == 1
