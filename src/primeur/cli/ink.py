"""Markdown as it streams, for a terminal: light styling, a character at a time; pure."""

import re

BOLD, DIM, CODE, PLAIN = "\x1b[1m", "\x1b[2m", "\x1b[36m", "\x1b[0m"
# A model's words must not drive the terminal: no escape sequences, no C1 controls, no bidirectional overrides.
_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_OPENING = re.compile(r"(?P<fence> {0,3}```)|(?P<heading>#{1,6} )|(?P<bullet>[ \t]*)[-*+] ")
_COULD_OPEN = re.compile(r" {0,3}`{0,2}|#{1,6}|[ \t]*[-*+]?")


def harmless(text: str) -> str:
    """Give *text* without what could drive a terminal."""
    return _UNSAFE.sub("", text.replace("\r\n", "\n"))


class Ink:
    """Styles an answer while it comes; without colours it only takes harm out of it."""

    def __init__(self, *, colours: bool) -> None:
        """*colours*: the terminal shows them."""
        self._colours = colours
        self._held = ""
        self._line_begins = True
        self._fence = self._code = self._bold = self._heading = False

    def write(self, piece: str) -> str:
        """Give what can be shown now; a sign that may begin a mark waits for the next piece."""
        text = self._held + harmless(piece)
        self._held = ""
        if not self._colours:
            return text
        shown: list[str] = []
        while text:
            text = self._line_start(text, shown) if self._line_begins else self._inside(text, shown)
            if self._held:
                break
        return "".join(shown)

    def end(self) -> str:
        """Give what was held back, and end every style."""
        rest, self._held = self._held, ""
        return rest + (PLAIN if self._colours else "")

    def _line_start(self, text: str, shown: list[str]) -> str:
        found = _OPENING.match(text)
        if found is None and "\n" not in text and _COULD_OPEN.fullmatch(text):
            self._held = text
            return ""
        self._line_begins = False
        if found is None or (self._fence and not found["fence"]):
            return text
        if found["fence"]:
            self._fence = not self._fence
            shown.append(DIM)
            self._heading = True
            return text
        if found["heading"]:
            self._heading = True
            shown.append(BOLD)
            return text[found.end() :]
        shown.append(f"{found['bullet']}\N{BULLET} ")
        return text[found.end() :]

    def _inside(self, text: str, shown: list[str]) -> str:
        sign = text[0]
        if sign == "\n":
            self._end_line(shown)
        elif sign == "`" and not self._fence and not self._heading:
            self._code = not self._code
            shown.append(self._style())
        elif sign == "*" and not self._fence and not self._code:
            if len(text) == 1:
                self._held = text
                return ""
            if text[1] == "*":
                self._bold = not self._bold
                shown.append(self._style())
                return text[2:]
            shown.append(sign)
        else:
            end = next((place for place, other in enumerate(text) if other in "\n`*"), len(text))
            shown.append(text[: max(end, 1)])
            return text[max(end, 1) :]
        return text[1:]

    def _end_line(self, shown: list[str]) -> None:
        self._line_begins = True
        # An unclosed mark ends with its line, so that a lone star never colours the rest of an answer.
        self._heading = self._code = self._bold = False
        shown.append(PLAIN + "\n" + (CODE if self._fence else ""))

    def _style(self) -> str:
        heading = BOLD if self._heading else ""
        return PLAIN + heading + (BOLD if self._bold else "") + (CODE if self._code else "")
