"""OpenAI's request bodies as types: what Primeur understands, field by field.

Unknown top-level fields are refused by name; parts of messages and tools that only a target reads stay as they came.
Fields below "Beyond OpenAI" are spoken by open engines; a dialect says which of them its target honours.

Source: OpenAI API 2.3.0, ``CreateChatCompletionRequest``, ``CreateCompletionRequest``, ``CreateEmbeddingRequest``.
"""

from typing import Annotated, Any, Literal

import msgspec

Probability = Annotated[float, msgspec.Meta(ge=0, le=1)]
Penalty = Annotated[float, msgspec.Meta(ge=-2, le=2)]
Temperature = Annotated[float, msgspec.Meta(ge=0, le=2)]
Count = Annotated[int, msgspec.Meta(ge=1)]
Stop = str | Annotated[list[str], msgspec.Meta(max_length=4)] | None
# Text, texts, tokens or lists of tokens; msgspec wants one kind of list, `check_prompt` sees to the rest.
Prompt = str | list[str | int | list[int]]


def check_prompt(name: str, prompt: Prompt | None) -> None:
    """Refuse an empty list, and one that mixes texts, tokens and lists of tokens.

    Raises:
        ValueError: *name* is neither text nor one kind of list.
    """
    if isinstance(prompt, list) and len({type(part) for part in prompt}) != 1:
        message = f"{name} must be a string, or a list that is not empty of strings, tokens or lists of tokens"
        raise ValueError(message)


class StreamOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a stream carries beside the text."""

    include_usage: bool | None = None
    include_obfuscation: bool | None = None


class Message(msgspec.Struct, frozen=True):
    """One message of a chat; parts that only a target reads are passed on unread."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[dict[str, Any]] | None = None
    name: str | None = None
    tool_calls: list[dict[str, Any]] | None = None
    tool_call_id: str | None = None


class Function(msgspec.Struct, frozen=True):
    """A function that a model may call; *parameters* is a JSON schema."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=64, pattern="^[a-zA-Z0-9_-]+$")]
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class Tool(msgspec.Struct, frozen=True):
    """A tool that a model may call."""

    type: Literal["function"]
    function: Function


class SchemaFormat(msgspec.Struct, frozen=True):
    """A named JSON schema that the answer must obey."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=64, pattern="^[a-zA-Z0-9_-]+$")]
    schema: dict[str, Any] | None = None
    description: str | None = None
    strict: bool | None = None


class ResponseFormat(msgspec.Struct, frozen=True):
    """The form an answer must have."""

    type: Literal["text", "json_object", "json_schema"]
    json_schema: SchemaFormat | None = None


class Wishes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a caller asks of Primeur itself; it is taken out before a target sees the body.

    Attributes:
        sharing: who may serve where a right concerns the deployment; as the header ``x-primeur-sharing``.
    """

    sharing: Literal["dedicated", "spill", "shared"] | None = None


class Sampling(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What chat and plain completions share."""

    model: Annotated[str, msgspec.Meta(min_length=1, max_length=256)]
    frequency_penalty: Penalty | None = None
    logit_bias: dict[str, Annotated[float, msgspec.Meta(ge=-100, le=100)]] | None = None
    max_tokens: Annotated[int, msgspec.Meta(ge=0)] | None = None
    n: Annotated[int, msgspec.Meta(ge=1, le=128)] | None = None
    presence_penalty: Penalty | None = None
    seed: int | None = None
    stop: Stop = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    temperature: Temperature | None = None
    top_p: Probability | None = None
    user: str | None = None
    primeur: Wishes | None = None
    # Beyond OpenAI: open engines' own samplers.
    top_k: int | None = None
    min_p: Probability | None = None
    typical_p: Probability | None = None
    repeat_penalty: Annotated[float, msgspec.Meta(ge=0)] | None = None
    repeat_last_n: int | None = None
    mirostat: int | None = None
    mirostat_tau: float | None = None
    mirostat_eta: float | None = None
    grammar: str | None = None
    ignore_eos: bool | None = None
    cache_prompt: bool | None = None
    lora: list[dict[str, Any]] | None = None


class ChatRequest(Sampling, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Body of ``POST /v1/chat/completions``."""

    messages: Annotated[list[Message], msgspec.Meta(min_length=1, max_length=4096)]
    audio: dict[str, Any] | None = None
    function_call: str | dict[str, Any] | None = None
    functions: list[dict[str, Any]] | None = None
    logprobs: bool | None = None
    max_completion_tokens: Annotated[int, msgspec.Meta(ge=1)] | None = None
    metadata: dict[str, str] | None = None
    modalities: list[str] | None = None
    moderation: dict[str, Any] | None = None
    parallel_tool_calls: bool | None = None
    prediction: dict[str, Any] | None = None
    prompt_cache_key: str | None = None
    prompt_cache_options: dict[str, Any] | None = None
    prompt_cache_retention: str | None = None
    reasoning_effort: str | None = None
    response_format: ResponseFormat | None = None
    safety_identifier: str | None = None
    service_tier: str | None = None
    store: bool | None = None
    tool_choice: str | dict[str, Any] | None = None
    tools: Annotated[list[Tool], msgspec.Meta(max_length=128)] | None = None
    top_logprobs: Annotated[int, msgspec.Meta(ge=0, le=20)] | None = None
    verbosity: str | None = None
    web_search_options: dict[str, Any] | None = None
    # Beyond OpenAI.
    chat_template_kwargs: dict[str, Any] | None = None


class CompletionRequest(Sampling, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Body of ``POST /v1/completions``; *prompt* is text, tokens, or a list of either."""

    prompt: Prompt | None = None
    best_of: Annotated[int, msgspec.Meta(ge=1, le=20)] | None = None
    echo: bool | None = None
    logprobs: Annotated[int, msgspec.Meta(ge=0, le=20)] | None = None
    suffix: str | None = None

    def __post_init__(self) -> None:
        """Refuse mixed prompts."""
        check_prompt("prompt", self.prompt)


class EmbeddingRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Body of ``POST /v1/embeddings``."""

    model: Annotated[str, msgspec.Meta(min_length=1, max_length=256)]
    input: Prompt
    dimensions: Count | None = None
    encoding_format: Literal["float", "base64"] | None = None
    user: str | None = None
    primeur: Wishes | None = None

    def __post_init__(self) -> None:
        """Refuse mixed inputs."""
        check_prompt("input", self.input)


AnyRequest = ChatRequest | CompletionRequest | EmbeddingRequest
