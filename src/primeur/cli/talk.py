"""A conversation in the terminal: what was said, with which settings, and the commands that change both."""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from primeur.core.errors import BadRequest
from primeur.core.wire import ChatRequest

Json = dict[str, Any]
_OURS = frozenset({"model", "messages", "stream", "stream_options", "n"})

HELP = """\
/help              this list
/model [NAME]      ask another deployment; without a name, list them
/system [TEXT]     set the system prompt; without a text, take it away
/params [N=V ...]  set parameters (temperature=0.7 max_tokens=200 stop="END"); N= takes one away; none: show them
/retry             ask the last question again
/clear             forget what was said
/save FILE         write the conversation as Markdown, or as JSON when FILE ends in .json
/exit              end (Ctrl-D too)

End a line with \\ to go on in the next one, or put several lines between two lines of \"\"\".
Ctrl-C stops an answer; what came so far stays."""


@dataclass(slots=True)
class Talk:
    """What was said, and how to ask.

    Attributes:
        params: of the request, by their names in OpenAI's wire.
        pending: a question that has no answer yet, for ``/retry``.
    """

    model: str
    system: str = ""
    params: Json = field(default_factory=dict)
    turns: list[Json] = field(default_factory=list)
    pending: str = ""

    def body(self, question: str) -> Json:
        """The request that asks *question* after all that was said."""
        said = [{"role": "system", "content": self.system}] if self.system else []
        messages = [*said, *self.turns, {"role": "user", "content": question}]
        return {"model": self.model, "messages": messages, **self.params}

    def keep(self, question: str, answer: str) -> None:
        """Remember a question with its answer."""
        self.turns += [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
        self.pending = ""

    def take_back(self) -> str:
        """Forget the last question and its answer, and give the question.

        Raises:
            BadRequest: nothing was asked yet.
        """
        if self.pending:
            return self.pending
        if not self.turns:
            raise BadRequest("there is nothing to retry yet; ask something first")
        question = str(self.turns[-2]["content"])
        del self.turns[-2:]
        return question


def read_params(words: str, params: Json) -> Json:
    """Change *params* by ``NAME=VALUE`` pairs; values are JSON, or else texts.

    Raises:
        BadRequest: no pair, an unknown name, or a value that cannot be.
    """
    changed = dict(params)
    for pair in _pairs(words):
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise BadRequest(f"/params takes NAME=VALUE, not {pair!r}")
        changed.pop(name, None)
        if value:
            changed[name] = _value(value)
    check_params(changed)
    return changed


def check_params(params: Json) -> None:
    """Refuse what OpenAI's wire does not know.

    Raises:
        BadRequest: names the parameter.
    """
    for name in params:
        if name in _OURS or name not in ChatRequest.__struct_fields__:
            raise BadRequest(f"there is no parameter {name!r} to set; try temperature, top_p, max_tokens, seed or stop")
    try:
        msgspec.convert({"model": "-", "messages": [{"role": "user"}], **params}, ChatRequest)
    except msgspec.ValidationError as error:
        raise BadRequest(f"parameter: {error}") from None


def _pairs(words: str) -> list[str]:
    """Cut at spaces that stand outside quotes and brackets."""
    pairs, depth, quoted = [""], 0, False
    for sign in words:
        quoted ^= sign == '"'
        depth += 0 if quoted else (sign in "[{") - (sign in "]}")
        if sign == " " and not quoted and depth <= 0:
            pairs.append("")
        else:
            pairs[-1] += sign
    return [pair for pair in pairs if pair]


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def save(talk: Talk, path: Path) -> str:
    """Write the conversation for its owner's eyes only; says what was written.

    Raises:
        BadRequest: the file exists or cannot be written.
    """
    said = [{"role": "system", "content": talk.system}] if talk.system else []
    messages = [*said, *talk.turns]
    if path.suffix == ".json":
        text = json.dumps({"model": talk.model, **talk.params, "messages": messages}, ensure_ascii=False, indent=2)
    else:
        text = f"# {talk.model}\n\n" + "\n\n".join(f"## {one['role']}\n\n{one['content']}" for one in messages)
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(text + "\n")
    except FileExistsError:
        raise BadRequest(f"{path} exists; choose another name") from None
    except OSError as error:
        raise BadRequest(f"{path} cannot be written: {error.strerror}") from None
    return f"{len(messages)} messages are in {path}"


def obey(talk: Talk, line: str, models: Callable[[], list[str]]) -> str:
    """Do what a ``/command`` other than /retry and /exit says; gives what to tell the person.

    Raises:
        BadRequest: an unknown command or a value that cannot be.
    """
    name, _, rest = line.partition(" ")
    rest = rest.strip()
    if name == "/help":
        return HELP
    if name == "/model":
        return _choose(talk, rest, models())
    if name == "/system":
        talk.system = rest
        return "system prompt set" if rest else "no system prompt"
    if name == "/params":
        talk.params = read_params(rest, talk.params)
        return " ".join(f"{key}={json.dumps(value)}" for key, value in talk.params.items()) or "no parameters are set"
    if name == "/clear":
        talk.turns.clear()
        talk.pending = ""
        return "forgotten"
    if name == "/save":
        if not rest:
            raise BadRequest("/save needs the name of a file")
        return save(talk, Path(rest).expanduser())
    raise BadRequest(f"there is no command {name!r}; /help lists them")


def _choose(talk: Talk, name: str, known: list[str]) -> str:
    if not name:
        return "\n".join(f"{'*' if one == talk.model else ' '} {one}" for one in known)
    if name not in known:
        raise BadRequest(f"there is no deployment {name!r}; there are {', '.join(known)}")
    talk.model = name
    return f"asking {name}"
