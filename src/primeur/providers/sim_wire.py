"""The simulated provider's side of the wire: requests checked, and everything that will be said decided; pure.

Source: Azure OpenAI's specifications 2024-10-21 and v1 for the bodies, errors and verdicts.
"""

from dataclasses import dataclass
from typing import Any

import msgspec

from primeur.core.chat import Route
from primeur.core.wire import AnyRequest, ChatRequest, CompletionRequest, EmbeddingRequest
from primeur.providers.sim_answers import (
    BLOCKED_VERDICT,
    count_tokens,
    embed,
    in_base64,
    instance,
    make_seed,
    stopped,
    text_of,
    words,
)
from primeur.providers.sim_behaviour import Behaviour

REQUESTS: dict[Route, type[AnyRequest]] = {
    Route.CHAT: ChatRequest,
    Route.COMPLETIONS: CompletionRequest,
    Route.EMBEDDINGS: EmbeddingRequest,
}
UNSUPPORTED = frozenset(
    {"logprobs", "top_logprobs", "audio", "functions", "function_call", "echo", "suffix", "best_of", "grammar"}
)


class SimRefusal(Exception):
    """An answer that is an error, in Azure's shape."""

    def __init__(self, status: int, code: str, message: str, /, **more: Any) -> None:
        """*more* joins code and message in the body, except ``retry_after_ms``, which becomes headers."""
        super().__init__(message)
        self.status = status
        self.retry_after_ms: int | None = more.pop("retry_after_ms", None)
        self.body = msgspec.json.encode({"error": {"code": code, "message": message, **more}})


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer: pieces of text, or of the arguments of one tool call, a token each."""

    pieces: list[str]
    finish: str
    tool: str | None = None
    call_id: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that will be said to one request, known before the first byte leaves."""

    route: Route
    id: str
    model: str
    created_s: int
    input_tokens: int
    choices: tuple[Choice, ...] = ()
    streams: bool = False
    wants_usage: bool = False
    vectors: tuple[list[float] | str, ...] = ()

    @property
    def output_tokens(self) -> int:
        """Tokens of all choices together."""
        return sum(len(choice.pieces) for choice in self.choices)

    @property
    def usage(self) -> dict[str, int]:
        """The usage block."""
        usage = {"prompt_tokens": self.input_tokens, "total_tokens": self.input_tokens + self.output_tokens}
        return usage if self.route is Route.EMBEDDINGS else usage | {"completion_tokens": self.output_tokens}


def read_request(route: Route, body: bytes, deployment: str | None) -> AnyRequest:
    """Decode and check a body; *deployment* is the path's, which overrules the body's model.

    Raises:
        SimRefusal: 400, naming what is wrong.
    """
    try:
        fields = msgspec.json.decode(body)
        if deployment is not None and isinstance(fields, dict):
            fields["model"] = deployment
        request: AnyRequest = msgspec.convert(fields, REQUESTS[route])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise SimRefusal(400, "BadRequest", str(error), type="invalid_request_error") from None
    for name in sorted(UNSUPPORTED):
        if getattr(request, name, None):
            message = f"The simulator does not support {name}; leave it out."
            raise SimRefusal(400, "unsupported_parameter", message, type="invalid_request_error", param=name)
    return request


def prompt_of(request: AnyRequest) -> list[str]:
    """Give the request's prompts as texts: one for a chat, one or more for the other routes."""
    if isinstance(request, ChatRequest):
        return ["\n".join(f"{message.role}: {text_of({'content': message.content})}" for message in request.messages)]
    given = request.prompt if isinstance(request, CompletionRequest) else request.input
    if isinstance(given, str) or given is None:
        return [given or ""]
    if given and all(isinstance(part, int) for part in given):
        return [msgspec.json.encode(given).decode()]
    return [part if isinstance(part, str) else msgspec.json.encode(part).decode() for part in given]


def check_content(prompts: list[str], behaviour: Behaviour) -> None:
    """Refuse prompts with a blocked word, as Azure's content filter does.

    Raises:
        SimRefusal: 400 ``content_filter`` with the verdict.
    """
    text = "\n".join(prompts).lower()
    if any(word.lower() in text for word in behaviour.blocked_words):
        verdict = {"code": "ResponsibleAIPolicyViolation", "content_filter_result": BLOCKED_VERDICT}
        message = "The response was filtered due to the prompt triggering the content management policy."
        raise SimRefusal(400, "content_filter", message, param="prompt", status=400, innererror=verdict)


def make_plan(request: AnyRequest, behaviour: Behaviour, created_s: int, dimensions: int) -> Plan:
    """Decide everything that will be said to *request*.

    Raises:
        SimRefusal: refused by the content filter.
    """
    prompts = prompt_of(request)
    check_content(prompts, behaviour)
    seed = make_seed(request.model, prompts, getattr(request, "seed", None))
    tokens = sum(count_tokens(prompt) for prompt in prompts)
    if isinstance(request, EmbeddingRequest):
        vectors = [embed(prompt, request.dimensions or dimensions) for prompt in prompts]
        coded = tuple(in_base64(vector) if request.encoding_format == "base64" else vector for vector in vectors)
        return Plan(Route.EMBEDDINGS, "", request.model, created_s, tokens, vectors=coded)
    route, name = (Route.CHAT, "chatcmpl") if isinstance(request, ChatRequest) else (Route.COMPLETIONS, "cmpl")
    count = len(prompts) * (request.n or 1)
    choices = tuple(_choose(request, behaviour, make_seed(seed, index)) for index in range(count))
    options = request.stream_options
    return Plan(
        route,
        f"{name}-{seed:016x}",
        request.model,
        created_s,
        tokens,
        choices,
        bool(request.stream),
        bool(options and options.include_usage),
    )


def most_tokens(request: AnyRequest) -> int | None:
    """Give the most tokens that the caller lets one answer have; None when it does not say."""
    if isinstance(request, EmbeddingRequest):
        return 0
    asked = request.max_tokens
    if isinstance(request, ChatRequest) and request.max_completion_tokens is not None:
        asked = request.max_completion_tokens
    return asked


def _choose(request: ChatRequest | CompletionRequest, behaviour: Behaviour, seed: int) -> Choice:
    most = most_tokens(request)
    tool = _tool(request)
    if tool is not None:
        arguments = msgspec.json.encode(instance(tool.parameters or {}, seed)).decode()
        return Choice(_split(arguments), "tool_calls", tool.name, f"call_{seed:016x}")
    if isinstance(request, ChatRequest) and request.response_format and request.response_format.type != "text":
        schema = request.response_format.json_schema
        made = instance((schema.schema if schema else None) or {}, seed)
        return _limited(_split(msgspec.json.encode(made).decode()), most)
    pieces = list(words(seed, behaviour.output_tokens if most is None else min(most, 131072)))
    kept, met = stopped(pieces, [request.stop] if isinstance(request.stop, str) else request.stop or [])
    return Choice(kept, "stop" if met or most is None else "length")


def _tool(request: ChatRequest | CompletionRequest) -> Any:
    tools = request.tools if isinstance(request, ChatRequest) else None
    if not tools or not isinstance(request, ChatRequest):
        return None
    if isinstance(request.tool_choice, dict):
        name = (request.tool_choice.get("function") or {}).get("name")
        return next((tool.function for tool in tools if tool.function.name == name), None)
    # With a tool's result at hand it is the model's turn to speak.
    wanted = request.tool_choice == "required" or (
        request.tool_choice != "none" and request.messages[-1].role == "user"
    )
    return tools[0].function if wanted else None


def _split(text: str) -> list[str]:
    return [text[at : at + 4] for at in range(0, len(text), 4)]


def _limited(pieces: list[str], most: int | None) -> Choice:
    if most is None or len(pieces) <= most:
        return Choice(pieces, "stop")
    return Choice(pieces[:most], "length")
