"""Bodies of ``/v1/responses`` as OpenAI's API has them.

Source: OpenAI API 2.3.0, ``CreateResponse`` and ``Response``.
"""

from typing import Annotated, Any, Literal

import msgspec

from primeur.archive.wire import Json, Metadata
from primeur.core.wire import Probability, Temperature, Wishes

_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=64, pattern="^[a-zA-Z0-9_-]+$")]


class TextFormat(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The form an answer must have; *name* and *schema* belong to ``json_schema``."""

    type: Literal["text", "json_object", "json_schema"]
    name: _Name | None = None
    schema: Json | None = None
    description: str | None = None
    strict: bool | None = None


class TextOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Form and length of the answer's text."""

    format: TextFormat | None = None
    verbosity: Literal["low", "medium", "high"] | None = None


class Reasoning(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How much a model that reasons is to reason."""

    effort: str | None = None
    summary: str | None = None
    generate_summary: str | None = None
    mode: str | None = None
    context: str | None = None


class StreamOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a stream carries beside its events."""

    include_obfuscation: bool | None = None


class ConversationParam(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A conversation by its id."""

    id: str


class CreateResponse(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Body of ``POST /v1/responses``."""

    model: Annotated[str, msgspec.Meta(min_length=1, max_length=256)]
    background: bool | None = None
    context_management: list[Json] | None = None
    conversation: str | ConversationParam | None = None
    include: list[str] | None = None
    input: str | Annotated[list[Json], msgspec.Meta(max_length=4096)] | None = None
    instructions: str | None = None
    max_output_tokens: Annotated[int, msgspec.Meta(ge=1)] | None = None
    max_tool_calls: int | None = None
    metadata: Metadata | None = None
    moderation: Json | None = None
    parallel_tool_calls: bool | None = None
    previous_response_id: str | None = None
    prompt: Json | None = None
    prompt_cache_key: str | None = None
    prompt_cache_options: Json | None = None
    prompt_cache_retention: str | None = None
    reasoning: Reasoning | None = None
    safety_identifier: str | None = None
    service_tier: str | None = None
    store: bool | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    temperature: Temperature | None = None
    text: TextOptions | None = None
    tool_choice: str | Json | None = None
    tools: Annotated[list[Json], msgspec.Meta(max_length=128)] | None = None
    top_logprobs: Annotated[int, msgspec.Meta(ge=0, le=20)] | None = None
    top_p: Probability | None = None
    truncation: Literal["auto", "disabled"] | None = None
    user: str | None = None
    primeur: Wishes | None = None

    @property
    def conversation_id(self) -> str | None:
        """The conversation, however it was written."""
        return self.conversation.id if isinstance(self.conversation, ConversationParam) else self.conversation

    @property
    def is_kept(self) -> bool:
        """Whether the response is stored: OpenAI's default is that it is."""
        return self.store is not False


class ResponseObject(msgspec.Struct, kw_only=True):
    """A response; times are seconds since 1970, UTC.

    Attributes:
        temperature, top_p: as asked for; None leaves them to the engine.
        primeur: who served it and what it cost.
    """

    id: str
    object: Literal["response"] = "response"
    created_at: int
    status: str
    background: bool = False
    completed_at: int | None = None
    conversation: Json | None = None
    error: Json | None = None
    incomplete_details: Json | None = None
    instructions: str | None = None
    max_output_tokens: int | None = None
    max_tool_calls: int | None = None
    metadata: dict[str, str]
    model: str
    output: list[Json]
    parallel_tool_calls: bool = True
    previous_response_id: str | None = None
    prompt_cache_key: str | None = None
    reasoning: Json
    safety_identifier: str | None = None
    service_tier: str | None = None
    store: bool = True
    temperature: float | None = None
    text: Json
    tool_choice: Any
    tools: list[Json]
    top_logprobs: int | None = None
    top_p: float | None = None
    truncation: str = "disabled"
    usage: Json | None = None
    user: str | None = None
    primeur: Json | msgspec.UnsetType | None = msgspec.UNSET
