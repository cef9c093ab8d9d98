r"""Regular expressions that operators write, of a kind that takes time in proportion to the text; pure.

Python's `re` tries alternatives one after the other, and an expression with repeats in repeats can take years. What is
allowed here has repeats of single characters and classes only, each with an upper bound, and few ways to match at one
place: ``[A-Z]{2,3}-\d{4,8}``, ``(?:secret|internal) project``.
"""

import re

from primeur.core.errors import BadRequest

_LONGEST = 256
_ALLOWED = r"characters, classes, \d \w \s \b, groups, |, and ? {n} {n,m} after one character or class"
_WAYS_MOST = 256
_PIECE = re.compile(
    r"(?P<atom>\\[dDwWsSbB]|\\[^A-Za-z0-9]|\\[nrt]|\[\^?\]?(?:\\.|[^\]\\])*\]|[^\\\[\](){}?*+|^$])"
    r"|(?P<open>\((?:\?:)?(?!\?))|(?P<close>\))|(?P<other>[|^$])"
)
# What classes may mean one day: sets in sets, and their differences.
_ODD = re.compile(r"(?<!\\)\[|--|&&|\|\||~~")
_REPEAT = re.compile(r"\?|\{(\d{1,4})(?:,(\d{1,4}))?\}")


def read_pattern(text: str) -> re.Pattern[str]:
    """Compile an expression; upper and lower case are the same to it.

    Raises:
        BadRequest: it could take long, or is no expression; says at which place.
    """
    if not 0 < len(text) <= _LONGEST:
        raise BadRequest(f"a pattern has 1 to {_LONGEST} characters", param="pattern")
    ways, at, branches = 1, 0, 1
    while at < len(text):
        found = _PIECE.match(text, at)
        if found is None or _ODD.search(found.group()[1:]):
            raise _refusal(text, at)
        at, least, most = _repeat(text, found.end())
        if found["atom"] is None and (least, most) != (1, 1):
            raise _refusal(text, at - 1)
        branches += text[found.start()] == "|"
        ways *= most - least + 1
    if ways * branches > _WAYS_MOST:
        raise BadRequest(
            f"the pattern {text!r} can match in {ways * branches} ways at one place, {_WAYS_MOST} are allowed; "
            "narrow its repeats",
            param="pattern",
        )
    return _compiled(text)


def _repeat(text: str, at: int) -> tuple[int, int, int]:
    """Read how often the piece before *at* may stand; gives where reading goes on, and from how often to how often."""
    found = _REPEAT.match(text, at)
    if found is None:
        return at, 1, 1
    if found.group() == "?":
        return found.end(), 0, 1
    least = int(found[1])
    most = int(found[2] or least)
    if most < least:
        raise _refusal(text, at)
    return found.end(), least, most


def _compiled(text: str) -> re.Pattern[str]:
    try:
        made = re.compile(text, re.IGNORECASE)
    except re.error as error:
        raise BadRequest(f"{text!r} is no regular expression: {error}", param="pattern") from None
    if made.search("") is not None:
        raise BadRequest(f"the pattern {text!r} finds nothing everywhere; let it need a character", param="pattern")
    return made


def _refusal(text: str, at: int) -> BadRequest:
    return BadRequest(
        f"the pattern {text!r} has {text[at : at + 8]!r} at place {at + 1}; allowed are {_ALLOWED}", param="pattern"
    )
