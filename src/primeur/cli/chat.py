"""``primeur chat``: talk to a deployment in the terminal, or answer one piped question."""

import json
import os
import sys
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any

import typer

from primeur.cli.ask import Answer, Line, describe
from primeur.cli.ink import DIM, PLAIN, Ink, harmless
from primeur.cli.lines import Typing, history_path
from primeur.cli.reach import find_service
from primeur.cli.talk import Talk, check_params, obey
from primeur.core.errors import BadRequest, PrimeurError

_PIPED_LIMIT = 4 << 20
_RED = "\x1b[31m"


def chat(
    model: Annotated[
        str | None, typer.Argument(help="Deployment to ask; `starter` or the only one by default.")
    ] = None,
    system: Annotated[str, typer.Option(help="System prompt.")] = "",
    temperature: Annotated[float | None, typer.Option(min=0, max=2, help="0 is always the likeliest word.")] = None,
    max_tokens: Annotated[int | None, typer.Option(min=1, help="Longest answer.")] = None,
    data_dir: Annotated[Path | None, typer.Option(help="Folder of the service; else PRIMEUR_URL, PRIMEUR_KEY.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Read one question and print its answer as JSON.")] = False,
) -> None:
    """Talk to a deployment; with a pipe, answer what comes through it.

    `echo "What is a primeur?" | primeur chat starter` prints the answer and nothing else.
    """
    given = {"temperature": temperature, "max_tokens": max_tokens}
    params = {name: value for name, value in given.items() if value is not None}
    check_params(params)
    with closing(Line(find_service(data_dir))) as line:
        talk = Talk(model or _usual(line.models()), system, params)
        if as_json or not sys.stdin.isatty():
            _answer_pipe(line, talk, as_json=as_json)
        else:
            _Session(line, talk).run()


def _usual(known: list[str]) -> str:
    if "starter" in known:
        return "starter"
    if len(known) == 1:
        return known[0]
    raise BadRequest(f"say which deployment to ask: {', '.join(known) or 'there is none yet'}")


def _answer_pipe(line: Line, talk: Talk, *, as_json: bool) -> None:
    question = sys.stdin.buffer.read(_PIPED_LIMIT + 1)
    if len(question) > _PIPED_LIMIT:
        raise BadRequest(f"the question is longer than {_PIPED_LIMIT >> 20} MiB")
    text = question.decode(errors="replace").strip()
    if not text:
        raise BadRequest("nothing came through the pipe; try: echo Hello | primeur chat")
    answer = Answer()
    try:
        for piece in line.ask(talk.body(text), answer):
            if not as_json:
                sys.stdout.write(harmless(piece) if sys.stdout.isatty() else piece)
                sys.stdout.flush()
        sys.stdout.write((json.dumps(_as_json(answer), ensure_ascii=False) if as_json else "") + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever reads has enough. What Python still holds back must not complain at the exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _as_json(answer: Answer) -> dict[str, Any]:
    return {
        "answer": answer.text,
        "finish_reason": answer.finish,
        "usage": answer.usage or None,
        "first_token_s": answer.first_s,
        "tokens_per_s": answer.tokens_per_s,
        "primeur": answer.account or None,
    }


class _Session:
    """One person at a terminal."""

    def __init__(self, line: Line, talk: Talk) -> None:
        self._line, self._talk = line, talk
        self._colours = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
        self._typing = Typing(history_path())

    def run(self) -> None:
        """Until Ctrl-D or /exit."""
        known = self._line.models()
        if self._talk.model not in known:
            raise BadRequest(f"there is no deployment {self._talk.model!r}; there are {', '.join(known) or 'none'}")
        self._say(f"{self._talk.model}: ask, or /help. Ctrl-D ends.")
        try:
            while self._turn():
                pass
        finally:
            self._typing.keep()

    def _turn(self) -> bool:
        try:
            said = self._typing.read("> ").strip()
        except EOFError:
            sys.stdout.write("\n")
            return False
        except KeyboardInterrupt:
            self._say("\n(Ctrl-D ends)")
            return True
        if said == "/exit":
            return False
        try:
            self._do(said)
        except PrimeurError as error:
            self._say(error.message, _RED)
        return True

    def _do(self, said: str) -> None:
        if said == "/retry":
            self._ask(self._talk.take_back())
        elif said.startswith("/"):
            self._say(obey(self._talk, said, self._line.models))
        elif said:
            self._ask(said)

    def _ask(self, question: str) -> None:
        self._talk.pending = question
        answer, ink = Answer(), Ink(colours=self._colours)
        pieces = self._line.ask(self._talk.body(question), answer)
        try:
            for piece in pieces:
                sys.stdout.write(ink.write(piece))
                sys.stdout.flush()
        except KeyboardInterrupt:
            answer.stopped = True
        finally:
            # Closing hangs up, which stops the model, too.
            pieces.close()
            sys.stdout.write(ink.end() + ("\n" if answer.text else ""))
        if answer.text or not answer.stopped:
            self._talk.keep(question, answer.text)
        self._say(describe(answer))

    def _say(self, words: str, colour: str = DIM) -> None:
        text = harmless(words)
        sys.stdout.write(f"{colour}{text}{PLAIN}\n" if self._colours else f"{text}\n")
        sys.stdout.flush()
