"""The OpenAI face of our own engine processes: chats and plain completions over anything that makes tokens.

Log-probabilities of completions have the chat's form, and usage of a stream stands in its last chunk, as llama.cpp has
them: one dialect reads both (`primeur.engines.llamacpp_dialect`).
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

from primeur.core.chat import Json
from primeur.core.wire import ChatRequest, CompletionRequest, Message, Sampling
from primeur.engines.http_face import Face, Refused, Request, Slow
from primeur.engines.token_maker import Draw, Making, Words
from primeur.engines.token_text import TextFlow

_encode = msgspec.json.encode
_ANY_OBJECT = '{"type":"object"}'


class Maker(Protocol):
    """Takes answers on."""

    def begin(self, prompt: Sequence[int], draw: Draw) -> Making:
        """Begin an answer to *prompt*."""
        ...


@dataclass(frozen=True)
class TokenFace:
    """Answers HTTP requests out of a maker of tokens.

    Attributes:
        context_tokens: prompt and answer together.
        key: bearer key that every request must carry.
    """

    model: str
    key: str
    context_tokens: int
    words: Words
    maker: Maker

    def respond(self, request: Request) -> bytes | Slow:
        """Find what is asked for.

        Raises:
            Refused: wrong key, path, method or body.
        """
        if request.path == "/health":
            return b'{"status":"ok"}'
        if request.key != self.key:
            raise Refused(401, "wrong key", "invalid_api_key")
        if request.method == "GET" and request.path == "/v1/models":
            about = {"id": self.model, "object": "model", "owned_by": "primeur", "meta": {"n_ctx": self.context_tokens}}
            return _encode({"object": "list", "data": [about]})
        reads: dict[str, Callable[[bytes], Slow]] = {"/v1/chat/completions": self._chat, "/v1/completions": self._text}
        read = reads.get(request.path)
        if read is None or request.method != "POST":
            raise Refused(404, f"there is no {request.method} {request.path}", "not_found")
        try:
            return read(request.body)
        except (msgspec.MsgspecError, RecursionError) as error:
            raise Refused(400, f"the body cannot be read: {error}", "invalid_json") from None
        except ValueError as error:
            raise Refused(400, str(error), "invalid_request") from None

    def _chat(self, body: bytes) -> Slow:
        ask = msgspec.json.decode(body, type=ChatRequest)
        text = self.words.write_chat([_plain(message) for message in ask.messages], ask.chat_template_kwargs or {})
        form = ask.response_format
        schema = None
        if form is not None and form.type != "text":
            named = form.json_schema.schema if form.json_schema else None
            schema = _ANY_OBJECT if named is None else _encode(named).decode()
        limit = ask.max_completion_tokens or ask.max_tokens
        prompt = self.words.tokenize(text)
        return _Answer(
            self, ask, prompt, self._draw(ask, prompt, limit, schema), chat=True, logprobs=bool(ask.logprobs)
        )

    def _text(self, body: bytes) -> Slow:
        ask = msgspec.json.decode(body, type=CompletionRequest)
        if isinstance(ask.prompt, list):
            prompt = [token for token in ask.prompt if isinstance(token, int)]
            if len(prompt) != len(ask.prompt):
                raise Refused(400, "one prompt at a time: text, or a list of tokens", "invalid_request", "prompt")
            for token in prompt:
                self.words.bytes_of(token)
        else:
            prompt = self.words.tokenize(ask.prompt or "")
        draw = self._draw(ask, prompt, ask.max_tokens or 16, None)
        return _Answer(self, ask, prompt, draw, chat=False, logprobs=ask.logprobs is not None)

    def _draw(self, ask: Sampling, prompt: Sequence[int], limit: int | None, schema: str | None) -> Draw:
        left = self.context_tokens - len(prompt)
        if left < 1:
            words = f"the prompt has {len(prompt)} tokens and the context {self.context_tokens}; shorten it"
            raise Refused(400, words, "context_length_exceeded")
        return Draw(
            max_tokens=min(left, limit or left),
            temperature=1.0 if ask.temperature is None else ask.temperature,
            top_p=1.0 if ask.top_p is None else ask.top_p,
            top_k=ask.top_k,
            min_p=ask.min_p,
            seed=ask.seed,
            frequency_penalty=ask.frequency_penalty or 0.0,
            presence_penalty=ask.presence_penalty or 0.0,
            repeat_penalty=ask.repeat_penalty,
            ignore_eos=bool(ask.ignore_eos),
            schema=schema,
        )


class _Answer:
    """One answer, whole or streamed."""

    def __init__(  # noqa: PLR0913 (what makes an answer)
        self, face: TokenFace, ask: Sampling, prompt: list[int], draw: Draw, *, chat: bool, logprobs: bool
    ) -> None:
        self._face, self._ask, self._prompt, self._draw, self._chat = face, ask, prompt, draw, chat
        stops = [ask.stop] if isinstance(ask.stop, str) else ask.stop or []
        self._flow = TextFlow(face.words, [stop for stop in stops if stop], logprobs=logprobs)
        stamp = time.time_ns()
        kind = "chat.completion" if chat else "text_completion"
        self._begun = False
        self._frame: Json = {
            "id": f"{'chatcmpl' if chat else 'cmpl'}-{stamp:x}",
            "object": kind + (".chunk" if chat and ask.stream else ""),
            "created": stamp // 1_000_000_000,
            "model": face.model,
        }

    async def play(self, face: Face) -> None:
        """Give the answer over *face*."""
        making = self._face.maker.begin(self._prompt, self._draw)
        try:
            await (self._stream(face, making) if self._ask.stream else self._whole(face, making))
        except (ValueError, RuntimeError) as error:
            if self._begun:
                # The head has left: only a cut connection still tells that the answer is not whole.
                face.hang_up()
                return
            status = 400 if isinstance(error, ValueError) else 500
            raise Refused(status, str(error), "invalid_request" if status == 400 else "engine_broke") from None
        finally:
            making.cancel()

    async def _whole(self, face: Face, making: Making) -> None:
        text, entries = "", list[Json]()
        async for made in making:
            more, told = self._flow.take(made)
            text += more
            entries += told
            if self._flow.finish is not None:
                break
        body = {"message": {"role": "assistant", "content": text}} if self._chat else {"text": text}
        face.write_whole(
            200, _encode({**self._frame, "choices": [self._choice(body, entries)], "usage": self._usage()})
        )

    async def _stream(self, face: Face, making: Making) -> None:
        async for made in making:
            text, entries = self._flow.take(made)
            if not self._begun:
                self._begun = True
                kind = "content-type: text/event-stream\r\ntransfer-encoding: chunked"
                await face.write(f"HTTP/1.1 200 OK\r\n{kind}\r\n\r\n".encode())
                if self._chat:
                    await self._send(face, {"delta": {"role": "assistant", "content": ""}}, [])
            if text or entries:
                await self._send(face, {"delta": {"content": text}} if self._chat else {"text": text}, entries)
            if self._flow.finish is not None:
                break
        choice = self._choice({"delta": {}} if self._chat else {"text": ""}, [])
        options = self._ask.stream_options
        usage = {"usage": self._usage()} if options and options.include_usage else {}
        if self._chat:
            await face.write(_event({**self._frame, "choices": [choice]}))
            if usage:
                await face.write(_event({**self._frame, "choices": [], **usage}))
        else:
            await face.write(_event({**self._frame, "choices": [choice], **usage}))
        await face.write(_chunk(b"data: [DONE]\n\n") + b"0\r\n\r\n")

    async def _send(self, face: Face, body: Json, entries: list[Json]) -> None:
        choice: Json = {"index": 0, **body, "finish_reason": None}
        if entries:
            choice["logprobs"] = {"content": entries}
        await face.write(_event({**self._frame, "choices": [choice]}))

    def _choice(self, body: Json, entries: list[Json]) -> Json:
        choice: Json = {"index": 0, **body, "finish_reason": self._flow.finish}
        return {**choice, "logprobs": {"content": entries}} if entries else choice

    def _usage(self) -> Json:
        asked, made = len(self._prompt), self._flow.tokens
        return {"prompt_tokens": asked, "completion_tokens": made, "total_tokens": asked + made}


def _event(data: Mapping[str, Any]) -> bytes:
    return _chunk(b"data: " + _encode(data) + b"\n\n")


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def _plain(message: Message) -> dict[str, Any]:
    """A message with its content as one text: templates that know parts are few."""
    said = msgspec.to_builtins(message)
    if isinstance(message.content, list):
        said["content"] = "".join(part.get("text") or part.get("refusal") or "" for part in message.content)
    return {name: value for name, value in said.items() if value is not None}
