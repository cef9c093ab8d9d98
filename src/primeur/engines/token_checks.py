"""What our own engine processes would ignore in silence, refused by name. Pure."""

from collections.abc import Mapping

from primeur.core.chat import Ask, Route
from primeur.core.errors import UnsupportedParameter
from primeur.core.wire import ChatRequest, CompletionRequest
from primeur.engines.llamacpp_checks import CHAT_REFUSES, must_call

_NO_BIAS = "the engine draws tokens without it; use the engine llamacpp, or leave it out"
_NO_ALTERNATIVES = "the engine tells the probability of the chosen token only; use the engine llamacpp, or leave it out"
_NO_FILL = "the engine fills no gaps; use the engine llamacpp"

TOKEN_REFUSES: Mapping[Route, Mapping[str, str]] = {
    Route.CHAT: {**CHAT_REFUSES, "logit_bias": _NO_BIAS},
    Route.COMPLETIONS: {"logit_bias": _NO_BIAS, "suffix": _NO_FILL},
}


def check(ask: Ask, engine: str) -> None:
    """Refuse values that the engine would ignore.

    Raises:
        UnsupportedParameter: names the parameter and says what to do.
    """
    fields = ask.fields
    if isinstance(fields, ChatRequest):
        if fields.top_logprobs:
            raise _unsupported("top_logprobs", engine, _NO_ALTERNATIVES)
        if fields.tools and fields.tool_choice != "none" and not must_call(fields):
            words = (
                "the engine cannot tell calls from text by itself; set 'tool_choice' to required, a function or none"
            )
            raise _unsupported("tools", engine, words)
    elif isinstance(fields, CompletionRequest) and fields.logprobs:
        raise _unsupported("logprobs", engine, _NO_ALTERNATIVES + " (0 gives the chosen one)")


def _unsupported(name: str, engine: str, reason: str) -> UnsupportedParameter:
    return UnsupportedParameter(f"{name!r} is not supported by {engine}: {reason}", param=name)
