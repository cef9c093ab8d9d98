"""Between an exchange and a caller of another dialect."""

import asyncio

import pytest

from primeur.core.errors import BadRequest, NotFound, PrimeurError, TargetFailed
from primeur.gateway.interpreter import Interpreter


class Line:
    """A client that notes what it is told."""

    def __init__(self):
        self.told, self.is_gone = [], False

    def send_whole(self, lines, body):
        self.told.append(("whole", lines, body))

    def send_refusal(self, error):
        self.told.append(("refusal", error.message))

    def begin_stream(self, lines):
        self.told.append(("head", lines))

    def send_piece(self, piece):
        self.told.append(("piece", piece))

    def end_stream(self, last):
        self.told.append(("end", last))


class Loud:
    """A voice in upper case that stores what *keeping* gives."""

    def __init__(self, keeping=None):
        self._keeping = keeping

    def whole(self, body):
        if body == b"bad":
            raise TargetFailed("nothing to say")
        return body.upper() if body else {}["choices"]

    def piece(self, block):
        return b"" if block == b"quiet" else {b"broken": None}.get(block, block).upper()

    def keep(self):
        return self._keeping

    def last(self, fault):
        return b"." if fault is None else b"! " + fault.message.encode()

    def refusal(self, error):
        return BadRequest(error.message.upper())


async def test_everything_is_said_in_the_callers_words():
    """Whole answers, pieces, packets with their chunk taken off, and refusals; silence is not sent."""
    line = Line()
    interpreter = Interpreter(line, Loud())
    interpreter.send_whole(b"x: y\r\n", b"yes")
    interpreter.begin_stream(b"x: y\r\n")
    interpreter.send_piece(b"one")
    interpreter.send_piece(b"quiet")
    interpreter.send_packet(b"3\r\ntwo\r\n")
    interpreter.end_stream(b"done")
    interpreter.send_refusal(BadRequest("no"))
    assert line.told == [
        ("whole", b"x: y\r\n", b"YES"), ("head", b"x: y\r\n"), ("piece", b"ONE"), ("piece", b"TWO"), ("end", b"DONE."),
        ("refusal", "NO"),
    ]  # fmt: skip


async def test_what_cannot_be_said_is_told_and_breaks_nothing():
    """A whole answer is refused; a piece stops its exchange; a last word is told as a fault."""
    line = Line()
    interpreter = Interpreter(line, Loud())
    interpreter.send_whole(b"", b"bad")
    interpreter.send_whole(b"", b"")
    assert line.told[0] == ("refusal", "nothing to say")
    assert "not a chat's" in line.told[1][1]
    with pytest.raises(TargetFailed, match="not a chat's"):
        interpreter.send_piece(b"broken")
    interpreter.end_stream(b"broken")
    assert line.told[-1][0] == "end"
    assert b"NOT A CHAT" in line.told[-1][1]


@pytest.mark.parametrize("fault", [None, NotFound("the conversation is gone"), RuntimeError("disk")])
@pytest.mark.parametrize("streams", [False, True])
async def test_nothing_ends_before_it_is_stored(fault, streams):
    """And what could not be stored is told."""
    line, stored = Line(), asyncio.Event()

    async def keeping():
        await stored.wait()
        if fault is not None:
            raise fault

    interpreter = Interpreter(line, Loud(keeping()))
    interpreter.end_stream(b"yes") if streams else interpreter.send_whole(b"", b"yes")
    await asyncio.sleep(0)
    assert line.told == []
    stored.set()
    await asyncio.sleep(0.01)
    words = fault.message if isinstance(fault, PrimeurError) else "the answer could not be stored"
    ((kind, *_, said),) = line.told
    if fault is None:
        assert (kind, said) == (("end", b"YES.") if streams else ("whole", b"YES"))
    else:
        assert kind == ("end" if streams else "refusal")
        assert words in (said.decode() if streams else said)


async def test_whoever_hung_up_meanwhile_is_told_nothing():
    """The answer is stored all the same."""
    line, done = Line(), []

    async def keeping():
        line.is_gone = True
        done.append(True)

    Interpreter(line, Loud(keeping())).send_whole(b"", b"yes")
    await asyncio.sleep(0.01)
    assert done == [True]
    assert line.told == []
