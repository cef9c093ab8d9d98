"""Many words and phrases as one expression that reads each sign of a text once for all that begin alike; pure.

`re` tries alternatives one after the other, so a thousand words would be tried at every word of a text. In a tree of
their beginnings there are as many alternatives as there are next signs.
"""

import re
from collections.abc import Iterable

_Tree = dict[str, "_Tree"]
_END = ""
# Three signs that Unicode has twice; neither of two has an upper case of one sign.
_TWICE = str.maketrans("\u1fd3\u1fe3\ufb05", "\u0390\u03b0\ufb06")


def read_words(words: Iterable[str]) -> re.Pattern[str]:
    """Compile an expression for *words*, whole, in upper or lower case; of two that fit the longer is found."""
    tree: _Tree = {}
    for word in words:
        node = tree
        for sign in word:
            node = node.setdefault(alike(sign), {})
        node[_END] = {}
    return re.compile(rf"(?<!\w){_expression(tree)}(?!\w)", re.IGNORECASE)


def alike(sign: str) -> str:
    """Give one sign for all that `re` takes for the same in upper or lower case: for i, I and both Turkish ones, i."""
    upper = sign.upper()
    # Where there is no upper case of one sign (as of ß), the sign stands for itself.
    return (upper if len(upper) == 1 else sign).lower()[0].translate(_TWICE)


def _expression(tree: _Tree) -> str:
    # A chain without a branch is written at once: as deep as words are long, Python's stack would not do.
    chain = ""
    while len(tree) == 1 and _END not in tree:
        ((sign, tree),) = tree.items()
        chain += re.escape(sign)
    longer = [re.escape(sign) + _expression(below) for sign, below in tree.items() if sign != _END]
    if not longer:
        return chain
    return f"{chain}(?:{'|'.join(longer)})" + ("?" if _END in tree else "")
