"""One question to a running service, its answer as it streams, and what it took."""

import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2
import msgspec

from primeur.cli.reach import Reach
from primeur.core.errors import CallerError, PrimeurError
from primeur.core.money import show_money

Json = dict[str, Any]
_CONNECT_S = 5.0
_SILENCE_S = 300.0


class Refused(CallerError):
    """The service said no, in its own words."""


@dataclass(slots=True)
class Answer:
    """An answer so far.

    Attributes:
        account: what the service tells under ``primeur``: who served, at what cost.
        first_s: seconds to the first piece; None until it has come.
        last_s: seconds to the last piece.
        pieces: how many carried text.
        stopped: the person ended it.
    """

    text: str = ""
    finish: str | None = None
    usage: Json = field(default_factory=dict)
    account: Json = field(default_factory=dict)
    first_s: float | None = None
    last_s: float = 0.0
    pieces: int = 0
    stopped: bool = False

    @property
    def tokens(self) -> int:
        """Tokens of the answer, as the service counted them, else its pieces."""
        return int(self.usage.get("completion_tokens") or self.pieces)

    @property
    def tokens_per_s(self) -> float | None:
        """Tokens a second after the first one; None for an answer of one token or at once."""
        if self.first_s is None or self.tokens < 2 or self.last_s <= self.first_s:
            return None
        return (self.tokens - 1) / (self.last_s - self.first_s)


def describe(answer: Answer) -> str:
    """Say in one line who served, how fast and at what cost."""
    account = answer.account
    served = [str(account[name]) for name in ("deployment", "provider", "revision") if account.get(name)]
    parts = [" / ".join(served)] if served else []
    parts.append(f"{answer.tokens} token{'' if answer.tokens == 1 else 's'}")
    if answer.tokens_per_s is not None:
        parts.append(f"{answer.tokens_per_s:.1f} tokens/s")
    if answer.first_s is not None:
        parts.append(f"first after {answer.first_s:.2f} s")
    if account:
        parts.append(f"cost {show_money(account.get('cost_nanos'), account.get('currency'))}")
    if answer.finish not in {None, "stop"}:
        parts.append(f"ended by {answer.finish}")
    return " \N{MIDDLE DOT} ".join([*parts, *(["stopped"] if answer.stopped else [])])


class Line:
    """An open line to a service."""

    def __init__(self, reach: Reach) -> None:
        """Open nothing yet; the first request connects."""
        self._reach = reach
        timeout = httpx2.Timeout(_SILENCE_S, connect=_CONNECT_S)
        self._client = httpx2.Client(
            base_url=reach.url,
            headers={"authorization": f"Bearer {reach.key}"},
            timeout=timeout,
            verify=reach.tls if reach.cert else True,
        )

    def close(self) -> None:
        """Hang up."""
        self._client.close()

    def models(self) -> list[str]:
        """Names that can be asked.

        Raises:
            Refused: the key is not known, for instance.
        """
        with self._told():
            answer = self._client.get("/v1/models")
            if answer.status_code != 200:
                raise _refusal(answer.status_code, answer.content, self._reach.url)
            return [model["id"] for model in answer.json()["data"]]

    def ask(self, body: Json, answer: Answer) -> Generator[str]:
        """Give the pieces of an answer as they come, and keep what it took in *answer*.

        Closing the iterator early hangs up; the service meters what was made until then.

        Raises:
            Refused: the service said no.
            PrimeurError: it broke off, or cannot be reached.
        """
        asked = {**body, "stream": True, "stream_options": {"include_usage": True}}
        began = time.monotonic()
        with self._told(), self._client.stream("POST", "/v1/chat/completions", json=asked) as reply:
            if reply.status_code != 200:
                raise _refusal(reply.status_code, reply.read(), self._reach.url)
            for line in reply.iter_lines():
                if not line.startswith("data: ") or line == "data: [DONE]":
                    continue
                piece = _take(msgspec.json.decode(line[6:]), answer)
                if piece:
                    answer.last_s = time.monotonic() - began
                    answer.first_s = answer.last_s if answer.first_s is None else answer.first_s
                    answer.text += piece
                    answer.pieces += 1
                    yield piece

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Say faults of the network and of the protocol in our words."""
        url = self._reach.url
        try:
            yield
        except httpx2.HTTPError as error:
            reason = str(error) or type(error).__name__
            raise PrimeurError(f"{url} does not answer ({reason}); is the service running?") from None
        except (httpx2.InvalidURL, UnicodeEncodeError, ValueError) as error:
            raise PrimeurError(f"{url} did not answer as a Primeur does ({error}); check PRIMEUR_URL") from None


def _take(chunk: Json, answer: Answer) -> str:
    """Read one chunk of a stream; gives the text in it."""
    if chunk.get("error"):
        raise PrimeurError(f"the answer broke off: {chunk['error'].get('message', chunk['error'])}")
    answer.usage = chunk.get("usage") or answer.usage
    answer.account = chunk.get("primeur") or answer.account
    for choice in chunk.get("choices") or ():
        answer.finish = choice.get("finish_reason") or answer.finish
        delta = choice.get("delta") or {}
        return str(delta.get("content") or delta.get("refusal") or "")
    return ""


def _refusal(status: int, body: bytes, url: str) -> PrimeurError:
    try:
        words = str(msgspec.json.decode(body)["error"]["message"])
    except (msgspec.DecodeError, KeyError, TypeError):
        words = f"{url} answered {status} and not as a Primeur does; check PRIMEUR_URL"
    return (Refused if status < 500 else PrimeurError)(words)
