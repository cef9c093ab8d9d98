"""Stretches of a text in which a form can stand at all, found much sooner than the form itself; pure.

An expression is tried at every sign of a text, and most texts hold nothing of what is looked for. A stretch may hold
nothing, but whatever there is lies within one, with room for the expression to look at the signs around it.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache

Stretches = Iterable[tuple[int, int]]
Where = Callable[[str], Stretches]

_DIGITS = "0123456789"
_GAP = re.compile(r"[^0-9]{3,}")
_AROUND, _DIGITS_LEAST = 4, 6
_AT = re.compile("@")
_ADDRESS_BEFORE, _ADDRESS_AFTER = 65, 580
_HEAD = re.compile(r"[0-9](?<=\b[A-Za-z]{2}[0-9])[0-9]")
_HEAD_SIZE, _HEADED_MOST = 3, 68
_REMEMBERED_MOST = 1 << 20


def everywhere(text: str) -> Stretches:
    """Give all of *text*."""
    return ((0, len(text)),)


def holding(marked: Mapping[str, tuple[str, ...]]) -> Where:
    """For forms that begin with fixed words: all of a text that has one of the words.

    Args:
        marked: the words, by a sign that all of them have, which is looked for sooner than many words; by nothing where
            they have none in common.
    """

    def where(text: str) -> Stretches:
        found = any(mark in text and any(word in text for word in words) for mark, words in marked.items())
        return everywhere(text) if found else ()

    return where


def around_ats(text: str) -> Stretches:
    """For addresses of mail: what may belong to each ``@``."""
    return _joined(
        (max(0, found.start() - _ADDRESS_BEFORE), found.end() + _ADDRESS_AFTER) for found in _AT.finditer(text)
    )


def around_numbers(text: str) -> Stretches:
    """For forms with six digits or more, at most two other signs between any two and at most three around them."""
    # Many forms are looked for in one text, one after the other.
    return _remembered(text) if len(text) <= _REMEMBERED_MOST else _around_numbers(text)


def from_heads(text: str) -> Stretches:
    """For forms that begin with two letters and two digits and have 64 signs at most."""
    if not _has_digits(text):
        return ()
    starts = (found.start() - _HEAD_SIZE + 1 for found in _HEAD.finditer(text))
    return _joined((start, start + _HEADED_MOST) for start in starts)


def with_long_words(text: str) -> Stretches:
    """For forms of sixteen signs without white space: all of a text that has such a word."""
    is_there = len(text) >= 16 and max(map(len, text.split()), default=0) >= 16
    return everywhere(text) if is_there else ()


def _joined(stretches: Stretches) -> Stretches:
    """Give *stretches*, which are in the order of their beginnings, with those that overlap made one."""
    joined: list[tuple[int, int]] = []
    for start, end in stretches:
        if joined and start <= joined[-1][1]:
            # What begins where one stretch ends must not be cut off there.
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return joined


def _has_digits(text: str) -> bool:
    return any(digit in text for digit in _DIGITS)


def _around_numbers(text: str) -> tuple[tuple[int, int], ...]:
    if len(text) < _DIGITS_LEAST or not _has_digits(text):
        return ()
    gaps = [found.span() for found in _GAP.finditer(text)]
    starts = (0, *(end for _, end in gaps))
    ends = (*(start for start, _ in gaps), len(text))
    return tuple(
        (max(0, start - _AROUND), end + _AROUND)
        for start, end in zip(starts, ends, strict=True)
        if end - start >= _DIGITS_LEAST
    )


_remembered = lru_cache(maxsize=2)(_around_numbers)
