"""Anthropic's Messages request as types: what Primeur understands, field by field; pure.

Unknown fields are refused by name wherever they stand. Fields below "Known, and refused" exist at Anthropic and have no
counterpart here; `refuse_unsupported` says so instead of ignoring them.

Source: Anthropic API reference, "Create a Message" (anthropic-version 2023-06-01).
"""

from typing import Annotated, Any, Literal

import msgspec

from primeur.core.errors import UnsupportedParameter

Zero2One = Annotated[float, msgspec.Meta(ge=0, le=1)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=256)]


class CacheControl(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A hint where a prompt may be cached; targets cache by themselves, so it changes no answer and no price here."""

    type: Literal["ephemeral"]
    ttl: Literal["5m", "1h"] | None = None


class _Part(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", forbid_unknown_fields=True):
    cache_control: CacheControl | None = None


class TextPart(_Part, frozen=True, kw_only=True, tag="text"):
    """Text; answers carry it too, with citations that are always null here."""

    text: str
    citations: None = None


class Base64Source(msgspec.Struct, frozen=True, tag_field="type", tag="base64", forbid_unknown_fields=True):
    """An image in the request."""

    media_type: Literal["image/jpeg", "image/png", "image/gif", "image/webp"]
    data: str


class UrlSource(msgspec.Struct, frozen=True, tag_field="type", tag="url", forbid_unknown_fields=True):
    """An image at an address; it is fetched here, see `primeur.walks.fetch_images`."""

    url: str


class ImagePart(_Part, frozen=True, kw_only=True, tag="image"):
    """A picture."""

    source: Base64Source | UrlSource


class ToolUsePart(_Part, frozen=True, kw_only=True, tag="tool_use"):
    """A tool call that the model made earlier."""

    id: Name
    name: Name
    input: dict[str, Any]
    caller: dict[str, Any] | None = None


class ToolResultPart(_Part, frozen=True, kw_only=True, tag="tool_result"):
    """What a tool gave back."""

    tool_use_id: Name
    content: str | list[TextPart | ImagePart] = ""
    is_error: bool = False


Part = TextPart | ImagePart | ToolUsePart | ToolResultPart


class MessageParam(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One turn."""

    role: Literal["user", "assistant", "system"]
    content: str | list[Part]


class ToolParam(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A tool of the caller's own; tools that run at Anthropic have another type and are refused by it."""

    name: Name
    input_schema: dict[str, Any]
    type: Literal["custom"] | None = None
    description: str | None = None
    strict: bool | None = None
    cache_control: CacheControl | None = None


class ToolChoice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether and which tool must be called."""

    type: Literal["auto", "any", "tool", "none"]
    name: str | None = None
    disable_parallel_tool_use: bool = False

    def __post_init__(self) -> None:
        """Refuse a choice that names no tool, or names one where none can be named."""
        if (self.type == "tool") != (self.name is not None):
            message = "tool_choice.name belongs to type 'tool', and to it alone"
            raise ValueError(message)


class Metadata(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who the answer is for, as the caller names them."""

    user_id: str | None = None


class Thinking(msgspec.Struct, frozen=True):
    """Whether the model may think aloud."""

    type: Literal["disabled", "enabled", "adaptive"]


class OutputFormat(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The JSON schema that the answer must obey."""

    type: Literal["json_schema"]
    schema: dict[str, Any]


class OutputConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The form of the answer, and how much effort it is worth."""

    effort: Literal["low", "medium", "high", "xhigh", "max"] | None = None
    format: OutputFormat | None = None


class MessagesRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Body of ``POST /v1/messages``."""

    model: Name
    max_tokens: Annotated[int, msgspec.Meta(ge=1)]
    messages: Annotated[list[MessageParam], msgspec.Meta(min_length=1, max_length=4096)]
    system: str | list[TextPart] | None = None
    metadata: Metadata | None = None
    stop_sequences: Annotated[list[str], msgspec.Meta(max_length=4)] | None = None
    stream: bool = False
    temperature: Zero2One | None = None
    top_p: Zero2One | None = None
    top_k: Annotated[int, msgspec.Meta(ge=0)] | None = None
    tools: Annotated[list[ToolParam], msgspec.Meta(max_length=128)] | None = None
    tool_choice: ToolChoice | None = None
    output_config: OutputConfig | None = None
    cache_control: CacheControl | None = None
    service_tier: Literal["auto", "standard_only"] | None = None
    thinking: Thinking | None = None
    # Known, and refused.
    container: Any = None
    context_management: Any = None
    diagnostics: Any = None
    inference_geo: Any = None
    mcp_servers: Any = None
    speed: Any = None
    user_profile_id: Any = None
    workspace_id: Any = None


REFUSED = {
    "container": "Primeur runs no code; leave it out",
    "context_management": "send the messages that count",
    "diagnostics": "leave it out",
    "inference_geo": "choose a deployment in the region you need",
    "mcp_servers": "call the server yourself and send its answer as a tool result",
    "speed": "leave it out",
    "user_profile_id": "use metadata.user_id",
    "workspace_id": "keys belong to projects here; leave it out",
}


def refuse_unsupported(request: MessagesRequest) -> None:
    """Refuse what no target could be told.

    Raises:
        UnsupportedParameter: names the parameter and what to do instead.
    """
    for name, instead in REFUSED.items():
        if getattr(request, name) is not None:
            raise UnsupportedParameter(f"{name!r} is not supported; {instead}", param=name)
    if request.thinking is not None and request.thinking.type != "disabled":
        message = "'thinking' is not supported: no thinking blocks are given; leave it out or set type 'disabled'"
        raise UnsupportedParameter(message, param="thinking")
    if request.output_config is not None and request.output_config.effort == "max":
        message = "'output_config.effort' 'max' is not supported; use 'low', 'medium', 'high' or 'xhigh'"
        raise UnsupportedParameter(message, param="output_config.effort")
    if request.messages[-1].role == "assistant":
        message = "a last message of the assistant (prefilling) is not supported; end with the user's message"
        raise UnsupportedParameter(message, param=f"messages[{len(request.messages) - 1}]")
