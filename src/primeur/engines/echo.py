"""The tests' engine: answers with the last message, counts words as tokens, and fails in any way a test asks for."""

import sys
from typing import Annotated

import msgspec

from primeur.core.chat import OPENAI_PATHS, Dialect, Route
from primeur.core.ports import EngineOrder, Launch
from primeur.engines.settings import convert_settings

_NO = "the echo engine does not know it; leave it out"
_REFUSED = dict.fromkeys(("grammar", "lora"), _NO)
_REFUSED_IN_CHAT = dict.fromkeys(
    (*_REFUSED, "chat_template_kwargs", "audio", "function_call", "functions", "moderation", "prediction"), _NO
) | {"web_search_options": _NO}
# It has no sampling, so samplers are honoured by having nothing to do.
_SAMPLERS = ("top_k", "min_p", "typical_p", "repeat_penalty", "repeat_last_n")
_MIROSTAT = ("mirostat", "mirostat_tau", "mirostat_eta", "ignore_eos", "cache_prompt")


class EchoSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a revision may set.

    Attributes:
        context_tokens: prompt and answer together.
        delay_ms, token_ms: as the wishes of these names, for every request.
        load_ms: how long it says that it is loading.
        vector_size: numbers in an embedding when the caller gives no ``dimensions``.
    """

    context_tokens: Annotated[int, msgspec.Meta(ge=1)] = 32_768
    delay_ms: Annotated[int, msgspec.Meta(ge=0, le=3_600_000)] = 0
    token_ms: Annotated[int, msgspec.Meta(ge=0, le=60_000)] = 0
    load_ms: Annotated[int, msgspec.Meta(ge=0, le=3_600_000)] = 0
    vector_size: Annotated[int, msgspec.Meta(ge=1, le=8192)] = 64


class Echo:
    """Plans echo servers; fits `primeur.core.ports.Engine`."""

    name = "echo"
    dialect = Dialect(
        name="echo",
        paths=OPENAI_PATHS,
        accepts=frozenset((*_SAMPLERS, *_MIROSTAT)),
        refuses={Route.CHAT: _REFUSED_IN_CHAT, Route.COMPLETIONS: _REFUSED},
    )

    def plan(self, order: EngineOrder) -> Launch:
        """Check the settings and say how to start; starts nothing.

        Raises:
            SetupError: unknown setting (named), or a bad value.
        """
        settings = convert_settings("echo", order.settings, EchoSettings)
        return Launch(
            argv=(sys.executable, "-m", "primeur.engines.echo_server", msgspec.json.encode(settings).decode()),
            routes=frozenset(Route),
            context_tokens=settings.context_tokens,
            features=frozenset({"tools", "suffix", "echo_logprobs", "json_schema", "developer", "vision"}),
        )


ENGINE = Echo()
